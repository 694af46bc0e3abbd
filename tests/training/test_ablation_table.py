"""The table of an ablation: a row for each variant, the spread over seeds, published figures apart."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from models.images.frame import Box
from tests.evaluation.making import Colours
from tests.training.command import data_set, typed
from tests.training.test_ablate import TINY
from training.ablation.folder import AblationFolder
from training.ablation.markdown import render_markdown
from training.ablation.table import find
from training.methods.ugatit.ablations import ABLATIONS


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return data_set(tmp_path_factory.mktemp("data") / "cat2dog")


@pytest.fixture(scope="module")
def out(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished ablation of all eight variants and a second seed, a step each."""
    out = tmp_path_factory.mktemp("out")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("training.commands.ablate.choose_extractor", lambda *_, **__: (Colours(), None))
        code, _, error = typed("ablate", "--data", data, "--out", out, *TINY, "--steps=1", "--seeds=2")
    assert (code, error) == (0, "")
    return out


@pytest.fixture(scope="module")
def table(out: Path) -> dict[str, Any]:
    return dict(json.loads((out / "table.json").read_text()))


def columns(markdown: str, variant: str) -> list[str]:
    """The cells of a variant's row in the first table."""
    line = next(line for line in markdown.splitlines() if line.startswith(f"| {variant} |"))
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_every_variant_has_a_figure_for_each_direction_next_to_the_published_ones(
    out: Path, table: dict[str, Any]
) -> None:
    for variant in ("full", *ABLATIONS):
        for direction in ("A2B", "B2A"):
            row = find(table["rows"], variant, direction, "kid-colours", "plain")
            assert row is not None
            assert row["n_translations"] == row["n_targets"] == 2
    cells = columns((out / "table.md").read_text(), "U-GAT-IT with LN only")
    assert cells[5:] == [
        "0.1239 ± 0.0061", "0.1317 ± 0.0080", "0.1245 ± 0.0059", "0.1318 ± 0.0083"
    ]  # fmt: skip
    assert cells[1] == f"{find(table['rows'], 'ln', 'A2B', 'kid-colours', 'plain')['value']:.4f}"  # type: ignore[index]


def test_figures_of_different_protocols_have_different_columns(out: Path) -> None:
    head = next(line for line in (out / "table.md").read_text().splitlines() if "KID" in line)
    names = [name.strip() for name in head.strip("|").split("|")]
    assert names.count("KID-colours plain, A2B") == names.count("KID, the paper's, selfie2anime") == 1
    assert len(set(names) - {"to U-GAT-IT"}) == len(names) - 2


def test_the_full_model_has_the_mean_and_the_range_of_its_seeds(table: dict[str, Any]) -> None:
    row = find(table["rows"], "full", "B2A", "kid-colours", "plain")
    assert row is not None
    assert row["seeds"] == [0, 1]
    first, second = row["values"]
    assert row["value"] == pytest.approx((first + second) / 2)
    assert row["range"] == pytest.approx(abs(first - second)) != 0
    other = find(table["rows"], "ln", "B2A", "kid-colours", "plain")
    assert other is not None
    assert other["difference"] == pytest.approx(other["value"] - row["value"])


def test_the_table_names_the_differences_that_are_larger_than_those_between_seeds(
    table: dict[str, Any],
) -> None:
    changed = json.loads(json.dumps(table))
    for row in changed["rows"]:
        if (row["direction"], row["metric"], row["protocol"]) == ("A2B", "kid-colours", "plain"):
            full = row["variant"] == "full"
            row["range"] = 0.5 if full else None
            row["difference"] = None if full else -0.6 if row["variant"] == "gn" else 0.4
    assert "A2B: the seeds 0, 1 of U-GAT-IT are 0.5000 apart. Further" in render_markdown(changed)
    assert "from their mean than that: U-GAT-IT with GN.\n" in render_markdown(changed)


def test_one_seed_says_that_the_spread_is_unknown(table: dict[str, Any]) -> None:
    changed = json.loads(json.dumps(table))
    for row in changed["rows"]:
        row["range"] = None
    assert "One seed only, so the spread between equal runs is unknown" in render_markdown(changed)


