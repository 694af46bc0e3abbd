"""Add, change and remove bundles while pictures are translated."""

from __future__ import annotations

import asyncio
import gc
import shutil
import threading
import weakref
from pathlib import Path

import pytest

from app.engine.directions.direction import Direction
from app.engine.directions.direction_state import State
from app.engine.directions.registry import BundleDirectories, bundle_directories
from app.engine.errors import AttentionGone, DirectionDefunct, Loading, UnknownDirection
from app.engine.local_engine import LocalEngine, open_engine
from app.engine.runtime.runtime import open_runtime
from app.settings.settings import Settings
from models.bundle.canary import smooth_picture
from tests.engine.conftest import MakeEngine, entered, until
from tests.fake_engine import FakeModel, FakeSession, fake_engine, write_fake_bundle
from tests.photos import encoded, photo
from tests.tiny_bundle import SIZE, version, write_tiny_bundle

pytestmark = pytest.mark.anyio

PICTURE = encoded(smooth_picture(SIZE, SIZE, seed=7))


@pytest.fixture
def bundles(tmp_path: Path) -> Path:
    return tmp_path / "bundles"


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Treat a missing directory as removed at once."""
    monkeypatch.setattr("app.engine.directions.registry._REPLACE_SECONDS", 0)


def only(engine: LocalEngine) -> Direction:
    (direction,) = engine.registry
    return direction


def threads_of(direction: str) -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name.startswith(direction)}


def served(engine: LocalEngine) -> str:
    return engine.registry["cat2dog"].require_ready().version


async def test_no_picture_is_rejected_while_versions_are_replaced(tmp_path: Path) -> None:
    versions = [version(write_tiny_bundle(tmp_path, words=f"Version {n}.")) for n in range(13)]
    write_tiny_bundle(tmp_path, words="Version 0.")
    settings = Settings(bundles_dir=tmp_path, provider="cpu", reload="poll", reload_poll_seconds=0.1)
    engine = open_engine(settings, open_runtime(settings))
    others = set(threading.enumerate())
    engine.start()
    await engine.wait_until_loaded()
    answered: list[str] = []
    over = False

    async def ask() -> None:
        while not over:
            translation = await engine.translate("cat2dog", PICTURE)
            answered.append(translation.entry.version)

    async with asyncio.TaskGroup() as group:
        for _ in range(4):
            group.create_task(ask())
        for n, expected in enumerate(versions[1:], 1):
            await asyncio.to_thread(write_tiny_bundle, tmp_path, words=f"Version {n}.")
            await until(lambda expected=expected: served(engine) == expected)
        over = True
    assert set(answered) <= set(versions)
    assert len(set(answered)) > len(versions) // 2
    assert only(engine).state is State.READY
    assert only(engine).admission.held == 0
    await until(lambda: len(threads_of("cat2dog") - others) == 1)  # the newest generator's
    engine.close()


async def test_a_picture_is_finished_by_the_version_that_started_it(
    make_engine: MakeEngine, model: FakeModel, bundles: Path
) -> None:
    engine = await make_engine()
    before = served(engine)
    (fresh := FakeModel()).release()
    only(engine)._open_models = [fresh.open]
    model.hold()
    task = asyncio.create_task(engine.translate("cat2dog", photo()))
    await entered(model)
    write_fake_bundle(bundles, card=b"Another")
    await engine.registry.reload()
    assert served(engine) != before
    assert (await engine.translate("cat2dog", photo())).entry.version == served(engine)
    model.release()
    assert (await task).entry.version == before


async def test_an_old_version_is_released_after_its_last_picture(bundles: Path) -> None:
    models: list[FakeModel] = []
    opened: list[weakref.ref[FakeSession]] = []

    def open_another(data: bytes) -> FakeSession:
        models.append(FakeModel())
        network = models[-1].open(data)
        opened.append(weakref.ref(network))
        return network

    write_fake_bundle(bundles)
    engine = LocalEngine(Settings(bundles_dir=bundles), [open_another], batch_sizes=[1])
    engine.start()
    await engine.wait_until_loaded()
    models[0].hold()
    task = asyncio.create_task(engine.translate("cat2dog", photo()))
    await until(lambda: len(models[0].batches) == 3)  # the canary, the warm-up, the picture
    write_fake_bundle(bundles, card=b"Another")
    await engine.registry.reload()
    gc.collect()
    assert [network() is not None for network in opened] == [True, True]
    models[0].release()
    await task
    await until(lambda: gc.collect() >= 0 and opened[0]() is None)
    assert opened[1]() is not None
    engine.close()


async def test_a_rejected_bundle_leaves_the_old_version_serving_with_a_reason(
    make_engine: MakeEngine, bundles: Path
) -> None:
    engine = await make_engine()
    before = served(engine)
    path = write_fake_bundle(bundles, card=b"Another")
    (path / "card.md").write_bytes(b"Torn")
    await engine.registry.reload()
    assert only(engine).state is State.DEGRADED
    assert "card.md" in str(only(engine).reason)
    assert before in str(only(engine).reason)
    assert engine.not_ready_reason() is None
    assert (await engine.translate("cat2dog", photo())).entry.version == before
    write_fake_bundle(bundles, card=b"Another")
    await engine.registry.reload()
    assert only(engine).state is State.READY
    assert only(engine).reason is None
    assert served(engine) != before


async def test_a_new_version_that_fails_its_canary_never_serves(tmp_path: Path) -> None:
    before = version(write_tiny_bundle(tmp_path))
    settings = Settings(bundles_dir=tmp_path, provider="cpu")
    engine = open_engine(settings, open_runtime(settings))
    engine.start()
    await engine.wait_until_loaded()
    write_tiny_bundle(tmp_path, canary_off_by=2)
    await engine.registry.reload()
    assert "canary" in str(only(engine).reason)
    assert served(engine) == before
    write_tiny_bundle(tmp_path)
    await engine.registry.reload()
    assert only(engine).state is State.READY
    engine.close()


async def test_the_same_bundle_copied_again_is_verified_but_not_loaded_twice(
    make_engine: MakeEngine, model: FakeModel, bundles: Path
) -> None:
    engine = await make_engine()
    opened = model.opened
    write_fake_bundle(bundles)
    await engine.registry.reload(retry=True)
    assert (model.opened, only(engine).state) == (opened, State.READY)
    (bundles / "cat2dog" / "discriminators.onnx").write_bytes(b"rot")
    await engine.registry.reload()
    assert "discriminators.onnx" in str(only(engine).reason)
    await engine.translate("cat2dog", photo())


async def test_a_new_direction_loads_while_the_service_stays_ready(
    make_engine: MakeEngine, model: FakeModel, bundles: Path
) -> None:
    engine = await make_engine(preferred_direction="ant2bee")
    write_fake_bundle(bundles, "ant2bee")
    model.hold()
    reloading = asyncio.create_task(engine.registry.reload())
    await entered(model)
    assert [direction.name for direction in engine.registry] == ["ant2bee", "cat2dog"]
    assert engine.registry["ant2bee"].state is State.STARTING
    assert engine.not_ready_reason() is None
    with pytest.raises(Loading):
        await engine.translate("ant2bee", photo())
    model.release()
    await reloading
    await engine.translate("ant2bee", photo())


@pytest.mark.usefixtures("at_once")
async def test_a_removed_direction_finishes_its_pictures_and_is_no_longer_offered(
    make_engine: MakeEngine, model: FakeModel, bundles: Path
) -> None:
    engine = await make_engine()
    translation = await engine.translate("cat2dog", photo())
    await entered(model)
    model.hold()
    task = asyncio.create_task(engine.translate("cat2dog", photo()))
    await entered(model)
    shutil.rmtree(bundles / "cat2dog")
    await engine.registry.reload()
    assert list(engine.registry) == []
    with pytest.raises(UnknownDirection):
        await engine.translate("cat2dog", photo())
    with pytest.raises(AttentionGone):
        await engine.attention(translation.id, "local")
    await engine.attention(translation.id, "generator")
    model.release()
    await task


@pytest.mark.usefixtures("at_once")
async def test_a_directory_that_is_missing_for_a_moment_is_kept(
    make_engine: MakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = await make_engine()
    looks: list[list[Path]] = [[]]

    def blink(bundles_dir: Path, *, required: bool) -> BundleDirectories:
        return (
            BundleDirectories(looks.pop(), [])
            if looks
            else bundle_directories(bundles_dir, required=required)
        )

    monkeypatch.setattr("app.engine.directions.registry.bundle_directories", blink)
    await engine.registry.reload()
    assert looks == []
    await engine.translate("cat2dog", photo())


async def test_an_unreadable_bundles_directory_keeps_all_directions(
    make_engine: MakeEngine, bundles: Path
) -> None:
    engine = await make_engine()
    bundles.rename(bundles.with_name("away"))  # noqa: ASYNC240
    await engine.registry.reload()
    await engine.translate("cat2dog", photo())


async def test_a_replaced_version_keeps_only_the_generator_map(
    make_engine: MakeEngine, bundles: Path
) -> None:
    engine = await make_engine()
    translation = await engine.translate("cat2dog", photo())
    write_fake_bundle(bundles, card=b"Another")
    await engine.registry.reload()
    await engine.attention(translation.id, "generator")
    with pytest.raises(AttentionGone):
        await engine.attention(translation.id, "local")


async def test_a_defunct_direction_is_loaded_again_on_request_or_when_its_bundle_changes(
    make_engine: MakeEngine, model: FakeModel, bundles: Path
) -> None:
    engine = await make_engine()
    for again in (True, False):
        model.failures = 9
        with pytest.raises(DirectionDefunct):
            await engine.translate("cat2dog", photo())
        model.failures = 0
        await engine.registry.reload()
        assert only(engine).state is State.DEFUNCT
        if not again:
            write_fake_bundle(bundles, card=b"Another")
        await engine.registry.reload(retry=again)
        assert only(engine).state is State.READY
        await engine.translate("cat2dog", photo())


async def test_a_request_during_a_reload_causes_another_reload(
    make_engine: MakeEngine, model: FakeModel, bundles: Path
) -> None:
    engine = await make_engine()
    write_fake_bundle(bundles, card=b"Second")
    model.hold()
    engine.reload()
    await entered(model)
    write_fake_bundle(bundles, card=b"Third")
    engine.reload()
    engine.reload()
    model.release()
    await until(lambda: only(engine).bundle is not None and only(engine).bundle.card == "Third")


async def test_a_draining_service_does_not_reload(
    make_engine: MakeEngine, model: FakeModel, bundles: Path
) -> None:
    engine = await make_engine()
    engine.drain()
    write_fake_bundle(bundles, "dog2cat")
    engine.reload()
    await asyncio.sleep(0)
    assert not engine._watcher._requested.is_set()


async def test_a_bundle_that_hangs_while_opening_does_not_block_other_reloads(
    make_engine: MakeEngine, model: FakeModel, bundles: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.engine.directions.registry._LOAD_ALONE_SECONDS", 1)
    engine = await make_engine(load_seconds=30)
    write_fake_bundle(bundles, "ant2bee")
    write_fake_bundle(bundles, "dog2cat")
    model.opening_hangs = 1
    reloading = asyncio.create_task(engine.registry.reload())
    await until(lambda: "dog2cat" in {d.name for d in engine.registry if d.state is State.READY})
    await engine.translate("cat2dog", photo())
    assert engine.registry["ant2bee"].state is State.STARTING
    model.stop_hanging()
    await reloading
    assert engine.registry["ant2bee"].state is State.READY


async def test_polling_loads_a_bundle_that_was_written_in_place_once_it_is_complete(
    model: FakeModel, bundles: Path
) -> None:
    settings = Settings(bundles_dir=bundles, reload="poll", reload_poll_seconds=0.1)
    engine = fake_engine(settings, model)
    engine.start()
    await engine.wait_until_loaded()
    fresh = write_fake_bundle(bundles.with_name("elsewhere"), card=b"Another")
    for name in ("manifest.json", "card.md"):
        shutil.copy(fresh / name, bundles / "cat2dog" / name)
        if name == "manifest.json":
            await until(lambda: only(engine).state is State.DEGRADED)
    await until(lambda: only(engine).state is State.READY)
    assert served(engine) == version(fresh)
    engine.close()
