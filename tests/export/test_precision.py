"""The error of lower precisions in a manifest is measured."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from models.bundle.canary import psnr_db, read_canary
from models.bundle.manifest import CANARY, GENERATOR
from models.bundle.parse import parse_manifest
from models.networks.config import GeneratorConfig
from models.networks.generator import Generator
from training.export import precision
from training.export.bundles import PreparedBundle, prepare_bundle
from training.export.parity import cpu_session, run
from training.methods.ugatit.translators import translator


@pytest.fixture(scope="module")
def prepared() -> PreparedBundle:
    torch.manual_seed(5)
    generator = Generator(GeneratorConfig(size=32, channels=8, blocks=1, light=True)).eval()
    return prepare_bundle("cat2dog", translator(generator), precisions=True)


def test_float16_is_measured_in_float16(prepared: PreparedBundle) -> None:
    """With ten bits of mantissa the error is larger than in float32, and still small."""
    canary = read_canary(prepared.files[CANARY])
    exact = run(cpu_session(prepared.files[GENERATOR]), canary["pixels"])["image"]
    measured = prepared.manifest.precisions["float16"]
    assert measured.psnr_db is not None
    assert 45 < measured.psnr_db < psnr_db(exact.astype(np.float64) - canary["image"])
    assert "float16" in measured.runtime


def test_manifest_contains_the_measured_precisions(prepared: PreparedBundle) -> None:
    assert parse_manifest(prepared.manifest.to_bytes()).precisions == prepared.manifest.precisions


def test_equal_pictures_have_no_psnr(prepared: PreparedBundle, monkeypatch: pytest.MonkeyPatch) -> None:
    canary = read_canary(prepared.files[CANARY])
    monkeypatch.setattr(precision, "run", lambda *_: {"image": canary["image"]})
    measured = precision.measure_float16(prepared.files[GENERATOR], canary)
    assert (measured.psnr_db, measured.image_max_levels) == (None, 0)


def test_precisions_are_empty_if_not_measured() -> None:
    torch.manual_seed(5)
    generator = Generator(GeneratorConfig(size=32, channels=8, blocks=1, light=True)).eval()
    assert prepare_bundle("cat2dog", translator(generator)).manifest.precisions == {}
