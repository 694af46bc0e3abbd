"""`ugatit translate`, `verify` and `doctor`: their files, output and errors."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.engine.render_options import RenderOptions
from app.settings.settings import Settings
from app.translate_files import translate_files
from app.translate_plan import Plan, PlanError, find_jobs
from models.bundle.canary import smooth_picture
from models.bundle.directory import read_bundle, write_bundle
from models.images.legend import legend_height
from models.storage.file_entry import entry_of
from tests.animations import DURATIONS, animated, shown
from tests.cli.command import environment, ugatit
from tests.photos import encoded, photo
from tests.tiny_bundle import SIZE, write_tiny_bundle

PICTURE = smooth_picture(SIZE, SIZE, seed=4)


@pytest.fixture
def bundles(tmp_path: Path) -> Path:
    write_tiny_bundle(tmp_path / "bundles")
    return tmp_path / "bundles"


def plan(source: Path, out: Path) -> Plan:
    return Plan((source,), out, "cat2dog", "cover", RenderOptions())


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_folder_is_translated_and_unreadable_files_are_listed_at_the_end(
    tmp_path: Path, bundles: Path
) -> None:
    photos, out = tmp_path / "photos", tmp_path / "out"
    (photos / "more").mkdir(parents=True)
    (photos / "a.png").write_bytes(encoded(PICTURE))
    (photos / "more" / "b.JPG").write_bytes(photo(40, 60, form="JPEG"))
    (photos / "more" / "broken.jpg").write_bytes(photo(form="JPEG")[:200])
    (photos / "notes.txt").write_text("no picture")
    result = ugatit("translate", photos, "--direction", "cat2dog", "--out", out, "--bundles", bundles)
    assert result.returncode == 1
    assert names(out) == ["a.overlay.png", "a.png", "more/b.overlay.png", "more/b.png"]
    assert np.array_equal(np.asarray(Image.open(out / "a.png")), 255 - PICTURE)
    reports = [line for line in result.stderr.splitlines() if line.startswith("ugatit:")]
    assert len(reports) == 2
    assert "notes.txt" in reports[0]
    assert "broken.jpg" in reports[1]


def test_one_file_in_another_format_exits_0(tmp_path: Path, bundles: Path) -> None:
    (tmp_path / "me.png").write_bytes(encoded(PICTURE))
    out = tmp_path / "out"
    arguments = ("--direction", "cat2dog", "--out", out, "--format", "webp", "--bundles", bundles)
    assert ugatit("translate", tmp_path / "me.png", *arguments).returncode == 0
    assert names(out) == ["me.overlay.webp", "me.webp"]


def test_sources_are_never_overwritten(tmp_path: Path, bundles: Path) -> None:
    (tmp_path / "me.png").write_bytes(encoded(PICTURE))
    arguments = ("--direction", "cat2dog", "--out", tmp_path, "--bundles", bundles)
    result = ugatit("translate", tmp_path / "me.png", *arguments)
    assert result.returncode == 2
    assert "another folder" in result.stderr
    assert (tmp_path / "me.png").read_bytes() == encoded(PICTURE)


def test_unknown_direction_lists_the_known_ones(tmp_path: Path, bundles: Path) -> None:
    (tmp_path / "me.png").write_bytes(encoded(PICTURE))
    arguments = ("--direction", "cat2cow", "--out", tmp_path / "out", "--bundles", bundles)
    result = ugatit("translate", tmp_path / "me.png", *arguments)
    assert result.returncode == 2
    assert "choose one of: cat2dog" in result.stderr


def test_pictures_of_one_name_get_distinct_results_in_a_fixed_order(tmp_path: Path) -> None:
    for name in ("b.png", "a.jpg", "a.png", ".hidden.png", "out/old.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    jobs = find_jobs(plan(tmp_path, tmp_path / "out")).jobs
    assert [job.source.name for job in jobs] == ["a.jpg", "a.png", "b.png"]
    assert [job.translation.name for job in jobs] == ["a.jpg.png", "a.png.png", "b.png"]


@pytest.mark.parametrize("others", [["a.overlay.jpg"], ["a.png", "a.jpg.webp"]])
def test_two_pictures_with_one_result_file_are_refused(tmp_path: Path, others: list[str]) -> None:
    for name in ["a.jpg", *others]:
        (tmp_path / name).touch()
    with pytest.raises(PlanError, match="would both be"):
        find_jobs(plan(tmp_path, tmp_path / "out"))


def test_pictures_of_several_sources_get_distinct_results(tmp_path: Path) -> None:
    for name in ("one/a.jpg", "two/a.png", "two/b.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    several = (tmp_path / "one/a.jpg", tmp_path / "two", tmp_path / "two/b.png")
    jobs = find_jobs(Plan(several, tmp_path / "out", "cat2dog", "cover", RenderOptions())).jobs
    assert [job.translation.name for job in jobs] == ["a.jpg.png", "a.png.png", "b.png"]


def test_remarks_name_the_files_left_out_of_a_folder(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    (photos / ".ipynb_checkpoints").mkdir(parents=True)
    for name in ("a.jfif", "b.ppm", ".ipynb_checkpoints/a.png"):
        (photos / name).touch()
    (photos / "gone.png").symlink_to("nowhere.png")
    found = find_jobs(plan(photos, tmp_path / "out"))
    assert [job.source.name for job in found.jobs] == ["a.jfif"]
    assert found.remarks == [
        f"In {photos}: Left out 3 entries: hidden or a system file (.ipynb_checkpoints); "
        "not a picture by its suffix (b.ppm); a link without a target (gone.png)."
    ]


def test_files_with_unusual_names_are_translated(tmp_path: Path, bundles: Path) -> None:
    names_ = ["-dash.png", os.fsdecode(b"caf\xe9.png"), "[red]:smile:.png"]
    for name in names_:
        (tmp_path / name).write_bytes(encoded(PICTURE))
    (tmp_path / os.fsdecode(b"\xff.jpg")).write_bytes(b"no picture")
    options = ("--direction", "cat2dog", "--out", "out", "--bundles", bundles)
    result = ugatit("translate", *options, "--", *names_, os.fsdecode(b"\xff.jpg"), cwd=tmp_path)
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1].startswith(r"ugatit: \xff.jpg: ")
    assert {name for name in names(tmp_path / "out") if "overlay" not in name} == set(names_)


def test_file_name_parsed_as_an_option_gets_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "-photo.png").touch()
    result = ugatit("translate", "-photo.png", "--direction", "cat2dog", "--out", "out", cwd=tmp_path)
    assert result.returncode == 2
    assert result.stderr == "ugatit: No such option '-p'. Put -- before -photo.png, which is a file.\n"


def test_folder_without_pictures_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="holds no pictures"):
        find_jobs(plan(tmp_path, tmp_path / "out"))


def ignore_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def test_interruption_leaves_no_partial_file(tmp_path: Path, bundles: Path) -> None:
    photos, out = tmp_path / "photos", tmp_path / "out"
    photos.mkdir()
    data = photo(form="JPEG")
    for number in range(300):
        (photos / f"{number:03}.jpg").write_bytes(data)
    command = [sys.executable, "-m", "app", "translate", str(photos), "--direction", "cat2dog"]
    process = subprocess.Popen(
        [*command, "--out", str(out), "--bundles", str(bundles)],
        env=environment(),
        stderr=subprocess.DEVNULL,
        preexec_fn=ignore_interrupts,  # as a shell does with what it starts with &
    )
    while process.poll() is None and not out.exists():
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 130
    written = names(out)
    assert len(written) < 600
    for name in written:
        assert not name.startswith(".")
        Image.open(out / name).load()


def test_full_disk_leaves_no_partial_file(
    tmp_path: Path, bundles: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Path, target: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    (tmp_path / "me.png").write_bytes(encoded(PICTURE))
    monkeypatch.setattr(Path, "replace", full)
    full_plan = plan(tmp_path / "me.png", tmp_path / "out")
    with pytest.raises(OSError, match="No space left"):
        translate_files(full_plan, find_jobs(full_plan).jobs, Settings(bundles_dir=bundles, provider="cpu"))
    assert names(tmp_path / "out") == []


def test_heat_maps_of_several_networks_are_written_with_a_legend(tmp_path: Path, bundles: Path) -> None:
    (tmp_path / "a.png").write_bytes(encoded(PICTURE))
    options = ("--direction", "cat2dog", "--out", tmp_path / "out", "--bundles", bundles)
    maps = (
        "--network",
        "generator",
        "--network",
        "global",
        "--view",
        "heatmap",
        "--map-size",
        128,
        "--legend",
    )
    result = ugatit("translate", tmp_path / "a.png", *options, *maps)
    assert result.returncode == 0
    assert names(tmp_path / "out") == ["a.heatmap-global.png", "a.heatmap.png", "a.png"]
    with Image.open(tmp_path / "out" / "a.heatmap-global.png") as drawn:
        assert drawn.size == (128, 128 + legend_height(128))


@pytest.mark.parametrize(
    ("wanted", "sentence"),
    [
        (
            ("--part", "both", "--part", "average"),
            "has no heat map average of generator; it has both of",
        ),
        (("--network", "local"), "has no heat map both of local; it has both of"),
    ],
)
def test_heat_map_that_the_bundle_lacks_is_refused_before_anything_is_written(
    tmp_path: Path, wanted: tuple[str, ...], sentence: str
) -> None:
    write_tiny_bundle(tmp_path / "bundles", discriminators=False)
    (tmp_path / "a.png").write_bytes(encoded(PICTURE))
    options = ("--direction", "cat2dog", "--out", tmp_path / "out", "--bundles", tmp_path / "bundles")
    result = ugatit("translate", tmp_path / "a.png", *options, *wanted)
    assert result.returncode == 2
    assert sentence in result.stderr.splitlines()[-1]
    assert not (tmp_path / "out").exists()


def test_verify_refuses_a_directory_not_named_after_its_direction(bundles: Path) -> None:
    (bundles / "cat2dog").rename(bundles / "my model")
    result = ugatit("verify", bundles / "my model")
    assert result.returncode == 1
    assert "my model holds the direction cat2dog; rename the directory to that." in result.stderr
    (bundles / "my model").rename(bundles / "cat2dog")
    assert ugatit("verify", ".", cwd=bundles / "cat2dog").returncode == 0


def test_verify_prints_what_it_checked(bundles: Path) -> None:
    result = ugatit("verify", bundles / "cat2dog")
    assert result.returncode == 0
    for word in ("cat2dog", "generator.onnx", "discriminators.onnx", "card.md", "sha256", "canary"):
        assert word in result.stdout


def test_verify_says_which_parts_of_the_heat_maps_a_bundle_lacks(bundles: Path) -> None:
    result = ugatit("verify", bundles / "cat2dog")
    assert "without the parts average, maximum, classifier; export it again" in result.stdout


@pytest.mark.parametrize(
    "name", ["generator.onnx", "discriminators.onnx", "canary.npz", "card.md", "manifest.json"]
)
def test_verify_refuses_a_changed_file_in_one_line(bundles: Path, name: str) -> None:
    path = bundles / "cat2dog" / name
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    result = ugatit("verify", bundles / "cat2dog")
    assert result.returncode == 1
    assert result.stderr.startswith("ugatit: ")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("name", ["generator.onnx", "discriminators.onnx"])
def test_verify_refuses_a_model_that_cannot_be_opened_in_one_line(bundles: Path, name: str) -> None:
    good = read_bundle(bundles / "cat2dog")
    files = good.files | {name: b"\x08\x08"}  # well-formed, and no graph
    entries = {each: entry_of(data) for each, data in files.items()}
    write_bundle(bundles / "cat2dog", good.manifest.model_copy(update={"files": entries}), files)
    result = ugatit("verify", bundles / "cat2dog")
    assert result.returncode == 1
    assert "cannot be opened" in result.stderr
    assert result.stderr.count("\n") == 1


def test_doctor_refuses_a_bundle_that_would_not_be_served(bundles: Path) -> None:
    (bundles / "cat2dog").rename(bundles / "renamed")
    result = ugatit("doctor", UGATIT_BUNDLES_DIR=str(bundles))
    assert result.returncode == 1
    assert "rename the directory" in result.stdout


def test_doctor_prints_providers_bundles_and_settings(tmp_path: Path, bundles: Path) -> None:
    write_tiny_bundle(bundles, "dog2cat")
    (bundles / "dog2cat/card.md").unlink()
    (bundles / "lost+found").mkdir()
    variables = {"UGATIT_PORT": "1234", "UGATIT_STORE_URL": "redis://:hunter2@redis.example/0"}
    result = ugatit("doctor", UGATIT_BUNDLES_DIR=str(bundles), UGATIT_PROVIDER="cpu", **variables)
    assert result.returncode == 0
    assert "redis.example" in result.stdout
    assert "hunter2" not in result.stdout
    assert "provider in use: CPUExecutionProvider" in result.stdout
    assert "precision in use: float32" in result.stdout
    assert "cat2dog: good" in result.stdout
    assert "dog2cat: defunct" in result.stdout
    assert "lost+found: ignored" in result.stdout
    assert "1234" in result.stdout
    empty = ugatit("doctor", UGATIT_BUNDLES_DIR=str(tmp_path / "none"))
    assert empty.returncode == 1
    assert "none" in empty.stdout


def test_animated_file_gives_an_animated_file_of_its_own_timing(tmp_path: Path, bundles: Path) -> None:
    photos, out = tmp_path / "photos", tmp_path / "out"
    photos.mkdir()
    frames = [smooth_picture(SIZE, SIZE, seed=seed) for seed in range(3)]
    (photos / "a.gif").write_bytes(animated("image/gif", frames=frames, plays=2))
    (photos / "b.webp").write_bytes(animated("image/webp", frames=frames))
    arguments = ("--direction", "cat2dog", "--bundles", bundles)
    assert ugatit("translate", photos, "--out", out, *arguments).returncode == 0
    assert names(out) == ["a.gif", "a.overlay.png", "b.overlay.png", "b.png"]
    for name, loop in (("a.gif", 1), ("b.png", 0)):
        pictures, durations, plays = shown((out / name).read_bytes())
        assert (len(pictures), durations, plays) == (3, list(DURATIONS), loop)
        for picture, drawn in zip(pictures, frames, strict=True):
            assert np.abs(picture.astype(int) - (255 - drawn)).mean() < 16
    first = tmp_path / "first"
    assert ugatit("translate", photos, "--out", first, "--frames", "first", *arguments).returncode == 0
    assert len(shown((first / "a.gif").read_bytes())[0]) == 1
