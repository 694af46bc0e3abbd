"""Load a directory of bundles: valid ones serve, the others report a reason."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from app.engine.directions.direction_state import State
from app.engine.errors import DirectionDefunct, Loading
from app.engine.local_engine import LocalEngine, open_engine
from app.engine.runtime.runtime import open_runtime
from app.settings.settings import Settings
from tests.engine.conftest import entered
from tests.fake_engine import FakeModel, fake_engine
from tests.photos import photo
from tests.tiny_bundle import write_tiny_bundle

pytestmark = pytest.mark.anyio


async def load(bundles: Path) -> LocalEngine:
    settings = Settings(bundles_dir=bundles, provider="cpu")
    engine = open_engine(settings, open_runtime(settings))
    engine.start()
    await engine.wait_until_loaded()
    return engine


async def test_one_invalid_bundle_does_not_stop_the_others(tmp_path: Path) -> None:
    write_tiny_bundle(tmp_path)
    bad = write_tiny_bundle(tmp_path, "dog2cat") / "generator.onnx"
    bad.write_bytes(bad.read_bytes()[:-1] + b"\x00")
    engine = await load(tmp_path)
    assert {direction.name: direction.state for direction in engine.registry} == {
        "cat2dog": State.READY,
        "dog2cat": State.DEFUNCT,
    }
    assert engine.not_ready_reason() is None
    await engine.translate("cat2dog", photo())
    with pytest.raises(DirectionDefunct):
        await engine.translate("dog2cat", photo())
    engine.close()


async def test_a_directory_that_is_not_a_bundle_is_ignored_with_one_log_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_tiny_bundle(tmp_path)
    (tmp_path / "lost+found").mkdir(mode=0)
    (tmp_path / "@eaDir/thumbs").mkdir(parents=True)
    (tmp_path / os.fsdecode(b"caf\xe9")).mkdir()
    with caplog.at_level("INFO"):
        engine = await load(tmp_path)
        await engine.registry.reload()
    assert [direction.name for direction in engine.registry] == ["cat2dog"]
    assert engine.not_ready_reason() is None
    ignored = [record.getMessage() for record in caplog.records if "is ignored" in record.getMessage()]
    assert [line.partition(" is ignored")[0] for line in sorted(ignored)] == [
        f"{tmp_path}/@eaDir",
        rf"{tmp_path}/caf\xe9",
        f"{tmp_path}/lost+found",
    ]
    engine.close()


async def test_a_direction_without_its_manifest_still_serves(tmp_path: Path) -> None:
    write_tiny_bundle(tmp_path)
    engine = await load(tmp_path)
    (tmp_path / "cat2dog/manifest.json").unlink()
    await engine.registry.reload()
    assert engine.registry["cat2dog"].state is State.DEGRADED
    await engine.translate("cat2dog", photo())
    engine.close()


async def test_a_directory_name_that_is_not_utf8_is_shown_escaped(tmp_path: Path) -> None:
    write_tiny_bundle(tmp_path).rename(tmp_path / os.fsdecode(b"caf\xe9"))
    engine = await load(tmp_path)
    (direction,) = engine.registry
    assert direction.name == r"caf\xe9"
    assert direction.reason is not None
    assert direction.reason.startswith(r"caf\xe9 holds the direction cat2dog; rename the directory to that.")
    engine.close()


async def test_a_model_whose_outputs_differ_from_its_canary_is_not_served(tmp_path: Path) -> None:
    write_tiny_bundle(tmp_path, canary_off_by=2)
    engine = await load(tmp_path)
    direction = engine.registry["cat2dog"]
    assert direction.state is State.DEFUNCT
    assert direction.reason is not None
    assert "canary" in direction.reason
    assert engine.not_ready_reason() is not None
    engine.close()


async def test_one_level_off_is_within_the_canarys_tolerance(tmp_path: Path) -> None:
    write_tiny_bundle(tmp_path, canary_off_by=1)
    engine = await load(tmp_path)
    assert engine.registry["cat2dog"].state is State.READY
    engine.close()


async def test_a_misnamed_bundle_directory_is_defunct_with_the_remedy(tmp_path: Path) -> None:
    write_tiny_bundle(tmp_path).rename(tmp_path / "cats")
    engine = await load(tmp_path)
    reason = engine.registry["cats"].reason
    assert reason is not None
    assert "rename" in reason
    engine.close()


async def test_half_written_bundles_and_plain_files_are_ignored(tmp_path: Path) -> None:
    write_tiny_bundle(tmp_path).rename(tmp_path / ".cat2dog.x1")
    (tmp_path / "README.md").write_text("Bundles live here.")
    engine = await load(tmp_path)
    assert list(engine.registry) == []
    reason = engine.not_ready_reason()
    assert reason is not None
    assert "UGATIT_BUNDLES_DIR" in reason
    assert str(tmp_path) not in reason
    engine.close()


async def test_a_reason_hides_folders_that_the_log_shows(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    bundles = tmp_path / "my bundles"
    write_tiny_bundle(bundles).rename(bundles / "cats")
    (write_tiny_bundle(bundles, "ant2bee") / "stranger").touch()
    (write_tiny_bundle(bundles, "bee2ant") / "generator.onnx").unlink()
    engine = await load(bundles)
    for direction in engine.registry:
        assert direction.state is State.DEFUNCT
        assert "/" not in str(direction.reason)
    assert "cats holds the direction cat2dog" in str(engine.registry["cats"].reason)
    assert f"{bundles}/cats" in caplog.text
    engine.close()


async def test_a_loading_direction_rejects_pictures_with_a_retry_time(
    model: FakeModel, tmp_path: Path
) -> None:
    engine = fake_engine(Settings(bundles_dir=tmp_path / "bundles"), model)
    model.hold()
    engine.start()
    await entered(model)
    with pytest.raises(Loading) as caught:
        await engine.translate("cat2dog", photo())
    assert caught.value.retry_after_seconds >= 1
    reason = engine.not_ready_reason()
    assert reason is not None
    assert "1 of 1" in reason
    model.release()
    await engine.wait_until_loaded()
    assert engine.not_ready_reason() is None
    engine.close()


async def test_every_shape_is_warm_before_the_direction_is_ready(model: FakeModel, tmp_path: Path) -> None:
    engine = fake_engine(Settings(bundles_dir=tmp_path / "bundles"), model, batch_sizes=[1, 2, 4])
    engine.start()
    await engine.wait_until_loaded()
    assert model.batches == [1, 1, 2, 4]  # the canary, then each shape
    engine.close()


async def test_the_preferred_direction_comes_first_then_the_alphabet(tmp_path: Path) -> None:
    for name in ("cat2dog", "ant2bee", "dog2cat"):
        write_tiny_bundle(tmp_path, name)
    settings = Settings(bundles_dir=tmp_path, provider="cpu", preferred_direction="dog2cat")
    engine = open_engine(settings, open_runtime(settings))
    assert [direction.name for direction in engine.registry] == ["dog2cat", "ant2bee", "cat2dog"]
    engine.close()
