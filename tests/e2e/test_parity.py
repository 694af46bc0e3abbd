"""Test parity from end to end: an imported checkpoint, served, gives what torch computes."""

from __future__ import annotations

import base64
import io
import json
import urllib.request
from pathlib import Path
from typing import Any

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


def request(url: str, body: bytes | None = None, **headers: str) -> dict[str, Any]:
    """Return the JSON answer to a request."""
    message = urllib.request.Request(url, body, headers)
    with urllib.request.urlopen(message, timeout=60) as response:
        answer: dict[str, Any] = json.load(response)
    return answer


def decoded(picture: dict[str, Any]) -> NDArray[np.int64]:
    """Return the pixels of a picture in a JSON answer."""
    with Image.open(io.BytesIO(base64.b64decode(picture["data"]))) as opened:
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

    with running_service(tmp_path) as address:
        answer = request(
            f"{address}/translate?direction=cat2dog", file.getvalue(), **{"Content-Type": "image/png"}
        )
        href = f"{address}{answer['attention']['href']}&view=raw"
        maps = {part: request(f"{href}&part={part}")["values"] for part in PARTS}

    assert np.abs(decoded(answer["image"]) - expected["image"]).max() <= 1
    expected_overlay = overlay(picture, normalize(expected["attention"]), colormap="jet", alpha=0.5)
    assert np.abs(decoded(answer["attention"]["overlay"]) - expected_overlay.astype(int)).max() <= 1
    for part, values in maps.items():
        assert relative_difference(np.asarray(values), expected[map_name("generator", part)]) < 1e-4
    probability = (1 / (1 + np.exp(-expected["cam_logit"]))).mean()
    assert answer["attention"]["source_probability"] == pytest.approx(probability, abs=1e-5)
