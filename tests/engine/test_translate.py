"""Translations and heat maps of a real model in onnxruntime."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest

from app.engine.errors import AttentionGone, NoSuchNetwork, UnknownDirection
from app.engine.events import RunFinished
from app.engine.local_engine import LocalEngine, open_engine
from app.engine.runtime.runtime import open_runtime
from app.settings.settings import Settings
from models.bundle.canary import smooth_picture
from tests.photos import encoded, photo
from tests.tiny_bundle import SIZE, logits, pooled, version, write_tiny_bundle

pytestmark = pytest.mark.anyio

PICTURE = smooth_picture(SIZE, SIZE, seed=7)


async def real_engine(bundles: Path, **settings: object) -> LocalEngine:
    chosen = Settings(bundles_dir=bundles, provider="cpu", **settings)
    engine = open_engine(chosen, open_runtime(chosen))
    engine.start()
    await engine.wait_until_loaded()
    return engine


async def test_a_picture_of_the_networks_size_is_translated_exactly(tmp_path: Path) -> None:
    path = write_tiny_bundle(tmp_path)
    engine = await real_engine(tmp_path)
    translation = await engine.translate("cat2dog", encoded(PICTURE))
    attention = pooled(PICTURE, 8)
    assert np.array_equal(translation.entry.translation, 255 - PICTURE)
    np.testing.assert_allclose(translation.entry.maps["attention"], attention, rtol=1e-5)
    expected = float(np.mean(1 / (1 + np.exp(-logits(attention)))))
    assert translation.source_probability == pytest.approx(expected, rel=1e-5)
    assert translation.entry.version == version(path)
    engine.close()


async def test_the_discriminators_judge_the_translation_not_the_source(tmp_path: Path) -> None:
    write_tiny_bundle(tmp_path)
    engine = await real_engine(tmp_path)
    translation = await engine.translate("cat2dog", encoded(PICTURE))
    for network, block in (("local", 4), ("global", 16)):
        found = await engine.attention(translation.id, network)
        np.testing.assert_allclose(found.values, pooled(255 - PICTURE, block), rtol=1e-5)
    engine.close()


async def test_a_model_without_attention_translates_but_has_no_heat_maps(tmp_path: Path) -> None:
    write_tiny_bundle(tmp_path, attention=False, discriminators=False)
    engine = await real_engine(tmp_path)
    translation = await engine.translate("cat2dog", encoded(PICTURE))
    assert translation.source_probability is None
    for network in ("generator", "local"):
        with pytest.raises(NoSuchNetwork, match=f"no {network} heat map"):
            await engine.attention(translation.id, network)
    engine.close()


async def test_an_unknown_direction_is_rejected_with_the_known_ones(tmp_path: Path) -> None:
    write_tiny_bundle(tmp_path)
    write_tiny_bundle(tmp_path, "dog2cat")
    engine = await real_engine(tmp_path)
    with pytest.raises(UnknownDirection, match="choose one of: cat2dog, dog2cat"):
        await engine.translate("cat2cow", photo())
    engine.close()


async def test_unknown_ids_raise_attention_gone(tmp_path: Path) -> None:
    write_tiny_bundle(tmp_path)
    engine = await real_engine(tmp_path)
    for id_ in ("", "x", "A" * 22, "é" * 30):
        with pytest.raises(AttentionGone):
            await engine.attention(id_)
    engine.close()


async def test_batched_translations_equal_single_ones(tmp_path: Path) -> None:
    write_tiny_bundle(tmp_path)
    pictures = [smooth_picture(SIZE, SIZE, seed=seed) for seed in range(6)]
    engine = await real_engine(tmp_path, max_batch=4, batch_wait_ms=50)
    together = await asyncio.gather(*(engine.translate("cat2dog", encoded(picture)) for picture in pictures))
    for picture, translation in zip(pictures, together, strict=True):
        alone = await engine.translate("cat2dog", encoded(picture))
        assert np.array_equal(translation.entry.translation, 255 - picture)
        assert np.array_equal(translation.entry.maps["attention"], alone.entry.maps["attention"])
        assert translation.source_probability == alone.source_probability
    engine.close()


async def test_every_run_is_published_to_the_subscribers(tmp_path: Path) -> None:
    write_tiny_bundle(tmp_path)
    engine = await real_engine(tmp_path)
    events: list[RunFinished] = []
    engine.subscribe(events.append)
    for _ in range(2):
        await engine.translate("cat2dog", encoded(PICTURE))
    assert [(event.direction, event.pictures) for event in events] == [("cat2dog", 1)] * 2
    assert all(event.seconds > 0 for event in events)
    engine.close()
