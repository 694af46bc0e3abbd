"""`docker compose up` is safe as it is, and the file for GPUs adds a GPU and takes nothing away."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest

from app.settings import Settings, variable
from tests.packaging.files import ROOT, compose_service, dockerfile_stages


@pytest.fixture
def service() -> dict[str, Any]:
    return compose_service("docker-compose.yml")


@pytest.fixture
def on_gpu() -> dict[str, Any]:
    return compose_service("docker-compose.gpu.yml")


def seconds(duration: str) -> float:
    amount = re.fullmatch(r"(\d+)s", duration)
    assert amount, duration
    return timedelta(seconds=int(amount[1])).total_seconds()


def test_it_is_published_to_this_machine_only_unless_told_otherwise(service: dict[str, Any]) -> None:
    assert service["ports"] == ["${UGATIT_HOST:-127.0.0.1}:${UGATIT_PORT:-8000}:8000"]


def test_the_container_can_write_nothing_but_tmp(service: dict[str, Any]) -> None:
    assert service["read_only"] is True
    (tmp,) = service["tmpfs"]
    assert re.fullmatch(r"/tmp:.*\bnoexec\b.*\bsize=\d+m\b.*", tmp)
    assert not service.get("volumes")


def test_the_container_has_no_privileges(service: dict[str, Any]) -> None:
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not {"privileged", "cap_add", "network_mode", "pid", "user"} & service.keys()


def test_memory_and_threads_are_limited(service: dict[str, Any]) -> None:
    limits = service["deploy"]["resources"]["limits"]
    assert re.fullmatch(r"\d+g", limits["memory"])
    assert 256 <= limits["pids"] <= 4096


def test_health_is_readiness(service: dict[str, Any]) -> None:
    *_, script, path = service["healthcheck"]["test"]
    assert path == "/readyz"
    assert (ROOT / script.removeprefix("/srv/ugatit/")).is_file()
    assert f'"{script}", "{path}"' in dockerfile_stages()[-1].one("HEALTHCHECK")


def test_a_stop_waits_for_the_server_and_the_server_for_its_pictures(service: dict[str, Any]) -> None:
    settings = Settings.model_fields
    deadline, grace = settings["deadline_seconds"].default, settings["grace_seconds"].default
    assert deadline < grace < seconds(service["stop_grace_period"])


def test_it_comes_back_by_itself_and_reaps_its_children(service: dict[str, Any]) -> None:
    assert service["restart"] == "unless-stopped"
    assert service["init"] is True


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
