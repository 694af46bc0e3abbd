"""Our networks compute the outputs of the official PyTorch networks."""

import numpy as np
import pytest
import torch

from tests.golden.reading import (
    IMAGE_TOLERANCE,
    RELATIVE_TOLERANCE,
    VARIANTS,
    config,
    params,
    relative,
    vectors,
)
from training.importers.pytorch import read_official

pytestmark = pytest.mark.golden


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize(("name", "real"), [("genA2B", "real_A"), ("genB2A", "real_B")])
def test_generators_match_the_official_ones(variant: str, name: str, real: str) -> None:
    golden = vectors(variant)
    generator = read_official(params(variant), size=config(variant)["img_size"]).generators[name]
    with torch.inference_mode():
        image, cam_logit, attention = generator(torch.from_numpy(golden[real]))
    assert np.abs(image.numpy() - golden[f"{name}.image"]).max() < IMAGE_TOLERANCE
    assert relative(cam_logit, golden[f"{name}.cam_logit"]) < RELATIVE_TOLERANCE
    assert relative(attention, golden[f"{name}.heatmap"][:, 0]) < RELATIVE_TOLERANCE


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("name", ["disGA", "disLA", "disGB", "disLB"])
def test_discriminators_match_the_official_ones(variant: str, name: str) -> None:
    golden = vectors(variant)
    discriminator = read_official(params(variant), size=config(variant)["img_size"]).discriminators[name]
    with torch.inference_mode():
        logit, cam_logit, attention = discriminator(torch.from_numpy(golden[f"real_{name[-1]}"]))
    assert relative(logit, golden[f"{name}.logit"]) < RELATIVE_TOLERANCE
    assert relative(cam_logit, golden[f"{name}.cam_logit"]) < RELATIVE_TOLERANCE
    assert relative(attention, golden[f"{name}.heatmap"][:, 0]) < RELATIVE_TOLERANCE
