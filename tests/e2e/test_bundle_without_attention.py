"""A bundle of a method without attention is served: its answers say that there is none."""

from __future__ import annotations

import io
import json
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from models.bundle.canary import smooth_picture
from models.networks.cyclegan import CycleganGenerator, CycleganGeneratorConfig
from tests.service import running_service
from training.export.bundles import prepare_bundle
from training.methods.cyclegan.translators import translator


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(4)
    folder = tmp_path_factory.mktemp("bundles")
    generator = CycleganGenerator(CycleganGeneratorConfig(channels=4, blocks=1))
    prepare_bundle("cat2dog", translator(generator, source="A", target="B", size=32)).write(folder)
    return folder


def answer(url: str, body: bytes | None = None, **headers: str) -> dict[str, Any]:
    message = urllib.request.Request(url, body, headers)
    with urllib.request.urlopen(message, timeout=60) as response:
        return dict(json.load(response))


def test_answer_has_a_translation_and_no_attention(bundles: Path) -> None:
    file = io.BytesIO()
    Image.fromarray(smooth_picture(40, 48, seed=9)).save(file, "PNG")
    with running_service(bundles) as address:
        found = answer(
            f"{address}/translate?direction=cat2dog", file.getvalue(), **{"Content-Type": "image/png"}
        )
        (direction,) = answer(f"{address}/directions")["directions"]
        with pytest.raises(urllib.error.HTTPError) as refused:
            answer(f"{address}/attention?id={found['id']}&view=raw")
        problem = json.load(refused.value)
    assert found["attention"] is None
    assert found["image"]["data"]
    assert direction["attention"] == {"generator": False, "local": False, "global": False}
    assert refused.value.code in (404, 422)
    assert "attention" in problem["detail"] or "heat map" in problem["detail"]
