"""What every engine does: of one machine, and the test double. tests/cluster runs them on a cluster."""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.engine.directions.direction_state import State
from app.engine.errors import (
    AttentionGone,
    DeadlineExceeded,
    Draining,
    EngineError,
    NoSuchFrame,
    UnknownDirection,
)
from app.engine.events import RunFinished
from app.engine.interface import Engine
from app.engine.local_engine import open_engine
from app.engine.planning import PhotoRequest
from app.engine.render_options import RenderOptions
from app.engine.runtime.runtime import open_runtime
from app.settings.settings import Settings
from models.bundle.canary import smooth_picture
from models.bundle.manifest import MANIFEST, version_of
from models.images.errors import BrokenPicture, PictureError
from tests.animations import animated
from tests.engine.conftest import until
from tests.fake_engine import FakeModel, fake_engine, write_fake_bundle
from tests.photos import encoded, photo, pixels_of
from tests.tiny_bundle import SIZE, pooled, write_tiny_bundle

pytestmark = pytest.mark.anyio

PICTURE = smooth_picture(SIZE, SIZE, seed=7)
Open = Callable[..., Awaitable[Engine]]


def open_local(bundles: Path, **settings: Any) -> Engine:
    write_tiny_bundle(bundles)
    chosen = Settings(bundles_dir=bundles, provider="cpu", **settings)
    return open_engine(chosen, open_runtime(chosen))


def open_fake(bundles: Path, **settings: Any) -> Engine:
    write_fake_bundle(bundles)
    return fake_engine(Settings(bundles_dir=bundles, **settings), FakeModel())


@asynccontextmanager
async def opening(make: Callable[..., Engine]) -> AsyncIterator[Open]:
    """Return a function that returns a loaded engine with given settings; close all at the end."""
    engines: list[Engine] = []

    async def loaded(**settings: Any) -> Engine:
        engine = make(**settings)
        engines.append(engine)
        engine.start()
        await engine.wait_until_loaded()
        return engine

    yield loaded
    for engine in engines:
        engine.close()
        await engine.wait_closed()


@pytest.fixture
def bundles(tmp_path: Path) -> Path:
    """Return the folder of bundles."""
    return tmp_path


@pytest.fixture(params=[open_local, open_fake], ids=["local", "fake"])
async def open_loaded(request: pytest.FixtureRequest, bundles: Path) -> AsyncIterator[Open]:
    """Return a function that returns a loaded engine of the direction cat2dog, which inverts pictures."""
    async with opening(partial(request.param, bundles)) as loaded:
        yield loaded


@pytest.fixture
async def engine(open_loaded: Open) -> Engine:
    return await open_loaded()


def version(bundles: Path) -> str:
    return version_of((bundles / "cat2dog" / MANIFEST).read_bytes())


async def test_a_picture_is_translated_with_its_heat_map_and_version(engine: Engine, bundles: Path) -> None:
    translation = await engine.translate("cat2dog", encoded(PICTURE))
    entry = translation.entry
    assert (entry.direction, entry.version, len(entry.crops)) == ("cat2dog", version(bundles), 1)
    assert np.array_equal(entry.source.pixels, PICTURE)
    assert np.array_equal(entry.translation, 255 - PICTURE)
    np.testing.assert_allclose(entry.maps["attention"], pooled(PICTURE, 8), rtol=1e-5)
    assert 0 < (translation.source_probability or 0) < 1


async def test_heat_maps_of_every_network_are_found_by_the_id(engine: Engine) -> None:
    translation = await engine.translate("cat2dog", encoded(PICTURE))
    assert translation.id is not None
    assert await engine.holds(translation.id)
    for network in ("generator", "local", "global"):
        found = await engine.attention(translation.id, network)
        assert found.declared.network == network
        assert np.isfinite(found.values).all()
        assert np.array_equal(found.entry.translation, 255 - PICTURE)


async def test_every_frame_of_an_animation_is_translated(engine: Engine) -> None:
    translation = await engine.translate("cat2dog", animated())
    assert (translation.entry.frames, len(translation.entry.crops)) == (3, 3)
    assert translation.id is not None
    later = await engine.attention(translation.id, "local", frame=2)
    assert later.entry.frames == 1
    with pytest.raises(NoSuchFrame):
        await engine.attention(translation.id, frame=3)


async def test_options_of_a_request_are_obeyed(engine: Engine) -> None:
    wide = photo(32, 64)
    cover = await engine.translate("cat2dog", wide, PhotoRequest(fit="cover"))
    contain = await engine.translate("cat2dog", wide, PhotoRequest(fit="contain"))
    assert cover.entry.source.content != contain.entry.source.content
    pasted = await engine.translate("cat2dog", wide, PhotoRequest(paste=True))
    assert pasted.entry.scene is not None
    drawn = await engine.draw(pasted, wide, RenderOptions())
    assert (drawn.width, drawn.height) == (64, 32)


