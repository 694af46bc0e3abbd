"""Our networks, filled from the official TensorFlow checkpoints, compute the outputs of the official ones."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from models.networks.config import DiscriminatorConfig
from models.networks.discriminator import Discriminator
from tests.golden.reading import relative
from tests.golden.tensorflow_reading import (
    IMAGE_TOLERANCE,
    RELATIVE_TOLERANCE,
    VARIANTS,
    arrays,
    config,
    folder,
    golden_folder,
)
from training.export.parity import cpu_session, run
from training.export.translator import export_translator
from training.importers.official import OfficialCheckpoint
from training.importers.tensorflow import read_tensorflow
from training.importers.tensorflow_variables import discriminator_variables
from training.methods.ugatit.translators import translator


@pytest.fixture(params=VARIANTS)
def variant(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def official(variant: str) -> OfficialCheckpoint:
    return read_tensorflow(golden_folder(variant), size=config(variant)["img_size"])


@pytest.mark.golden
@pytest.mark.parametrize(("name", "real"), [("genA2B", "real_A"), ("genB2A", "real_B")])
def test_generators_match_the_official_ones(
    variant: str, official: OfficialCheckpoint, name: str, real: str
) -> None:
    golden = arrays(variant, "vectors")
    with torch.inference_mode():
        image, cam_logit, attention = official.generators[name](torch.from_numpy(golden[real]))
    assert np.abs(image.numpy() - golden[f"{name}.image"]).max() < IMAGE_TOLERANCE
    assert relative(cam_logit, golden[f"{name}.cam_logit"]) < RELATIVE_TOLERANCE
    assert relative(attention, golden[f"{name}.heatmap"][:, 0]) < RELATIVE_TOLERANCE


@pytest.mark.golden
@pytest.mark.parametrize("name", ["disGA", "disLA", "disGB", "disLB"])
def test_discriminators_match_the_official_ones(
    variant: str, official: OfficialCheckpoint, name: str
) -> None:
    golden = arrays(variant, "vectors")
    with torch.inference_mode():
        logit, cam_logit, attention = official.discriminators[name](
            torch.from_numpy(golden[f"real_{name[-1]}"])
        )
    assert relative(logit, golden[f"{name}.logit"]) < RELATIVE_TOLERANCE
    assert relative(cam_logit, golden[f"{name}.cam_logit"]) < RELATIVE_TOLERANCE
    assert relative(attention, golden[f"{name}.heatmap"][:, 0]) < RELATIVE_TOLERANCE


@pytest.mark.golden
@pytest.mark.parametrize("name", ["genA2B", "genB2A"])
def test_exported_graph_returns_the_official_pixels(
    variant: str, official: OfficialCheckpoint, name: str
) -> None:
    golden = arrays(variant, "pixels")
    found = run(cpu_session(export_translator(translator(official.generators[name]))), golden["pixels"])
    difference = np.abs(found["image"].astype(int) - golden[f"{name}.image"])
    assert difference.max() <= 1
    assert (difference == 0).mean() >= 0.995
    assert relative(found["cam_logit"], golden[f"{name}.cam_logit"]) < RELATIVE_TOLERANCE
    assert relative(found["attention"], golden[f"{name}.attention"]) < RELATIVE_TOLERANCE


def test_smoothing_is_read_from_the_folders_name() -> None:
    for variant, smooth in (("light-unsmoothed", False), ("full-sharded", True)):
        official = read_tensorflow(folder(variant))
        assert official.generators["genA2B"].config.smooth_rho == smooth
        assert official.remarks[1].startswith("Smoothing, as" if smooth else "No smoothing, as")
        assert read_tensorflow(folder(variant), smoothing=not smooth).generators[
            "genA2B"
        ].config.smooth_rho == (not smooth)


def test_variables_without_spectral_norm_have_the_names_of_that_option() -> None:
    options = DiscriminatorConfig(channels=2, layers=4, shared_cam=True, last_bias=True, spectral_norm=False)
    names = discriminator_variables("discriminator_A/global", Discriminator(options))
    assert "discriminator_A/global/conv_0/conv2d/kernel" in names
    assert "discriminator_A/global/CAM_logit/kernel" in names
    assert not any(name.endswith("/u") for name in names)
