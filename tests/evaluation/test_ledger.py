"""`evaluate --ledger`: rows that are replaced, a page that shows them, and files that are never replaced."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.evaluation.making import Colours, draw_data
from tests.tiny_bundle import write_tiny_bundle
from tests.training.command import typed
from training.evaluation.ledger import read_ledger
from training.evaluation.published import read_published
from training.evaluation.render import format_value
from training.evaluation.results import render_results

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with two bundles and a data set; a quick extractor."""
    monkeypatch.setattr("training.commands.evaluate.choose_extractor", lambda *_, **__: (Colours(), None))
    for direction in ("cat2dog", "dog2cat"):
        write_tiny_bundle(tmp_path / "bundles", direction)
    draw_data(tmp_path / "cat2dog")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def evaluated(*arguments: str) -> None:
    code, _, error = typed("evaluate", *arguments, "--data", "cat2dog", "--ledger", "docs/results.json")
    assert (code, error) == (0, "")


def rows(folder: Path) -> list[dict[str, Any]]:
    document = json.loads((folder / "docs" / "results.json").read_text())
    return list(document["rows"])


def test_a_row_has_every_field_of_the_json_document(folder: Path) -> None:
    evaluated("bundles/cat2dog", "bundles/dog2cat", "--json", "figures.json")
    document = json.loads((folder / "figures.json").read_text())
    measured = [*document["baselines"], *document["rows"]]
    found = {(row["direction"], row["metric"], row["protocol"], row["subject"]): row for row in rows(folder)}
    assert len(found) == len(measured)
    for row in measured:
        name = row["subject"] if row["subject"] == "untranslated" else f"bundles/{row['subject']}"
        kept = found[row["direction"], row["metric"], row["protocol"], name]
        assert {**row, "subject": name}.items() <= kept.items()
        assert (kept["seed"], kept["code"], kept["machine"]) == (
            document["seed"],
            document["code"],
            document["machine"],
        )
        assert (kept["data"], kept["data_fingerprint"]) == ("cat2dog", document["data"]["fingerprint"])
        assert kept["extractor_sha256"] == (document["extractor"]["sha256"] if row["extractor"] else None)