async def test_drawn_pictures_show_the_translation(engine: Engine) -> None:
    data = encoded(PICTURE)
    drawn = await engine.draw(await engine.translate("cat2dog", data), data, RenderOptions("image/png"))
    assert np.array_equal(pixels_of(drawn.data), 255 - PICTURE)


async def test_pictures_translated_together_equal_those_translated_alone(engine: Engine) -> None:
    pictures = [photo(seed=seed) for seed in range(6)]
    alone = [await engine.translate("cat2dog", each) for each in pictures]
    together = await asyncio.gather(*(engine.translate("cat2dog", each) for each in pictures))
    for one, other in zip(alone, together, strict=True):
        assert np.array_equal(one.entry.translation, other.entry.translation)


async def test_an_unknown_direction_is_refused_with_the_known_ones(engine: Engine) -> None:
    with pytest.raises(UnknownDirection, match="cat2dog"):
        engine.check("cat2cow")
    with pytest.raises(UnknownDirection, match="cat2dog"):
        await engine.translate("cat2cow", photo())


async def test_an_unknown_id_is_gone(engine: Engine) -> None:
    with pytest.raises(AttentionGone):
        await engine.attention("A" * 22)
    assert not await engine.holds("A" * 22)


async def test_a_broken_picture_is_refused_and_returns_its_permit(engine: Engine) -> None:
    with pytest.raises(BrokenPicture):
        await engine.translate("cat2dog", photo(64, 64)[:200])
    (direction,) = engine.status().directions
    assert direction.permits_held == 0


async def test_a_full_queue_refuses_and_a_cancelled_picture_frees_its_place(open_loaded: Open) -> None:
    engine = await open_loaded(queue_size=1)
    waiting = asyncio.create_task(engine.translate("cat2dog", photo()))
    await until(lambda: engine.status().directions[0].permits_held == 1)
    with pytest.raises(EngineError, match="queue is full"):
        engine.check("cat2dog", "another")
    waiting.cancel()
    await asyncio.wait({waiting})
    engine.check("cat2dog", "another")
    await engine.translate("cat2dog", photo())


async def test_a_picture_that_is_not_done_in_time_is_refused(open_loaded: Open) -> None:
    engine = await open_loaded(deadline_seconds=0.001)
    with pytest.raises(DeadlineExceeded):
        await engine.translate("cat2dog", photo(400, 400))
    assert engine.status().directions[0].permits_held == 0


async def test_each_run_is_reported_once(engine: Engine) -> None:
    events: list[RunFinished] = []
    engine.subscribe(events.append)
    translation = await engine.translate("cat2dog", photo())
    assert [(event.direction, event.pictures) for event in events] == [("cat2dog", translation.batch)]


async def test_the_status_describes_the_direction(engine: Engine, bundles: Path) -> None:
    status = engine.status()
    (direction,) = status.directions
    assert (direction.name, direction.state, direction.reason) == ("cat2dog", State.READY, None)
    assert direction.bundle is not None
    assert direction.bundle.version == version(bundles)
    assert direction.execution is not None
    provider, precision = direction.execution
    assert engine.model_as_run("cat2dog") == f"{version(bundles)} {provider} {precision}"
    assert direction.discriminators
    assert (direction.queued, direction.permits_held) == (0, 0)
    assert status.store.available
    assert engine.not_ready_reason() is None


async def test_answers_can_be_sent_to_another_process(engine: Engine) -> None:
    translation = await engine.translate("cat2dog", photo(), PhotoRequest(paste=True))
    assert translation.id is not None
    found = await engine.attention(translation.id, "local")
    for answer in (translation, found, engine.status()):
        copy = pickle.loads(pickle.dumps(answer))
        assert type(copy) is type(answer)
        assert repr(copy) == repr(answer)


@pytest.mark.parametrize("kind", PictureError.__subclasses__())
async def test_errors_of_pictures_can_be_sent_to_another_process(kind: type[PictureError]) -> None:
    copy = pickle.loads(pickle.dumps(kind("The picture is broken.")))
    assert (type(copy), str(copy)) == (kind, "The picture is broken.")


async def test_draining_refuses_new_pictures_and_finishes_the_admitted(engine: Engine) -> None:
    admitted = asyncio.create_task(engine.translate("cat2dog", photo()))
    await until(lambda: engine.status().directions[0].permits_held == 1)
    engine.drain()
    with pytest.raises(Draining):
        engine.check("cat2dog")
    await engine.wait_until_drained()
    await admitted
    assert engine.draining
    assert engine.not_ready_reason() is not None


async def test_lingering_is_not_ready_but_still_translates(engine: Engine) -> None:
    engine.linger()
    assert engine.stopping
    assert not engine.draining
    assert engine.not_ready_reason() is not None
    await engine.translate("cat2dog", photo())
