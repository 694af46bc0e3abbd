"""The stages of a picture write what `ugatit translate` writes without Ray, byte for byte."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from app.engine.face_choice import FaceChoice
from app.engine.render_options import RenderOptions
from app.many import stages
from app.many.items import find_items
from app.many.stages import Decoded, Outcome, Translated, TranslateStage, Work, decode, encode
from app.settings.settings import Settings
from app.translate_files import translate_files
from app.translate_plan import Plan, find_jobs
from app.translated_maps import HeatMaps
from models.bundle.canary import smooth_picture
from models.bundle.directory import read_bundle
from tests.animations import animated
from tests.faces.scenes import scene
from tests.photos import encoded, photo
from tests.tiny_bundle import SIZE, write_tiny_bundle

ALL_MAPS = HeatMaps(networks=("generator", "local", "global"), parts=("both",))


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundles")
    write_tiny_bundle(folder)
    return folder


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photos")
    (folder / "square.png").write_bytes(encoded(smooth_picture(SIZE, SIZE, seed=4)))
    (folder / "wide.jpg").write_bytes(photo(40, 90, form="JPEG"))
    (folder / "faces.png").write_bytes(encoded(scene((200, 150), (470, 300), side=150, turned=15)))
    (folder / "moving.gif").write_bytes(animated("image/gif"))
    (folder / "broken.png").write_bytes(b"no picture")
    return folder


def translate(plan: Plan, bundles: Path) -> list[Outcome]:
    """Translate by the stages; between two stages a picture is pickled, as between processes."""
    settings = Settings(bundles_dir=bundles, provider="cpu")
    work = Work(plan, settings, read_bundle(bundles / plan.direction).manifest)
    items, _ = find_items(plan, list(map(str, plan.sources)), str(plan.out))
    decoded = [pickle.loads(pickle.dumps(decode(work, item))) for item in items]
    translator = TranslateStage(work, together=len(items))
    translated = translator.translate([each for each in decoded if isinstance(each, Decoded)])
    outcomes = [each for each in decoded if isinstance(each, Outcome)]
    for each in translated:
        assert isinstance(each, Translated)
        outcomes.append(encode(work, pickle.loads(pickle.dumps(each))))
    return outcomes


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    "face", [FaceChoice("none"), FaceChoice("auto"), FaceChoice("all")], ids=lambda face: face.mode
)
def test_stages_write_what_the_local_engine_writes(
    photos: Path, bundles: Path, tmp_path: Path, face: FaceChoice
) -> None:
    plan = Plan(
        (photos,), tmp_path / "local", "cat2dog", "cover", RenderOptions(), ALL_MAPS, face, keeps_gif=True
    )
    expected = translate_files(plan, find_jobs(plan).jobs, Settings(bundles_dir=bundles, provider="cpu"))
    outcomes = translate(plan._replace(out=tmp_path / "stages"), bundles)
    failures = [(Path(each.source), each.failure) for each in outcomes if each.failure is not None]
    assert sorted(failures) == sorted(expected)
    assert contents(tmp_path / "stages") == contents(tmp_path / "local")
    assert len(contents(tmp_path / "stages")) >= 4


def test_a_picture_that_cannot_be_read_is_a_failure_with_the_reason(bundles: Path, tmp_path: Path) -> None:
    (tmp_path / "gone.png").touch()
    plan = Plan((tmp_path / "gone.png",), tmp_path / "out", "cat2dog", "cover", RenderOptions())
    (item,) = find_items(plan, [str(tmp_path / "gone.png")], str(tmp_path / "out")).items
    (tmp_path / "gone.png").unlink()
    work = Work(plan, Settings(bundles_dir=bundles), read_bundle(bundles / "cat2dog").manifest)
    assert decode(work, item) == Outcome(item.source, "The file cannot be read: No such file or directory.")


def test_a_result_that_cannot_be_written_ends_the_run(
    photos: Path, bundles: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(place: str, data: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(stages.places, "write", full)
    plan = Plan((photos / "square.png",), tmp_path / "out", "cat2dog", "cover", RenderOptions())
    (outcome,) = translate(plan, bundles)
    assert outcome.unwritable == f"{tmp_path}/out/square.png cannot be written: No space left on device"
