"""Test `data check`: what it finds in a data set and prints."""

import re
import shutil
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from tests.data.making import drawn, make_folder
from training.data.check import Duplicates, Report, check
from training.data.duplicates import duplicate_groups, signature_of
from training.data.errors import DataError
from training.data.flat import flat_share
from training.data.render import render


def rendered(report: Report) -> str:
    out = StringIO()
    render(report, Console(file=out, width=200))
    return out.getvalue()


def save(pixels: np.ndarray, path: Path, quality: int = 85) -> None:
    Image.fromarray(pixels).save(path, quality=quality)


def test_good_data_set_is_counted_without_problems(tmp_path: Path) -> None:
    folder = make_folder(tmp_path)
    for name, (height, width) in {"a": (90, 60), "b": (10, 20), "c": (64, 64)}.items():
        save(drawn(100 + height, height, width), folder / "testA" / f"{name}.png")
    report = check(folder)
    assert {found.name: found.pictures for found in report.folders} == {
        "trainA": 5,
        "trainB": 7,
        "testA": 5,
        "testB": 3,
    }
    assert report.folders[2].sizes == ((20, 10), (48, 40), (60, 90))
    assert (report.unreadable, report.duplicates, report.problems) == ((), (), ())
    assert "testA" in rendered(report)
    assert "60 x 90" in rendered(report)
    assert "Look the same" not in rendered(report)


def test_duplicates_are_found_within_a_folder_and_across_train_and_test(tmp_path: Path) -> None:
    folder = make_folder(tmp_path)
    save(drawn(1), folder / "trainA/again.jpg")
    save(drawn(1, 80, 96), folder / "trainA/larger.webp")
    save(drawn(6, 36, 40), folder / "testB/smaller.jpg")
    report = check(folder)
    assert report.duplicates == (
        Duplicates("A", ("trainA/001.png", "trainA/again.jpg", "trainA/larger.webp")),
        Duplicates("B", ("trainB/001.png", "testB/smaller.jpg")),
    )
    text = rendered(report)
    assert "Look the same, across trainB and testB (1):\n  trainB/001.png, testB/smaller.jpg" in text
    assert "Look the same, within trainA (1):\n  trainA/001.png, trainA/again.jpg" in text
    assert text.index("same, across") < text.index("same, within")


def test_the_two_domains_are_not_compared(tmp_path: Path) -> None:
    folder = make_folder(tmp_path)
    shutil.copy(folder / "trainA/000.png", folder / "trainB/copy.png")
    assert check(folder).duplicates == ()


def test_pictures_that_differ_in_colour_alone_are_not_duplicates() -> None:
    blobs = drawn(1)
    red = np.full((64, 64, 3), (200, 40, 40), np.uint8)
    pictures = [drawn(number) for number in range(300)]
    pictures += [blobs[..., ::-1], blobs[:, ::-1], red, red[..., ::-1], np.zeros_like(red)]
    assert duplicate_groups([signature_of(np.ascontiguousarray(picture)) for picture in pictures]) == []


def test_pictures_of_equal_colours_and_different_shapes_are_not_duplicates() -> None:
    columns = np.tile(np.repeat(np.array([90, 150], np.uint8), 4), (64, 8))
    partly = np.concatenate([columns.T[:16], columns[16:]])
    signatures = [signature_of(np.dstack([stripes] * 3)) for stripes in (columns, columns.T, partly)]
    assert duplicate_groups(signatures) == []


def test_duplicate_is_found_among_hundreds_of_pictures() -> None:
    pictures = [drawn(number) for number in [*range(300), 7, 290]]
    assert duplicate_groups([signature_of(picture) for picture in pictures]) == [[7, 300], [290, 301]]


@pytest.mark.parametrize("quality", [40, 90])
@pytest.mark.parametrize(("height", "width"), [(80, 96), (128, 128), (320, 300)])
def test_duplicate_is_found_at_any_size_and_compression(
    tmp_path: Path, quality: int, height: int, width: int
) -> None:
    for number in range(20):
        original = drawn(number, 160, 192)
        resized = np.asarray(Image.fromarray(original).resize((width, height), Image.Resampling.BICUBIC))
        save(resized, tmp_path / "copy.jpg", quality)
        with Image.open(tmp_path / "copy.jpg") as copy:
            assert duplicate_groups([signature_of(original), signature_of(np.asarray(copy))]) == [[0, 1]]


def test_all_problems_are_printed_at_once(tmp_path: Path) -> None:
    folder = make_folder(tmp_path)
    shutil.rmtree(folder / "testA")
    (folder / "trainB/[odd].bmp").write_bytes(b"BM" + bytes(12) + b"\x28" + bytes(40))
    report = check(folder)
    assert [found.pictures for found in report.folders] == [5, 7, 0, 3]
    text = rendered(report)
    assert "  trainB/[odd].bmp: This is a BMP picture, which is not supported; save or" in text
    assert "There is no folder" in text
    assert "1 of the 8 pictures" in text
    with pytest.raises(DataError, match="is not a folder"):
        check(tmp_path / "nowhere")


def test_entries_that_are_not_pictures_are_listed(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "set[/a] :smile:")
    (folder / "trainB/gone.png").symlink_to("nowhere.png")
    (folder / "testA/@eaDir").mkdir()
    (folder / "testA/[red]a.ppm").touch()
    report = check(folder)
    assert report.problems == ()
    text = rendered(report)
    assert text.startswith(f"{folder}")
    assert "Not taken for pictures (3):" in text
    assert "  trainB/gone.png: a link without a target\n" in text
    assert "  testA/@eaDir: hidden or a system file\n" in text
    assert "  testA/[red]a.ppm: not a picture by its suffix\n" in text


def test_long_list_is_cut_and_counts_the_rest(tmp_path: Path) -> None:
    folder = make_folder(tmp_path)
    for number in range(25):
        (folder / "trainA" / f"bad{number:02}.jpg").write_bytes(b"no picture")
    text = rendered(check(folder))
    assert "(25):" in text
    assert "bad19.jpg" in text
    assert "bad20.jpg" not in text
    assert "and 5 more." in text


def with_logo(side: int) -> np.ndarray:
    """A black frame of 100 x 100 with a coloured square in it."""
    frame = np.zeros((100, 100, 3), np.uint8)
    frame[20 : 20 + side, 30 : 30 + side] = (200, 30, 60)
    return frame


def test_flat_and_nearly_flat_pictures_are_listed_but_not_refused(tmp_path: Path) -> None:
    folder = make_folder(tmp_path)
    save(np.full((60, 40, 3), 255, np.uint8), folder / "trainA/blank.png")
    save(np.random.default_rng(0).integers(0, 4, (64, 64, 3)).astype(np.uint8), folder / "trainB/dark.jpg")
    save(with_logo(10), folder / "testB/logo.png")
    save(with_logo(60), folder / "testB/picture.png")
    report = check(folder)
    assert [picture.name for picture in report.flat] == [
        "trainA/blank.png",
        "trainB/dark.jpg",
        "testB/logo.png",
    ]
    assert report.problems == ()
    text = rendered(report)
    assert "Flat or nearly flat; training skips updates that are not finite on them (3):" in text
    assert "  trainA/blank.png: one colour\n" in text
    assert re.search(r"  testB/logo.png: one colour but for 1\.\d % of its area\n", text)


def test_drawings_of_thin_lines_are_not_flat() -> None:
    paper = np.full((256, 256, 3), 255, np.uint8)
    paper[::16] = paper[:, ::16] = 0
    assert flat_share(paper) < 0.6
