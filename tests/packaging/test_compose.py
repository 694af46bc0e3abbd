"""Test the compose files: safe defaults with every profile, and no weaker protection on GPUs."""

from __future__ import annotations

import itertools
import re
from datetime import timedelta
from typing import Any

import pytest
import yaml

from app.settings.environment import variable
from app.settings.settings import Settings
from tests.packaging.files import ROOT, compose_services, dockerfile_stages, text

every_service = pytest.mark.parametrize("name", compose_services())


@pytest.fixture
def service() -> dict[str, Any]:
    return compose_services()["ugatit"]


@pytest.fixture
def gpu_service() -> dict[str, Any]:
    (service,) = compose_services("docker-compose.gpu.yml").values()
    return service


def seconds(duration: str) -> float:
    """Return a duration such as 50s in seconds."""
    amount = re.fullmatch(r"(\d+)s", duration)
    assert amount, duration
    return timedelta(seconds=int(amount[1])).total_seconds()


def test_service_is_published_on_localhost_by_default(service: dict[str, Any]) -> None:
    assert service["ports"] == ["${UGATIT_HOST:-127.0.0.1}:${UGATIT_PORT:-8000}:8000"]


def test_what_a_profile_adds_is_published_on_localhost_only() -> None:
    published = {name: each["ports"] for name, each in compose_services().items() if "ports" in each}
    assert published.keys() == {"ugatit", "cluster", "prometheus", "grafana"}
    for name in ("cluster", "prometheus", "grafana"):
        (port,) = published[name]
        assert re.fullmatch(r"127\.0\.0\.1:\$\{[A-Z]+_PORT:-\d+\}:\d+", port)


def test_up_without_profile_starts_only_the_service() -> None:
    always = [name for name, each in compose_services().items() if not each.get("profiles")]
    assert always == ["ugatit"]
    assert {profile for each in compose_services().values() for profile in each.get("profiles", [])} == {
        "cluster",
        "monitoring",
        "redis",
    }


@every_service
def test_container_can_write_only_to_tmpfs_and_its_own_volume(name: str) -> None:
    service = compose_services()[name]
    assert service["read_only"] is True
    for mount in service["tmpfs"]:
        assert re.fullmatch(r"/(tmp|data):.*\bnoexec\b.*\bsize=\d+m\b.*", mount)
    for volume in service.get("volumes", []):
        source, _, *mode = volume.split(":")
        assert source == name or (mode == ["ro"] and (ROOT / source).exists())


