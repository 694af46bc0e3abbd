"""Test parity from end to end: an imported checkpoint, served, gives what torch computes."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from models.bundle.canary import relative_difference, smooth_picture
from models.bundle.declarations import PARTS, map_name
from models.images.heatmap import normalize, overlay
from tests.golden.reading import checkpoint
from tests.service import running_service
from training.export.bundles import prepare_bundle
from training.export.parity import expected_outputs
from training.importers.pytorch import read_official
from training.methods.ugatit.translators import translator
from ugatit_client import Client, Picture


def decoded(picture: Picture) -> NDArray[np.int64]:
    """Return the pixels of a picture in an answer."""
    with Image.open(io.BytesIO(picture.data)) as opened:
        return np.asarray(opened).astype(int)


@pytest.mark.parametrize("variant", ["light", "full"])
def test_client_gets_what_torch_computes(tmp_path: Path, variant: str) -> None:
    generator = read_official(checkpoint(variant), size=128).generators["genA2B"]
    prepare_bundle("cat2dog", translator(generator)).write(tmp_path)
    picture = smooth_picture(128, 128, seed=9)
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG")
    exact = translator(generator).in_float64()
    found = expected_outputs(exact, {"pixels": picture[None]})
    expected = {name: array[0] for name, array in found.items()}

    with running_service(tmp_path) as address, Client(address) as client:
        answer = client.translate(file.getvalue(), "cat2dog")
        maps = {part: client.attention_values(answer, part=part).values for part in PARTS}

    assert answer.attention is not None
    assert np.abs(decoded(answer.image) - expected["image"]).max() <= 1
    expected_overlay = overlay(picture, normalize(expected["attention"]), colormap="jet", alpha=0.5)
    assert np.abs(decoded(answer.attention.overlay) - expected_overlay.astype(int)).max() <= 1
    for part, values in maps.items():
        assert relative_difference(np.asarray(values), expected[map_name("generator", part)]) < 1e-4
    probability = (1 / (1 + np.exp(-expected["cam_logit"]))).mean()
    assert answer.attention.source_probability == pytest.approx(probability, abs=1e-5)