def test_the_figures_are_those_that_evaluate_writes_for_the_runs(
    out: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.commands.evaluate.choose_extractor", lambda *_, **__: (Colours(), None))
    file = tmp_path / "figures.json"
    assert typed("evaluate", out / "full", out / "gn", "--data", data, "--json", file)[0] == 0
    evaluated, written = (json.loads(each.read_text()) for each in (file, out / "figures.json"))
    assert evaluated["rows"] == [row for row in written["rows"] if row["subject"] in ("full", "gn")]


def test_an_unfinished_ablation_is_compared_at_the_steps_that_most_variants_have(
    out: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.commands.ablate.choose_extractor", lambda *_, **__: (Colours(), None))
    partial = tmp_path / "partial"
    shutil.copytree(out, partial)
    shutil.rmtree(partial / "adain")
    (partial / "full" / "checkpoints" / "00000001").rename(partial / "full" / "checkpoints" / "00000009")
    options = ("--data", data, "--out", partial, *TINY, "--steps=1", "--seeds=2", "--evaluate-only")
    code, _, error = typed("ablate", *options)
    assert (code, error) == (0, "")
    table = json.loads((partial / "table.json").read_text())
    assert table["steps"] == 1
    assert find(table["rows"], "adain", "A2B", "kid-colours", "plain") is None
    assert find(table["rows"], "full", "A2B", "kid-colours", "plain")["seeds"] == [1]  # type: ignore[index]
    page = (partial / "table.md").read_text()
    assert columns(page, "U-GAT-IT with AdaIN")[1] == ""
    assert "- U-GAT-IT with AdaIN: not measured, because it has no checkpoint of step 1.\n" in page


def test_the_table_has_the_share_of_the_attention_in_faces_where_faces_are_found(
    out: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "attention-in-face" not in (out / "table.md").read_text()  # the pictures have no faces
    monkeypatch.setattr("training.commands.ablate.choose_extractor", lambda *_, **__: (Colours(), None))
    monkeypatch.setattr("training.ablation.measure.face_finder", lambda: lambda _: Box(0, 0, 16, 16))
    whole = tmp_path / "whole"
    shutil.copytree(out, whole)
    options = ("--data", data, "--out", whole, *TINY, "--steps=1", "--seeds=2", "--evaluate-only")
    assert typed("ablate", *options)[0] == 0
    page = (whole / "table.md").read_text()
    others = page[page.index("## Other figures") :]
    assert "| attention-in-face, A2B | attention-in-face, B2A |" in others
    assert columns(others, "U-GAT-IT with GN")[-2:] == ["100% of 2", "100% of 2"]
    assert columns(others, "U-GAT-IT without CAM")[-2:] == ["", ""]  # without a map there is no share


def test_an_ablation_without_a_checkpoint_cannot_be_evaluated(
    out: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.commands.ablate.choose_extractor", lambda *_, **__: (Colours(), None))
    AblationFolder(tmp_path).write_plan(AblationFolder(out).read_plan())
    options = ("--data", data, "--out", tmp_path, *TINY, "--steps=1", "--seeds=2", "--evaluate-only")
    code, _, error = typed("ablate", *options)
    assert code == 2
    assert "has a checkpoint yet" in error


def test_the_gallery_shows_every_variant_with_its_figures_and_loads_nothing(
    out: Path, table: dict[str, Any]
) -> None:
    page = (out / "gallery.html").read_text()
    for name in ("U-GAT-IT", "with IN only", "with GN", "without discriminator CAM", "U-GAT-IT, seed 1"):
        assert f'<b class="label">{name}, 1 steps<small>KID-colours' in page
    row = find(table["rows"], "gn", "B2A", "kid-colours", "plain")
    assert row is not None
    assert f"KID-colours {row['value']:.3f} · cycle " in page
    assert page.count('data-kind="translation"><button') == 9 * 4
    assert 'data-hide="attention reconstruction"' in page
    assert not any(loaded in page for loaded in ('src="http', 'href="http', "url(http"))


def test_the_published_ablation_is_rendered_from_its_json() -> None:
    docs = Path(__file__).parents[2] / "docs"
    rendered = render_markdown(json.loads((docs / "ablation.json").read_text()))
    _, facts, rest = rendered.split("\n\n", 2)
    page = (docs / "ablation.md").read_text()
    assert facts in page
    assert rest in page
