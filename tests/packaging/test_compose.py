"""`docker compose up` is safe as it is, with every profile; the file for GPUs loosens nothing."""

from __future__ import annotations

import itertools
import re
from datetime import timedelta
from typing import Any

import pytest
import yaml

from app.settings.settings import Settings, variable
from tests.packaging.files import ROOT, compose_services, dockerfile_stages, text

every_service = pytest.mark.parametrize("name", compose_services())


@pytest.fixture
def service() -> dict[str, Any]:
    return compose_services()["ugatit"]


@pytest.fixture
def on_gpu() -> dict[str, Any]:
    (service,) = compose_services("docker-compose.gpu.yml").values()
    return service


def seconds(duration: str) -> float:
    amount = re.fullmatch(r"(\d+)s", duration)
    assert amount, duration
    return timedelta(seconds=int(amount[1])).total_seconds()


def test_it_is_published_to_this_machine_only_unless_told_otherwise(service: dict[str, Any]) -> None:
    assert service["ports"] == ["${UGATIT_HOST:-127.0.0.1}:${UGATIT_PORT:-8000}:8000"]


def test_beside_the_service_only_monitoring_is_published_and_to_this_machine_only() -> None:
    published = {name: each["ports"] for name, each in compose_services().items() if "ports" in each}
    assert published.keys() == {"ugatit", "prometheus", "grafana"}
    for name in ("prometheus", "grafana"):
        (port,) = published[name]
        assert re.fullmatch(r"127\.0\.0\.1:\$\{[A-Z]+_PORT:-\d+\}:\d+", port)


def test_plain_up_starts_the_service_alone() -> None:
    always = [name for name, each in compose_services().items() if not each.get("profiles")]
    assert always == ["ugatit"]
    assert {profile for each in compose_services().values() for profile in each.get("profiles", [])} == {
        "monitoring",
        "redis",
    }


@every_service
def test_a_container_can_write_nothing_but_tmp_and_its_own_volume(name: str) -> None:
    service = compose_services()[name]
    assert service["read_only"] is True
    for mount in service["tmpfs"]:
        assert re.fullmatch(r"/(tmp|data):.*\bnoexec\b.*\bsize=\d+m\b.*", mount)
    for volume in service.get("volumes", []):
        source, _, *mode = volume.split(":")
        assert source == name or (mode == ["ro"] and (ROOT / source).exists())


