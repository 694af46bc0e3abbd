"""Test `ugatit-train gallery`: from folders to one page, or one sentence."""

from __future__ import annotations

import base64
import io
import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from models.bundle.declarations import HeatMap, Network, Range
from models.bundle.directory import read_bundle, write_bundle
from models.images.frame import resize
from models.images.heatmap import colorize, scale, value_range
from models.images.legend import number
from tests.evaluation.making import draw_data
from tests.gallery.making import train_run
from tests.tiny_bundle import SIZE, declared_maps, pooled, write_tiny_bundle
from tests.training.command import typed
from training.gallery.heat_maps import NETWORKS, PART_NAMES
from training.gallery.pictures import BUDGET_BYTES, encode_within, plan_sizes


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    bundles = tmp_path / "bundles"
    return write_tiny_bundle(bundles, "cat2dog"), write_tiny_bundle(bundles, "dog2cat")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return draw_data(tmp_path / "data")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train_run(tmp_path_factory.mktemp("gallery"))


def gallery(tmp_path: Path, *arguments: object) -> str:
    """Return the page of a gallery that must succeed."""
    file = tmp_path / "out" / "page.html"
    code, _, error = typed("gallery", *map(str, arguments), "--out", file)
    assert (code, error) == (0, "")
    return file.read_text()


def figures(page: str) -> list[dict[str, Any]]:
    """Return what the sections are sorted by."""
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    return list(json.loads(found[1])["sections"])


def picture(page: str, label: str) -> Any:
    """Return the pixels of the picture whose label begins so."""
    found = re.search(
        rf'aria-label="{re.escape(label)}[^"]*"><img src="data:image/jpeg;base64,([^"]*)"', page
    )
    assert found is not None, label
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(found[1])))).astype(int)


def heats(page: str, section: int = 0, row: int = 0, column: int = 0) -> dict[str, Any]:
    """Return one picture's heat maps by name; None for one that the column lacks."""
    found = figures(page)[section]
    names = [each["name"] for each in found["maps"]]
    return dict(zip(names, found["rows"][row]["heats"][column], strict=True))


def test_every_picture_has_source_translation_attention_and_reconstruction(
    tmp_path: Path, pair: tuple[Path, Path], data: Path
) -> None:
    page = gallery(tmp_path, *pair, "--data", data)
    source = picture(page, "0.png, source")
    assert abs(picture(page, "0.png, cat2dog, translation") - (255 - source)).mean() < 4
    assert abs(picture(page, "0.png, cat2dog, reconstruction") - source).mean() < 4
    assert heats(page)["Generator, whole map"]["words"].startswith("from ")
    assert page.count('role="gridcell"') == 3 * (5 + 4)
    assert "cat to dog" in page
    assert "5 of the 5 pictures in testA. 4 of the 4 pictures in testB." in page


def test_cycle_error_and_cam_probability_are_those_of_an_evaluation(
    tmp_path: Path, pair: tuple[Path, Path], data: Path
) -> None:
    first, second = figures(gallery(tmp_path, *pair, "--data", data))
    assert [row["name"] for row in first["rows"]] == [f"{number}.png" for number in range(5)]
    assert [row["cycle"] for row in first["rows"]] == [[0.0]] * 5  # a negative's negative
    assert len({row["cam"][0] for row in first["rows"]}) > 1
    assert all(0 < row["cam"][0] < 1 for row in (*first["rows"], *second["rows"]))


def test_page_loads_nothing_and_needs_no_other_file(
    tmp_path: Path, pair: tuple[Path, Path], data: Path
) -> None:
    page = gallery(tmp_path, *pair, "--data", data)
    assert "default-src 'none'" in page
    assert re.findall(r"https?://", page) == []
    assert "src=" not in page.replace('src="data:image/jpeg;base64,', "")
    assert re.findall(r"url\((?!data:image/png;base64,)", page) == []
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["page.html"]