def test_no_path_of_this_machine_is_written(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    code, _, error = typed(
        "evaluate", "../bundles/cat2dog", "--data", folder / "cat2dog", "--ledger", "results.json"
    )
    assert (code, error) == (0, "")
    for name in ("results.json", "results.md"):
        assert str(folder) not in (elsewhere / name).read_text()
    assert {row.subject for row in read_ledger(elsewhere / "results.json")} == {"cat2dog", "untranslated"}


def test_an_evaluation_of_the_same_subject_replaces_its_rows(folder: Path) -> None:
    evaluated("bundles/cat2dog", "bundles/dog2cat")
    before = (folder / "docs" / "results.json").read_bytes()
    count = len(rows(folder))
    evaluated("bundles/cat2dog")
    assert len(rows(folder)) == count
    evaluated("bundles/cat2dog", "bundles/dog2cat")
    assert (folder / "docs" / "results.json").read_bytes() == before


def test_subsets_are_rows_and_columns_of_their_own(folder: Path) -> None:
    evaluated("bundles/cat2dog")
    count = len(rows(folder))
    evaluated("bundles/cat2dog", "--subset-size=3", "--subsets=5", "--seed=7")
    assert len(rows(folder)) == count + 2  # the bundle's kernel distance, and that of the sources
    page = (folder / "docs" / "results.md").read_text()
    assert "KID-colours plain (colours 00000000) |" in page
    assert "KID-colours plain (colours 00000000) 5 subsets of 3, seed 7 |" in page


def test_published_figures_have_their_own_columns(folder: Path) -> None:
    evaluated("bundles/cat2dog")
    head, _, *lines = table(section((folder / "docs" / "results.md").read_text(), "cat2dog"))
    by_name = {line[0]: dict(zip(head, line, strict=True)) for line in lines}
    paper = by_name["U-GAT-IT"]
    assert paper["KID, the paper's"] == "0.0707 ± 0.0065"
    ours = by_name["bundles/cat2dog"]
    assert ours["KID, the paper's"] == ""
    assert paper["KID-colours plain (colours 00000000)"] == ""
    assert ours["KID-colours plain (colours 00000000)"] != ""


def test_a_figure_of_some_pictures_only_shows_their_number(folder: Path) -> None:
    evaluated("bundles/cat2dog")
    kept = read_ledger(folder / "docs" / "results.json")
    (row,) = (row for row in kept if row.metric == "sharpness")
    some = replace(row, metric="attention-in-face", value=0.25, n_sources=2)
    assert "| 25.0% (2 of 5) |" in render_results([*kept, some])


def test_what_a_run_did_without_is_said_below_its_figures(folder: Path) -> None:
    evaluated("bundles/cat2dog")
    found = read_ledger(folder / "docs" / "results.json")
    without = [replace(row, facts={"lacks": ["It has no <content> term."]}) for row in found]
    assert "- `bundles/cat2dog`: It has no &lt;content> term." in section(render_results(without), "cat2dog")


def section(page: str, task: str) -> str:
    (found,) = re.findall(rf"^## {re.escape(task)}$\n(.*?)(?=^## )", page, re.MULTILINE | re.DOTALL)
    return str(found)


def table(text: str, number: int = 0) -> list[list[str]]:
    """The cells of a table of a section, line by line."""
    tables = re.findall(r"(?:^\|.*\|$\n?)+", text, re.MULTILINE)
    return [[cell.strip() for cell in line[1:-1].split("|")] for line in tables[number].splitlines()]


def test_the_published_figures_are_those_of_the_paper() -> None:
    paper, reproduction, plain, mean = read_published()
    assert paper.kid["selfie2anime"]["U-GAT-IT"] == pytest.approx((0.1161, 0.0057))
    assert paper.kid["selfie2anime"]["CartoonGAN"] == pytest.approx((0.1585, 0.0069))
    assert paper.kid["vangogh2photo"]["CycleGAN"] == pytest.approx((0.0468, 0.0036))
    assert reproduction.kid["anime2selfie"]["U-GAT-IT without CAM"] == pytest.approx((0.1186, 0.0096))
    assert plain.kid["selfie2anime"]["U-GAT-IT, released weights"] == pytest.approx((0.0272, 0.0054))
    assert mean.kid["selfie2anime"]["U-GAT-IT, released weights"] == pytest.approx((0.1115, 0.0042))
    assert len(paper.kid) == 10
    assert {len(methods) for methods in paper.kid.values()} == {6, 13, 14}
    assert {len(methods) for methods in reproduction.kid.values()} == {8}


def test_the_page_of_the_repository_shows_its_ledger() -> None:
    ledger, page = ROOT / "docs" / "results.json", (ROOT / "docs" / "results.md").read_text("utf-8")
    kept = read_ledger(ledger)
    assert page == render_results(kept)
    for row in kept:
        if row.kind == "baseline":
            continue
        lines = [line for line in section(page, row.task).splitlines() if f"| {row.subject} |" in line]
        assert any(f"| {format_value(row)}" in line for line in lines), row


@pytest.mark.parametrize(
    ("ledger", "existing", "sentence"),
    [
        ("results.txt", {}, "needs a file whose name ends in .json, got results.txt"),
        ("a.json", {"a.json": "{}"}, "needs a new file or one that it has written, and a.json is another"),
        ("a.json", {"a.json": '{"format": 1, "rows": [{"subject": 1}]}'}, "and a.json is another"),
        ("a.json", {"a.json": "half"}, "and a.json is another"),
        ("README.json", {"README.md": "# Mine"}, "would replace README.md, which it has not written"),
        ("bundles/cat2dog.json", {"bundles/cat2dog.json/x": ""}, "cat2dog.json is a folder; name a file"),
    ],
)
def test_other_files_are_never_replaced(
    folder: Path, ledger: str, existing: dict[str, str], sentence: str
) -> None:
    for name, content in existing.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(content)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    code, _, error = typed("evaluate", "bundles/cat2dog", "--data", "cat2dog", "--ledger", ledger)
    assert (code, error.count("\n")) == (2, 1)
    assert sentence in error
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
