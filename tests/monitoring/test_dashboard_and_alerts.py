"""Test that the dashboard and the alerts query only metrics of the service."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from app.http.server.worker_metrics import merge
from tests.client import URL, in_process
from tests.monitoring.files import FOLDER, Panel, dashboard, metrics_of, panels, required, rules
from tests.packaging.files import ROOT, text
from tests.photos import photo


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """Return the labels of each sample of /metrics after a translation and a refusal."""
    with in_process(tmp_path_factory.mktemp("service") / "bundles") as client:
        for content in (photo(), b"nothing"):
            client.post(URL, content=content, headers={"Content-Type": "image/png"})
        # As with several workers: each sample has the label worker, and there is ugatit_worker_up.
        families = text_string_to_metric_families(merge({1: client.get("/metrics").text}).decode())
        labels: dict[str, set[str]] = {"up": {"job", "instance"}}
        for sample in (sample for family in families for sample in family.samples):
            labels.setdefault(sample.name, {"job", "instance"}).update(sample.labels)
    return labels


def check(expression: str, exported: dict[str, set[str]]) -> None:
    queried = list(metrics_of(expression))
    assert queried, expression
    for name, labels in queried:
        assert name in exported, expression
        assert labels <= exported[name], expression


@pytest.mark.parametrize("panel", panels(), ids=lambda panel: panel.title)
def test_panel_queries_exported_metrics_and_labels(panel: Panel, exported: dict[str, set[str]]) -> None:
    for expression, legend in zip(panel.expressions, panel.legends, strict=True):
        check(expression, exported)
        ((name, _), *_) = metrics_of(expression)
        grouped = re.search(r"by \(([^)]*)\)", expression)
        kept = set(re.split(r",\s*", grouped[1])) if grouped else exported[name]
        assert set(re.findall(r"{{(\w+)}}", legend)) <= kept


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_alert_queries_exported_metrics_and_has_a_remedy(
    rule: dict[str, object], exported: dict[str, set[str]]
) -> None:
    check(str(rule["expr"]), exported)
    assert isinstance(rule["annotations"], dict)
    assert rule["annotations"].keys() == {"summary", "remedy"}


def test_dashboard_shows_every_metric(exported: dict[str, set[str]]) -> None:
    shown = {name for panel in panels() for each in panel.expressions for name, _ in metrics_of(each)}
    families = {re.sub(r"_(bucket|sum|count|created)$", "", name) for name in shown}
    ours = {
        re.sub(r"_(bucket|sum|count|created)$", "", name) for name in exported if name.startswith("ugatit_")
    }
    # The creation times of counters belong to their counters.
    assert {name for name in ours if f"{name}_total" not in ours} <= families


def test_every_panel_can_be_limited_to_one_instance() -> None:
    variables = [each["name"] for each in dashboard()["templating"]["list"]]
    assert variables == ["instance", "direction"]
    for panel in panels():
        for expression in panel.expressions:
            queried = list(metrics_of(expression))
            assert all("instance" in labels for _, labels in queried), panel.title


def test_share_of_failures_excludes_health_probes() -> None:
    (panel,) = (panel for panel in panels() if "5xx" in panel.title)
    for expression in panel.expressions:
        matchers = re.findall(r"ugatit_requests_total\{([^}]*)\}", expression)
        assert all('route!~"/healthz|/readyz|/metrics"' in each for each in matchers)


def test_metric_names_end_in_their_unit(exported: dict[str, set[str]]) -> None:
    units = "seconds|bytes|pictures|total|info|entries|up|connections_open|connections_limit"
    states = {"ugatit_ready", "ugatit_provider", "ugatit_direction_state", "ugatit_permits_held"}
    for name in exported.keys() - states - {"ugatit_permits_limit", "ugatit_store_up"}:
        if name.startswith("ugatit_"):
            assert re.search(rf"_({units})(_(bucket|sum|count|created))?$|_created$", name), name


def test_panels_do_not_overlap() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in dashboard()["panels"]:
        at = panel["gridPos"]
        cells = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
        assert not cells & taken, panel["title"]
        assert max(x for x, _ in cells) < 24
        taken |= cells
    assert len({panel["id"] for panel in dashboard()["panels"]}) == len(dashboard()["panels"])


def test_every_panel_uses_the_provisioned_data_source() -> None:
    (source,) = yaml.safe_load(text(f"{FOLDER}/grafana/provisioning/datasources/prometheus.yml"))[
        "datasources"
    ]
    assert source["type"] == "prometheus"
    used = [panel.fields["datasource"]["uid"] for panel in panels()]
    used += [target["datasource"]["uid"] for panel in panels() for target in panel.fields["targets"]]
    assert set(used) == {source["uid"]}


@pytest.mark.parametrize(
    ("command", "path"),
    [
        (("check", "config"), f"{FOLDER}/prometheus.yml"),
        (("check", "rules", "--lint-fatal"), f"{FOLDER}/alerts.yml"),
        (("test", "rules"), "tests/monitoring/alerts.yml"),
    ],
    ids=["configuration", "rules", "alerts"],
)
def test_promtool_check_passes(command: tuple[str, ...], path: str) -> None:
    result = subprocess.run(
        [required("promtool"), *command, str(ROOT / path)], capture_output=True, text=True, timeout=60
    )
    assert result.returncode == 0, result.stdout + result.stderr


def test_every_alert_has_a_test() -> None:
    tests = yaml.safe_load(text("tests/monitoring/alerts.yml"))
    fired = {
        each["alertname"] for test in tests["tests"] for each in test["alert_rule_test"] if each["exp_alerts"]
    }
    assert fired == {rule["alert"] for rule in rules()}
    assert [Path(f"{ROOT}/tests/monitoring/{each}").resolve() for each in tests["rule_files"]] == [
        ROOT / FOLDER / "alerts.yml"
    ]