def test_single_bundle_needs_only_its_own_test_pictures(tmp_path: Path, pair: tuple[Path, Path]) -> None:
    data = draw_data(tmp_path / "few", a=1)
    shutil.rmtree(data / "testB")
    page = gallery(tmp_path, pair[0], "--data", data)
    assert "No way back: give the bundle of the opposite direction too." in page
    assert figures(page)[0]["rows"][0]["cycle"] == [None]


def test_network_without_cam_has_no_map(tmp_path: Path, data: Path) -> None:
    bundle = write_tiny_bundle(tmp_path, "cat2dog", attention=False, discriminators=False)
    page = gallery(tmp_path, bundle, "--data", data)
    assert "No map: this network has no CAM." in page
    assert figures(page)[0]["rows"][0]["cam"] == [None]


def test_sources_have_the_size_of_the_largest_network(tmp_path: Path, data: Path) -> None:
    bundles = [write_tiny_bundle(tmp_path / str(size), "cat2dog", size=size) for size in (16, 32)]
    page = gallery(tmp_path, *bundles, "--data", data)
    assert picture(page, "0.png, source").shape == (32, 32, 3)
    assert picture(page, "0.png, 16-cat2dog, translation").shape == (16, 16, 3)


def test_limit_spreads_the_pictures_and_says_so(tmp_path: Path, pair: tuple[Path, Path], data: Path) -> None:
    page = gallery(tmp_path, *pair, "--data", data, "--limit", 2)
    assert [row["name"] for row in figures(page)[0]["rows"]] == ["0.png", "2.png"]
    assert "2 of the 5 pictures in testA, evenly spread." in page


def test_a_run_is_shown_in_both_directions_beside_a_bundle(
    tmp_path: Path, run: Path, pair: tuple[Path, Path], data: Path
) -> None:
    first, second = figures(gallery(tmp_path, run, pair[0], "--data", data))
    assert first["columns"] == ["run, 4 steps", "cat2dog"]
    assert second["columns"] == ["run, 4 steps"]
    assert all(row["cycle"][0] > 0 for row in first["rows"])


def test_checkpoints_gives_a_column_to_each_kept_checkpoint(tmp_path: Path, run: Path, data: Path) -> None:
    for section in figures(gallery(tmp_path, run, "--data", data, "--checkpoints")):
        assert section["columns"] == ["run, 2 steps", "run, 4 steps"]
        one, other = zip(*(row["cycle"] for row in section["rows"]), strict=True)
        assert one != other


def test_named_steps_are_columns_in_that_order(tmp_path: Path, run: Path, data: Path) -> None:
    page = gallery(tmp_path, run, "--data", data, "--step", 4, "--step", 2)
    assert figures(page)[0]["columns"] == ["run, 4 steps", "run, 2 steps"]


def test_damaged_checkpoint_is_left_out_of_all_checkpoints_and_named(
    tmp_path: Path, run: Path, data: Path
) -> None:
    copy = shutil.copytree(run, tmp_path / "copy")
    weights = max((copy / "checkpoints" / "00000002").iterdir(), key=lambda path: path.stat().st_size)
    weights.write_bytes(b"?" + weights.read_bytes()[1:])
    page = gallery(tmp_path, copy, "--data", data, "--checkpoints")
    assert figures(page)[0]["columns"] == ["copy, 4 steps"]
    assert "Left out: copy, step 2." in page


@pytest.mark.parametrize("network", ["generator", "local"])
def test_a_declared_map_that_a_graph_lacks_is_one_sentence(
    tmp_path: Path, data: Path, network: Network
) -> None:
    bundle = read_bundle(write_tiny_bundle(tmp_path / "whole", "cat2dog"))
    other = HeatMap(name="other", network=network, part="average", kind="relevance", range=Range())
    manifest = bundle.manifest.model_copy(update={"maps": [*bundle.manifest.maps, other]})
    write_bundle(tmp_path / "cat2dog", manifest, bundle.files)
    page = tmp_path / "page.html"
    code, _, error = typed("gallery", tmp_path / "cat2dog", "--data", data, "--out", page)
    assert (code, error.count("\n"), page.exists()) == (2, 1, False)
    assert "The bundle of cat2dog declares the output other, which its " in error