@every_service
def test_a_container_has_no_privileges(name: str) -> None:
    service = compose_services()[name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not {"privileged", "cap_add", "network_mode", "pid"} & service.keys()
    assert not service.get("user", "1").startswith(("0", "root"))


@every_service
def test_memory_and_threads_are_limited(name: str) -> None:
    limits = compose_services()[name]["deploy"]["resources"]["limits"]
    assert re.fullmatch(r"\d+[gm]", limits["memory"])
    assert 64 <= limits["pids"] <= 4096


@every_service
def test_a_container_s_log_has_a_bound(name: str) -> None:
    logging = compose_services()[name]["logging"]
    assert logging == {"driver": "json-file", "options": {"max-size": "10m", "max-file": "5"}}


@every_service
def test_a_container_comes_back_by_itself_reaps_its_children_and_is_given_time(name: str) -> None:
    service = compose_services()[name]
    assert service["restart"] == "unless-stopped"
    assert service["init"] is True
    assert seconds(service["stop_grace_period"]) >= 10
    assert service["healthcheck"]["test"][0] == "CMD"


def test_who_needs_another_waits_until_it_is_healthy() -> None:
    services = compose_services()
    assert services["ugatit"]["depends_on"] == {"redis": {"condition": "service_healthy", "required": False}}
    assert services["grafana"]["depends_on"] == {"prometheus": {"condition": "service_healthy"}}
    # Who watches must be there when the service does not get healthy.
    assert services["prometheus"]["depends_on"] == {"ugatit": {"condition": "service_started"}}


def test_images_of_others_are_pinned() -> None:
    for name, service in compose_services().items():
        if name != "ugatit":
            assert re.fullmatch(r"[a-z/]+:v?\d+\.\d+(\.\d+)?", service["image"])


def test_redis_is_bounded_keeps_nothing_on_disk_and_only_the_service_reaches_it() -> None:
    redis = compose_services()["redis"]
    options = dict(itertools.pairwise(redis["command"]))
    assert options["--maxmemory-policy"] == "allkeys-lru"
    assert (options["--save"], options["--appendonly"]) == ("", "no")
    assert options["--maxmemory"] == "512mb"
    assert redis["deploy"]["resources"]["limits"]["memory"] == "1g"
    assert "ports" not in redis
    assert [name for name, each in compose_services().items() if "store" in each.get("networks", [])] == [
        "ugatit",
        "redis",
    ]
    assert yaml.safe_load(text("docker-compose.yml"))["networks"]["store"] == {"internal": True}


def test_prometheus_asks_the_service_where_compose_has_it() -> None:
    (job,) = yaml.safe_load(text("docker/monitoring/prometheus.yml"))["scrape_configs"]
    port = dockerfile_stages()[-1].one("EXPOSE")
    assert job["static_configs"] == [{"targets": [f"ugatit:{port}"]}]
    assert targets("prometheus")["/etc/prometheus/alerts.yml"] == "./docker/monitoring/alerts.yml"
    assert "--config.file=/etc/prometheus/prometheus.yml" in compose_services()["prometheus"]["command"]


def test_grafana_finds_prometheus_and_the_dashboard_and_nobody_can_log_in() -> None:
    provisioning = "docker/monitoring/grafana/provisioning"
    (source,) = yaml.safe_load(text(f"{provisioning}/datasources/prometheus.yml"))["datasources"]
    assert source["url"] == "http://prometheus:9090"
    (provider,) = yaml.safe_load(text(f"{provisioning}/dashboards/ugatit.yml"))["providers"]
    folder = targets("grafana")[provider["options"]["path"]]
    assert (ROOT / folder / "ugatit.json").is_file()
    environment = compose_services()["grafana"]["environment"]
    assert environment["GF_AUTH_ANONYMOUS_ORG_ROLE"] == "Viewer"
    assert environment["GF_AUTH_DISABLE_LOGIN_FORM"] == "true"
    assert environment["GF_AUTH_BASIC_ENABLED"] == "false"


def targets(name: str) -> dict[str, str]:
    """What is mounted where in a container."""
    pairs = (volume.split(":") for volume in compose_services()[name]["volumes"])
    return {target: source for source, target, *_ in pairs}


def test_health_is_readiness(service: dict[str, Any]) -> None:
    *_, script, path = service["healthcheck"]["test"]
    assert path == "/readyz"
    assert (ROOT / script.removeprefix("/srv/ugatit/")).is_file()
    assert f'"{script}", "{path}"' in dockerfile_stages()[-1].one("HEALTHCHECK")


def test_a_stop_waits_for_the_server_and_the_server_for_its_pictures(service: dict[str, Any]) -> None:
    settings = Settings.model_fields
    deadline, grace = settings["deadline_seconds"].default, settings["grace_seconds"].default
    assert deadline < grace < seconds(service["stop_grace_period"])


def test_every_setting_but_the_image_s_own_is_passed_on(service: dict[str, Any]) -> None:
    own = {"host", "port", "bundles_dir"}
    passed = {variable(name) for name in Settings.model_fields if name not in own}
    standard = {name for name in service["environment"] if name.startswith("OTEL_")}
    assert service["environment"] == dict.fromkeys(passed | standard)


def test_the_gpu_file_builds_the_same_image_with_cuda(
    service: dict[str, Any], on_gpu: dict[str, Any]
) -> None:
    assert on_gpu["build"] == {"args": {"EXTRA": "cuda"}}
    assert on_gpu["image"] != service["image"]


def test_the_gpu_file_reserves_a_gpu_and_refuses_to_do_without(on_gpu: dict[str, Any]) -> None:
    (device,) = on_gpu["deploy"]["resources"]["reservations"]["devices"]
    assert device["driver"] == "nvidia"
    assert device["capabilities"] == ["gpu"]
    assert on_gpu["environment"] == {"UGATIT_REQUIRE_GPU": "1"}


def test_the_gpu_file_loosens_nothing(on_gpu: dict[str, Any]) -> None:
    assert on_gpu.keys() == {"build", "image", "environment", "deploy"}
