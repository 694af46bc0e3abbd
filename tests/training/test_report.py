"""Test the report of a run."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.training.command import typed
from tests.training.recorded_run import line, old_line, write_run
from training.methods.ugatit.kind import UGATIT
from training.report.charts import POINTS, group_lines, sections
from training.report.page import draw_page
from training.report.pictures import embedded
from training.report.read import read_run

LINES = [line(step) for step in (10, 20, 30, 40)]


def data_of(page: str) -> dict[str, Any]:
    """Return the numbers and pictures inside a page."""
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    data: dict[str, Any] = json.loads(found[1])
    return data


def test_report_is_written_to_the_run_or_to_out(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", LINES)
    code, out, error = typed("report", run.path, "--out", tmp_path / "mine.html")
    assert (code, error) == (0, "")
    assert "mine.html: " in out
    assert (tmp_path / "mine.html").read_text().startswith("<!doctype html>")
    assert not (run.path / "report.html").exists()


def test_folder_that_is_not_a_run_is_one_sentence(tmp_path: Path) -> None:
    code, _, error = typed("report", tmp_path)
    assert code == 2
    assert "is not a run: it has no readable config.json" in error
    assert error.count("\n") == 1


def test_report_explains_the_score_and_its_weights(tmp_path: Path) -> None:
    run = write_run(tmp_path, LINES)
    for decay, weights in (
        (0.9, "the running average of the generators&#x27; weights"),
        (0.0, "the raw weights"),
    ):
        config = json.loads((run.path / "config.json").read_text())
        config["config"]["average_decay"] = decay
        (run.path / "config.json").write_text(json.dumps(config))
        page = draw_page(read_run(run.path))
        assert "The score is cycle + identity L1: on the test pictures of the sample sheets (up to 4" in page
        assert f"It is measured with {weights}" in page
        assert "Lower is better." in page


def test_page_loads_nothing_from_other_hosts(tmp_path: Path) -> None:
    page = draw_page(read_run(write_run(tmp_path, LINES).path))
    hosts = set(
        re.findall(r"(?:https?:)?//[\w.-]+\.[a-z]{2,}[^\s\"')]*", re.sub(r"base64,[\w+/=]+", "", page))
    )
    assert hosts == {"http://www.w3.org/2000/svg"}  # an XML namespace, which no browser loads
    assert "src=" not in re.sub(r'src="data:image/', "", page)
    assert "<link" not in page


def test_every_number_of_a_line_is_drawn(tmp_path: Path) -> None:
    data = data_of(draw_page(read_run(write_run(tmp_path, LINES).path)))
    assert data["steps"] == [10, 20, 30, 40]
    drawn = {line["name"]: line["values"] for chart in data["charts"] for line in chart["lines"]}
    assert drawn["B"] == [0.2, 0.1, pytest.approx(2 / 30, rel=1e-4), 0.05]
    assert drawn["global A"] == [0.5] * 4
    assert drawn["mean"] == [0.9] * 4
    assert drawn["genA2B"] == [3.0] * 4
    assert drawn["generators"] == [1e-4] * 4
    assert drawn["images"] == [2.0] * 4
    assert drawn["waiting"] == [0.5] * 4
    (rho,) = [chart for chart in data["charts"] if chart["band"]]
    assert rho["band"] == [[0.85] * 4, [0.95] * 4]
    assert rho["ends"] == [0, 1]


def test_lines_of_older_versions_are_drawn_with_the_values_they_have(tmp_path: Path) -> None:
    run = write_run(tmp_path, [old_line(10), old_line(20)])
    page = draw_page(read_run(run.path))
    names = {line["name"] for chart in data_of(page)["charts"] for line in chart["lines"]}
    assert names == {"A", "B", "global A", "step"}
    assert "Gradient norms" not in page
    run.add_stats(line(30))
    both = data_of(draw_page(read_run(run.path)))
    rho = next(chart for chart in both["charts"] if chart["band"])["lines"][0]
    assert rho["values"] == [None, None, 0.9]


def test_run_without_lines_has_a_page(tmp_path: Path) -> None:
    run = write_run(tmp_path, [])
    for sheet in run.samples.iterdir():
        sheet.unlink()
    page = draw_page(read_run(run.path))
    assert data_of(page) == {"steps": [], "charts": [], "sheets": []}
    assert "of 80" in page


def test_incomplete_lines_and_non_finite_losses_leave_gaps(tmp_path: Path) -> None:
    run = write_run(tmp_path, [line(10), line(20, G_cycle_A=float("nan"))])
    with run.stats.open("a") as file:
        file.write('{"step": 30, "sec')
    data = data_of(draw_page(read_run(run.path)))
    assert data["steps"] == [10, 20]
    assert data["charts"][0]["lines"][0]["values"] == [0.1, None]


def test_names_from_the_run_are_escaped(tmp_path: Path) -> None:
    lines = [line(10, **{"G_</script><b>_A": 1.0})]
    page = draw_page(read_run(write_run(tmp_path, lines).path))
    assert "</script><b>" not in page
    assert "&lt;cats&gt; &amp; dogs" in page


def test_long_run_is_drawn_as_means_of_consecutive_lines() -> None:
    groups = group_lines([line(step, G_cycle_A=float(step)) for step in range(1, 10 * POINTS + 1)])
    assert len(groups) == POINTS
    cycle = sections(groups, UGATIT)[0].charts[0].lines["A"]
    assert cycle[:2] == [5.5, 15.5]


def test_embedded_sheets_respect_the_budget_and_include_the_newest(tmp_path: Path) -> None:
    sheets = read_run(write_run(tmp_path, LINES).path).sheets
    everything = embedded(sheets)
    assert [each["steps"] for each in everything] == [[20, 40], [20, 40]]
    assert [each["name"] for each in everything] == ["A2B, test pictures", "B2A, train pictures"]
    assert [each["steps"] for each in embedded(sheets, budget_bytes=1)] == [[40], [40]]


def test_page_contains_config_and_environment(tmp_path: Path) -> None:
    page = draw_page(read_run(write_run(tmp_path, LINES).path))
    assert "<td>ugatit.generator.light</td><td>yes</td><td>instead of no</td>" in page
    assert "<td>versions.torch</td>" in page


def test_an_evaluation_is_a_curve_over_the_steps_between(tmp_path: Path) -> None:
    lines = [line(step) for step in (10, 20, 30)]
    for step, extractor in ((10, "a"), (20, "b"), (30, "a")):
        values = {"A2B": step / 10, "B2A": 1.0, "mean": 2.0}
        evaluation = {"metric": f"kid-{extractor}", "values": values, "seconds": 1.0}
        lines.append({"step": step, "evaluation": evaluation})
    record = read_run(write_run(tmp_path / "run", lines).path)
    assert [each["step"] for each in record.lines] == [10, 20, 30]
    assert all("seconds" in each and "evaluation" in each for each in record.lines)
    first, second = sections(group_lines(record.lines), UGATIT)[0].charts
    assert (first.title, second.title) == ("KID-a", "KID-b")  # never in one chart
    assert first.lines["A2B"] == [1.0, None, 3.0]
    assert second.lines["A2B"] == [None, 2.0, None]
    assert first.joined