def test_names_from_files_are_escaped(tmp_path: Path, pair: tuple[Path, Path]) -> None:
    data = draw_data(tmp_path / "<b>data")
    (data / "testA" / "0.png").rename(data / "testA" / "<script>&\"'.png")
    page = gallery(tmp_path, *pair, "--data", data)
    assert "&lt;script&gt;&amp;&quot;&#x27;.png" in page
    assert "<script>&" not in page
    assert "<b>data" not in page


def test_a_page_replaces_an_earlier_one_only_when_it_is_complete(
    tmp_path: Path, pair: tuple[Path, Path], data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = gallery(tmp_path, *pair, "--data", data)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device", "page.html")

    monkeypatch.setattr("models.storage.durable.write_all", full)
    code, _, error = typed("gallery", *pair, "--data", data, "--out", tmp_path / "out" / "page.html")
    assert code == 2
    assert "No space left on device" in error
    assert (tmp_path / "out" / "page.html").read_text() == page
    assert len(list((tmp_path / "out").iterdir())) == 1


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("bundles/cat2dog", "--data", "empty"), "empty/testA holds no pictures"),
        (("bundles/cat2dog", "--data", "nowhere"), "nowhere is not a folder"),
        (("bundles/cat2dog", "--data", "horse2zebra"), "but the test pictures are horse and zebra"),
        (("bundles/cat2dog", "bundles/cat2dog", "--data", "data"), "is given twice"),
        (("data", "--data", "data"), "is neither a run"),
        (("bundles/cat2dog", "--data", "data", "--out", "data"), "--out needs a file, and data is a folder"),
        (("bundles/cat2dog", "--data", "data", "--out", "data/testA/0.png/x"), "cannot be written"),
        (("bundles/cat2dog", "--data", "data", "--limit", "0"), "--limit"),
        (("bundles/cat2dog", "--data", "data", "--checkpoints"), "only bundles are given"),
        (("bundles/cat2dog", "--data", "data", "--checkpoints", "--best"), "give only one of them"),
        (("--data", "data"), "BUNDLE_OR_RUN"),
    ],
)
def test_invalid_arguments_are_one_sentence_and_write_nothing(
    tmp_path: Path,
    pair: tuple[Path, Path],
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    sentence: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, count in (("empty", 0), ("data", 3), ("horse2zebra", 2)):
        draw_data(tmp_path / name, a=count)
    before = sorted(tmp_path.rglob("*"))
    code, _, error = typed("gallery", "--out", "out/page.html", *arguments)
    assert code == 2
    assert error.count("\n") == 1
    assert sentence in error
    assert sorted(tmp_path.rglob("*")) == before


def test_missing_step_is_one_sentence_that_lists_the_steps(run: Path, data: Path, tmp_path: Path) -> None:
    code, _, error = typed("gallery", run, "--data", data, "--step", "9", "--out", tmp_path / "page.html")
    assert code == 2
    assert "has no checkpoint of step 9; it has those of 2, 4." in error


def test_every_picture_fits_its_bytes() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (512, 300, 3), dtype=np.uint8)
    assert [len(encode_within(noise, most)) <= most for most in (3_000, 10_000, 100_000)] == [True] * 3


def test_smallest_picture_loses_quality_to_stay_within_its_bytes() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (48, 48, 3), dtype=np.uint8)
    assert len(encode_within(noise, 3_000)) <= 3_000


def test_too_many_pictures_are_refused_with_a_limit_that_fits() -> None:
    with pytest.raises(ValueError, match=r"at most 24 MB .* need 180 MB; give --limit 133,"):
        plan_sizes(0, 20_000, rows=1_000)
    sizes = plan_sizes(0, 2_000, rows=100)
    assert sizes.picture_bytes * 4_000 <= BUDGET_BYTES


