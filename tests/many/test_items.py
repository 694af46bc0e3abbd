"""Pictures at URLs, the names of their results, and what an earlier run has finished.

fsspec's `local://` stands for an object store: it is a URL, and every process sees it.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from app.engine.render_options import RenderOptions
from app.many import places
from app.many.items import Item, find_items, sort_items
from app.translate_plan import Plan, PlanError
from models.bundle.directory import read_bundle
from tests.tiny_bundle import write_tiny_bundle

PLAN = Plan((), Path(), "cat2dog", "cover", RenderOptions())


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    for name in ("a.png", "more/b.JPG", "more/b.png", "notes.txt", ".hidden.png"):
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"picture")
    return tmp_path / "photos"


def results(items: list[Item], source: str, out: str) -> dict[str, list[str]]:
    return {
        each.source.removeprefix(f"{source}/"): [place.removeprefix(f"{out}/") for place in each.results]
        for each in items
    }


@pytest.mark.parametrize("scheme", ["", "local://"])
@pytest.mark.parametrize("out_scheme", ["", "local://"])
def test_paths_and_urls_give_the_same_names(
    photos: Path, tmp_path: Path, scheme: str, out_scheme: str
) -> None:
    source, out = f"{scheme}{photos}", f"{out_scheme}{tmp_path}/out"
    items, (remark,) = find_items(PLAN, [source], out)
    assert results(items, source, out) == {
        "a.png": ["a.png", "a.overlay.png"],
        "more/b.JPG": ["more/b.JPG.png", "more/b.JPG.overlay.png"],
        "more/b.png": ["more/b.png.png", "more/b.png.overlay.png"],
    }
    assert "Left out 2 entries" in remark
    assert "not a picture by its suffix (notes.txt)" in remark


def test_one_picture_at_a_url_has_its_own_name(photos: Path) -> None:
    items, remarks = find_items(PLAN, [f"local://{photos}/a.png"], "memory://out")
    assert [(item.source, item.translation) for item in items] == [
        (f"local://{photos}/a.png", "memory://out/a.png")
    ]
    assert remarks == []


def test_results_below_the_source_are_no_sources(photos: Path) -> None:
    source, out = f"local://{photos}", f"local://{photos}/more"
    items, _ = find_items(PLAN, [source], out)
    assert [item.source for item in items] == [f"{source}/a.png"]


def test_results_are_not_written_over_sources(photos: Path) -> None:
    source = f"local://{photos}"
    with pytest.raises(PlanError, match=r"a\.png is one of the pictures to translate; choose another place"):
        find_items(PLAN, [source], source)


def test_two_pictures_with_one_result_are_refused(photos: Path, tmp_path: Path) -> None:
    sources = [f"local://{photos}/a.png", str(photos / "a.png")]
    with pytest.raises(PlanError, match="would both be"):
        find_items(PLAN, sources, f"local://{tmp_path}/out")


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("memory://nothing-here", "memory://nothing-here holds no pictures; give the prefix"),
        ("nothing://bucket", "nothing://bucket cannot be listed: Protocol not known: nothing"),
        ("gdrive://bucket", "gdrive://bucket cannot be listed: "),  # its package is not installed
    ],
)
def test_url_that_cannot_be_listed_is_refused_by_name(url: str, words: str) -> None:
    with pytest.raises(PlanError, match=words):
        find_items(PLAN, [url], "memory://out")


@pytest.mark.parametrize("scheme", ["", "local://"])
def test_finished_pictures_are_those_with_all_results_newer_than_picture_and_bundle(
    photos: Path, tmp_path: Path, scheme: str
) -> None:
    bundle = write_tiny_bundle(tmp_path / "bundles")
    out = f"{scheme}{tmp_path}/out"
    items, _ = find_items(PLAN, [f"{scheme}{photos}"], out)

    def finished() -> list[str]:
        found = sort_items(items, out, read_bundle(bundle).manifest, bundle).finished
        return [Path(item.source).name for item in found]

    assert finished() == []
    for item in items:
        for place in item.results:
            places.write(place, b"result")
    assert finished() == ["a.png", "b.JPG", "b.png"]
    (tmp_path / "out" / "more" / "b.png.overlay.png").unlink()
    later = (tmp_path / "out" / "a.png").stat().st_mtime_ns + 10**9
    os.utime(photos / "a.png", ns=(later, later))
    items, _ = find_items(PLAN, [f"{scheme}{photos}"], out)
    assert finished() == ["b.JPG"]
    os.utime(bundle / "manifest.json", ns=(later, later))
    assert finished() == []


def test_a_model_without_attention_is_finished_without_heat_maps(photos: Path, tmp_path: Path) -> None:
    bundle = write_tiny_bundle(tmp_path / "bundles", attention=False)
    items, _ = find_items(PLAN, [f"local://{photos}"], "memory://without-maps")
    for item in items:
        places.write(item.translation, b"result")
    manifest = read_bundle(bundle).manifest
    assert len(sort_items(items, "memory://without-maps", manifest, bundle).finished) == len(items)


@pytest.mark.parametrize("scheme", ["", "local://"])
def test_file_is_written_into_folders_that_do_not_exist_yet(tmp_path: Path, scheme: str) -> None:
    place = f"{scheme}{tmp_path}/one/two.png"
    places.write(place, b"data")
    assert places.read(place) == b"data"
    assert [path.name for path in (tmp_path / "one").iterdir()] == ["two.png"]