@every_service
def test_container_has_no_privileges(name: str) -> None:
    service = compose_services()[name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not {"privileged", "cap_add", "network_mode", "pid"} & service.keys()
    assert not service.get("user", "1").startswith(("0", "root"))


@every_service
def test_container_limits_memory_and_threads(name: str) -> None:
    limits = compose_services()[name]["deploy"]["resources"]["limits"]
    assert re.fullmatch(r"\d+[gm]", limits["memory"])
    assert 64 <= limits["pids"] <= 4096


@every_service
def test_container_log_is_rotated(name: str) -> None:
    logging = compose_services()[name]["logging"]
    assert logging == {"driver": "json-file", "options": {"max-size": "10m", "max-file": "5"}}


@every_service
def test_container_restarts_has_an_init_process_and_time_to_stop(name: str) -> None:
    service = compose_services()[name]
    assert service["restart"] == "unless-stopped"
    assert service["init"] is True
    assert seconds(service["stop_grace_period"]) >= 10
    assert service["healthcheck"]["test"][0] == "CMD"


def test_services_wait_until_their_dependencies_are_healthy() -> None:
    services = compose_services()
    assert services["ugatit"]["depends_on"] == {"redis": {"condition": "service_healthy", "required": False}}
    assert services["grafana"]["depends_on"] == {"prometheus": {"condition": "service_healthy"}}
    # Prometheus must run even if the service does not become healthy.
    assert services["prometheus"]["depends_on"] == {"ugatit": {"condition": "service_started"}}


def test_third_party_images_are_pinned() -> None:
    for name, service in compose_services().items():
        if name not in ("ugatit", "cluster"):
            assert re.fullmatch(r"[a-z/]+:v?\d+\.\d+(\.\d+)?", service["image"])


def test_redis_is_bounded_writes_no_disk_and_is_reachable_by_the_service_only() -> None:
    redis = compose_services()["redis"]
    options = dict(itertools.pairwise(redis["command"]))
    assert options["--maxmemory-policy"] == "allkeys-lru"
    assert (options["--save"], options["--appendonly"]) == ("", "no")
    assert options["--maxmemory"] == "512mb"
    assert redis["deploy"]["resources"]["limits"]["memory"] == "1g"
    assert "ports" not in redis
    assert [name for name, each in compose_services().items() if "store" in each.get("networks", [])] == [
        "ugatit",
        "cluster",
        "redis",
    ]
    assert yaml.safe_load(text("docker-compose.yml"))["networks"]["store"] == {"internal": True}


def test_prometheus_scrapes_the_compose_service() -> None:
    (job,) = yaml.safe_load(text("docker/monitoring/prometheus.yml"))["scrape_configs"]
    port = dockerfile_stages()[-1].one("EXPOSE")
    assert job["static_configs"] == [{"targets": [f"ugatit:{port}"]}]
    assert targets("prometheus")["/etc/prometheus/alerts.yml"] == "./docker/monitoring/alerts.yml"
    assert "--config.file=/etc/prometheus/prometheus.yml" in compose_services()["prometheus"]["command"]


def test_grafana_has_prometheus_and_the_dashboard_and_no_login() -> None:
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
    """Return the source of each mount of a container by its target."""
    pairs = (volume.split(":") for volume in compose_services()[name]["volumes"])
    return {target: source for source, target, *_ in pairs}


def test_container_health_is_readiness(service: dict[str, Any]) -> None:
    *_, script, path = service["healthcheck"]["test"]
    assert path == "/readyz"
    assert (ROOT / script.removeprefix("/srv/ugatit/")).is_file()
    assert f'"{script}", "{path}"' in dockerfile_stages()[-1].one("HEALTHCHECK")


def test_stop_period_exceeds_the_grace_which_exceeds_the_deadline(service: dict[str, Any]) -> None:
    settings = Settings.model_fields
    deadline, grace = settings["deadline_seconds"].default, settings["grace_seconds"].default
    assert deadline < grace < seconds(service["stop_grace_period"])


def test_every_setting_except_those_of_the_image_is_passed_on(service: dict[str, Any]) -> None:
    own = {"host", "port", "bundles_dir"}
    passed = {variable(name) for name in Settings.model_fields if name not in own}
    standard = {name for name in service["environment"] if name.startswith("OTEL_")}
    assert service["environment"] == dict.fromkeys(passed | standard)


def test_gpu_file_builds_the_image_with_cuda(service: dict[str, Any], gpu_service: dict[str, Any]) -> None:
    assert gpu_service["build"] == {"args": {"EXTRA": "cuda"}}
    assert gpu_service["image"] != service["image"]


def test_gpu_file_reserves_and_requires_a_gpu(gpu_service: dict[str, Any]) -> None:
    (device,) = gpu_service["deploy"]["resources"]["reservations"]["devices"]
    assert device["driver"] == "nvidia"
    assert device["capabilities"] == ["gpu"]
    assert gpu_service["environment"] == {"UGATIT_REQUIRE_GPU": "1"}


def test_gpu_file_weakens_no_protection(gpu_service: dict[str, Any]) -> None:
    assert gpu_service.keys() == {"build", "image", "environment", "deploy"}


def test_cluster_has_the_settings_and_the_health_of_the_service(service: dict[str, Any]) -> None:
    cluster = compose_services()["cluster"]
    assert cluster["build"]["args"] == {"EXTRA": "cluster"}
    assert cluster["command"][:3] == ["cluster", "up", "--foreground"]
    assert cluster["environment"] == service["environment"]
    assert cluster["healthcheck"]["test"] == service["healthcheck"]["test"]
    assert seconds(cluster["stop_grace_period"]) > seconds(service["stop_grace_period"])