def test_many_pictures_leave_out_the_parts_of_heat_maps_and_the_page_says_so(
    tmp_path: Path, run: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert [plan_sizes(100, count, rows=100).maps for count in (200, 1_000, 2_000)] == [12, 3, 1]
    monkeypatch.setattr("training.gallery.pictures.BUDGET_BYTES", 300_000)
    page = gallery(tmp_path, run, "--data", data)
    assert list(heats(page)) == [f"{each}, whole map" for each in NETWORKS.values()]
    assert "Left out, because there are so many pictures: the parts of heat maps" in page


def test_a_run_has_every_part_of_the_heat_maps_of_its_three_networks(
    tmp_path: Path, run: Path, data: Path
) -> None:
    maps = heats(gallery(tmp_path, run, "--data", data))
    assert list(maps) == [
        f"{network}, {part}" for network in NETWORKS.values() for part in PART_NAMES.values()
    ]
    assert len({each["picture"] for each in maps.values()}) == 12


def range_of(words: str) -> tuple[float, ...]:
    """Return the numbers of `from LOW to HIGH`."""
    return tuple(float(word) for word in words.split()[1::2])


def test_the_heat_maps_of_a_run_are_those_of_its_exported_bundle(
    tmp_path: Path, run: Path, data: Path
) -> None:
    names = ("--a2b", "cat2dog", "--only", "a2b", "--discriminators", "--out", tmp_path / "bundles")
    assert typed("export", run, *names)[0] == 0
    page = gallery(tmp_path, run, tmp_path / "bundles" / "cat2dog", "--data", data)
    one, other = heats(page, column=0), heats(page, column=1)
    assert one.keys() == other.keys()
    for name, each in one.items():
        low, high = range_of(each["words"])
        # The words have three digits; torch and onnxruntime round differently.
        assert range_of(other[name]["words"]) == pytest.approx((low, high), rel=5e-3)
    assert [each["base"] for each in figures(page)[0]["maps"]] == ["source"] * 4 + ["translation"] * 8


def test_a_heat_map_has_the_colours_and_the_range_that_the_service_gives_it(
    tmp_path: Path, pair: tuple[Path, Path], data: Path
) -> None:
    page = gallery(tmp_path, pair[0], "--data", data)
    pixels = resize(np.asarray(Image.open(data / "testA" / "0.png").convert("RGB")), height=SIZE, width=SIZE)
    declared = {each.network: each for each in declared_maps()}
    for network, block, seen in (("generator", 8, pixels), ("local", 4, 255 - pixels)):
        found = heats(page)[f"{NETWORKS[network]}, whole map"]
        values = pooled(seen, block)
        low, high = value_range(values, declared[network])
        assert found["words"] == f"from {number(low)} to {number(high)}"
        drawn = colorize(scale(values, declared[network]), height=SIZE, width=SIZE, colormap="jet")
        shown = Image.open(io.BytesIO(base64.b64decode(found["picture"].partition(",")[2])))
        assert abs(np.asarray(shown).astype(int) - drawn).mean() < 25  # WebP of 32 x 32 pixels


def test_a_map_that_a_column_lacks_is_said_and_not_drawn(tmp_path: Path, run: Path, data: Path) -> None:
    bundles = [
        write_tiny_bundle(tmp_path / "whole", "cat2dog"),
        write_tiny_bundle(tmp_path / "none", "cat2dog", attention=False, discriminators=False),
    ]
    page = gallery(tmp_path, run, *bundles, "--data", data)
    maps = {each["name"]: each["missing"] for each in figures(page)[0]["maps"]}
    assert maps["Generator, whole map"] == [None, None, "No map: this network has no CAM."]
    assert maps["Generator, classifier's map"][1] == "No map: this model has whole maps only."
    assert maps["Local discriminator, whole map"][2] == "No map: this model has no map of this discriminator."
    assert heats(page, column=1)["Generator, classifier's map"] is None
    assert "whole-cat2dog has whole heat maps only, without average, maximum, classifier; export" in page


def test_flat_map_is_named_as_flat(tmp_path: Path, pair: tuple[Path, Path]) -> None:
    data = draw_data(tmp_path / "flat", a=1)
    Image.new("RGB", (40, 40), "#808080").save(data / "testA" / "0.png")
    assert "flat map, 128" in gallery(tmp_path, pair[0], "--data", data)
