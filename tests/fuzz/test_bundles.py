"""Damaged bundles are refused before onnxruntime gets any byte of them."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import numpy as np
import pytest

from app.settings.settings import Settings
from models.bundle.manifest import GENERATOR, MANIFEST
from tests.fake_engine import FakeModel, fake_engine
from tests.fuzz.amounts import amount
from tests.fuzz.mutants import damage
from tests.tiny_bundle import write_tiny_bundle


class Watched(FakeModel):
    """Records the models that a runtime opens."""

    def __init__(self) -> None:
        super().__init__()
        self.given: list[bytes] = []

    def open(self, model: bytes) -> FakeModel:
        self.given.append(model)
        return super().open(model)


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, "ugatit.engine")


def test_damaged_bundle_is_refused_before_onnxruntime_gets_it(tmp_path: Path) -> None:
    bundle = write_tiny_bundle(tmp_path / "bundles")
    whole = {path.name: path.read_bytes() for path in bundle.iterdir()}
    assert load(bundle) == [whole[GENERATOR]]
    first, count = amount("SEED", 0), amount("BUNDLE_MUTANTS", 300)
    harmless = 0
    for seed in range(first, first + count):
        name = damage_one_file(bundle, whole, seed)
        given = load(bundle)
        if name == MANIFEST and given == [whole[GENERATOR]]:
            harmless += 1  # a word of the licence, say: what runs is still what was exported
        else:
            assert given == [], f"seed {seed}: {name} was damaged, and yet a model was opened"
        (bundle / name).write_bytes(whole[name])
    assert load(bundle) == [whole[GENERATOR]]
    print(f"{count:,} damaged bundles from seed {first}, {harmless} of them in words alone")
    assert harmless < count / 4


def damage_one_file(bundle: Path, whole: dict[str, bytes], seed: int) -> str:
    """Damage one file, and return its name."""
    random = np.random.default_rng(seed)
    name = sorted(whole)[random.integers(len(whole))]
    damaged = whole[name]
    while damaged == whole[name]:
        damaged = damage(damaged, random)
    (bundle / name).write_bytes(damaged)
    return name


def load(bundle: Path) -> list[bytes]:
    """Return the models that the runtime opens while the service loads its bundles."""
    model = Watched()
    asyncio.run(_load(fake_engine(Settings(bundles_dir=bundle.parent), model)))
    return model.given


async def _load(engine) -> None:  # type: ignore[no-untyped-def]
    engine.start()
    await engine.wait_until_loaded()
    engine.close()
