"""`ugatit translate` of folders: finished pictures are skipped, and a gallery shows all of them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from app.engine.render_options import RenderOptions
from app.settings.settings import Settings
from app.translate_files import translate_files
from app.translate_plan import Plan, Remarkable, find_jobs
from models.bundle.canary import smooth_picture
from tests.animations import animated
from tests.cli.command import ugatit
from tests.photos import encoded
from tests.tiny_bundle import SIZE, write_tiny_bundle


@pytest.fixture
def bundles(tmp_path: Path) -> Path:
    write_tiny_bundle(tmp_path / "bundles")
    return tmp_path / "bundles"


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(4):
        (folder / f"{number}.png").write_bytes(encoded(smooth_picture(SIZE, SIZE, seed=number)))
    return folder


def run(photos: Path, bundles: Path, *, force: bool = False) -> list[str]:
    """Return the names of the pictures that were not translated again."""
    out = photos.parent / "out"
    plan = Plan((photos,), out, "cat2dog", "cover", RenderOptions(), force=force)
    remarkable = Remarkable([], [])
    failures = translate_files(plan, find_jobs(plan).jobs, Settings(bundles_dir=bundles), remarkable)
    assert failures == []
    assert sorted(path.name for path in out.glob("?.png")) == ["0.png", "1.png", "2.png", "3.png"]
    return sorted(path.name for path in remarkable.finished)


def test_finished_pictures_are_skipped_and_the_others_are_translated(photos: Path, bundles: Path) -> None:
    assert run(photos, bundles) == []
    out = photos.parent / "out"
    (out / "1.png").unlink()
    (out / "2.overlay.png").unlink()
    later = (out / "3.png").stat().st_mtime_ns + 10**9
    os.utime(photos / "3.png", ns=(later, later))
    assert run(photos, bundles) == ["0.png"]
    assert run(photos, bundles, force=True) == []


def test_new_bundle_translates_finished_pictures_again(photos: Path, bundles: Path) -> None:
    run(photos, bundles)
    assert len(run(photos, bundles)) == 4
    manifest = bundles / "cat2dog" / "manifest.json"
    later = (photos.parent / "out" / "3.png").stat().st_mtime_ns + 10**9
    os.utime(manifest, ns=(later, later))
    assert run(photos, bundles) == []


def test_gallery_shows_all_pictures_also_skipped_ones_and_the_failures(photos: Path, bundles: Path) -> None:
    (photos / "a <b>.gif").write_bytes(animated())
    (photos / "broken.png").write_bytes(encoded(smooth_picture(SIZE, SIZE, seed=9))[:100])
    page = photos.parent / "pages" / "gallery.html"
    arguments = ("translate", photos, "--out", photos.parent / "out", "--direction", "cat2dog")
    for _ in range(2):
        result = ugatit(*arguments, "--bundles", bundles, "--gallery", page)
        assert result.returncode == 1
    assert "5 pictures were not translated again" in result.stderr
    assert "--force" in result.stderr
    forced = ugatit(*arguments, "--bundles", bundles, "--gallery", page, "--force")
    assert "not translated again" not in forced.stderr
    html = page.read_text()
    assert html.count('class="card"') == 5
    assert html.count("data:image/webp;base64,") == 15
    assert "a &lt;b&gt;.gif" in html
    assert "broken.png: This PNG picture is damaged" in html
    assert "<b>" not in html
    assert [path.name for path in page.parent.iterdir()] == ["gallery.html"]


def test_gallery_that_is_no_page_is_refused(photos: Path, bundles: Path) -> None:
    picture = photos / "0.png"
    before = picture.read_bytes()
    arguments = ("translate", photos, "--out", photos.parent / "out", "--direction", "cat2dog")
    result = ugatit(*arguments, "--bundles", bundles, "--gallery", picture)
    assert result.returncode == 2
    assert "must be the name of an .html file" in result.stderr
    assert picture.read_bytes() == before
