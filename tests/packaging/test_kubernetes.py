"""Test the Kubernetes manifests: valid, as safe as the compose file, and in agreement with the service."""

from __future__ import annotations

import re

import kubernetes_validate
import pytest
import yaml

from app.settings.environment import variable
from app.settings.settings import Settings
from tests.packaging.files import compose_services, dockerfile_stages, text
from tests.packaging.kubernetes import (
    FOLDER,
    Manifest,
    build,
    containers,
    documents,
    environment,
    identity,
    pod_specs,
    pod_templates,
)

KUBERNETES = ("1.31", "1.37")
"""The oldest and the newest version against which the manifests are checked."""
KUSTOMIZATIONS = ("base", "volume", "object-store", "kuberay")

CLIENT = {"ugatit-store": "client"}
"""The label of pods that reach Redis."""
OWN = ("ugatit", "ugatit:cluster")
"""Images that are built from this repository."""

every_kustomization = pytest.mark.parametrize("name", KUSTOMIZATIONS)


@pytest.fixture
def objects() -> list[Manifest]:
    return build(FOLDER / "base")


@pytest.fixture
def pod(objects: list[Manifest]) -> Manifest:
    return pod_specs(objects)["ugatit"]


@pytest.fixture
def service(pod: Manifest) -> Manifest:
    (container,) = pod["containers"]
    return container  # type: ignore[no-any-return]


def one(objects: list[Manifest], kind: str, name: str = "ugatit") -> Manifest:
    (found,) = [each for each in objects if identity(each) == (kind, name)]
    return found


@every_kustomization
@pytest.mark.parametrize("version", KUBERNETES)
def test_every_object_is_valid_for_kubernetes(name: str, version: str) -> None:
    objects = build(FOLDER / name)
    for each in objects:
        if each["kind"] != "RayService":  # its schema is the operator's
            kubernetes_validate.validate(each, version, strict=True)
    for pod_name, template in pod_templates(objects).items():
        pod = {"apiVersion": "v1", "kind": "Pod", **template}
        pod["metadata"] = {**template["metadata"], "name": pod_name}
        kubernetes_validate.validate(pod, version, strict=True)


def test_every_manifest_is_part_of_a_kustomization_or_explained() -> None:
    folders = (*KUSTOMIZATIONS, "redis")
    assert {each.name for each in FOLDER.iterdir()} == {*folders, "prometheus-adapter.yaml"}
    for name in folders:
        (kustomization,) = documents(FOLDER / name / "kustomization.yaml")
        used = {*kustomization["resources"], *(each["path"] for each in kustomization.get("patches", []))}
        assert {each.name for each in (FOLDER / name).iterdir()} == {
            "kustomization.yaml",
            *(each for each in used if not each.startswith("..")),
        }


@every_kustomization
def test_no_container_has_privileges_or_a_writable_root(name: str) -> None:
    for pod_name, pod in pod_specs(build(FOLDER / name)).items():
        # The operator gives the head an account, by which it asks for machines.
        assert pod_name == "head" or pod["automountServiceAccountToken"] is False
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["runAsUser"] > 0
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in containers(pod):
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }


@every_kustomization
def test_every_container_has_bounded_memory_and_a_pinned_image(name: str) -> None:
    for pod in pod_specs(build(FOLDER / name)).values():
        for container in containers(pod):
            resources = container["resources"]
            assert resources["requests"]["memory"] == resources["limits"]["memory"]
            assert {"cpu", "memory"} == resources["requests"].keys() == resources["limits"].keys()
            assert container["image"] in OWN or re.fullmatch(r"[a-z/]+:\d+\.\d+", container["image"])


def test_service_runs_as_the_user_of_the_image(pod: Manifest) -> None:
    user, group = dockerfile_stages()[-1].one("USER").split(":")
    security = pod["securityContext"]
    assert (security["runAsUser"], security["runAsGroup"]) == (int(user), int(group))


def test_service_may_write_to_tmp_only(pod: Manifest, service: Manifest) -> None:
    assert service["volumeMounts"] == [{"name": "tmp", "mountPath": "/tmp"}]
    assert pod["volumes"] == [{"name": "tmp", "emptyDir": {"sizeLimit": "64Mi"}}]


def test_probes_are_the_endpoints_of_the_service(service: Manifest) -> None:
    (port,) = service["ports"]
    assert port["containerPort"] == int(dockerfile_stages()[-1].one("EXPOSE"))
    paths = {}
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        request = service[probe]["httpGet"]
        assert request["port"] == port["name"]
        paths[probe] = request["path"]
    assert paths == {"startupProbe": "/readyz", "readinessProbe": "/readyz", "livenessProbe": "/healthz"}


def test_a_bundle_may_open_as_long_as_its_setting_allows(service: Manifest) -> None:
    probe = service["startupProbe"]
    limit = probe["periodSeconds"] * probe["failureThreshold"]
    assert limit > Settings.model_fields["load_seconds"].default


def test_termination_exceeds_linger_and_grace(pod: Manifest, service: Manifest) -> None:
    linger = float(environment(service)["UGATIT_LINGER_SECONDS"])
    grace = Settings.model_fields["grace_seconds"].default
    assert linger >= 5  # readiness is checked every 3 s, and routes need a moment
    assert pod["terminationGracePeriodSeconds"] > linger + grace + 3


def test_every_variable_is_a_setting(service: Manifest) -> None:
    assert environment(service).keys() <= {variable(name) for name in Settings.model_fields}


def test_service_and_budget_select_the_pods(objects: list[Manifest]) -> None:
    labels = pod_templates(objects)["ugatit"]["metadata"]["labels"]
    for selector in (
        one(objects, "Deployment")["spec"]["selector"]["matchLabels"],
        one(objects, "Service")["spec"]["selector"],
        one(objects, "PodDisruptionBudget")["spec"]["selector"]["matchLabels"],
    ):
        assert selector.items() <= labels.items()


def test_autoscaler_scales_the_deployment_by_the_queue(objects: list[Manifest]) -> None:
    scaler = one(objects, "HorizontalPodAutoscaler")["spec"]
    assert (scaler["scaleTargetRef"]["kind"], scaler["scaleTargetRef"]["name"]) == ("Deployment", "ugatit")
    assert "replicas" not in one(objects, "Deployment")["spec"]  # else each apply would undo the scaling
    (metric,) = scaler["metrics"]
    name = metric["pods"]["metric"]["name"]
    assert f'"{name}"' in text("app/http/monitoring/metrics.py")
    target = int(metric["pods"]["target"]["averageValue"])
    assert 1 <= target <= Settings.model_fields["queue_size"].default / 2
    assert 2 <= scaler["minReplicas"] < scaler["maxReplicas"]


def test_adapter_offers_the_metric_of_the_autoscaler(objects: list[Manifest]) -> None:
    (rule,) = yaml.safe_load((FOLDER / "prometheus-adapter.yaml").read_text())["rules"]["custom"]
    (metric,) = one(objects, "HorizontalPodAutoscaler")["spec"]["metrics"]
    assert rule["name"]["as"] == metric["pods"]["metric"]["name"]
    assert rule["seriesQuery"].startswith(rule["name"]["as"] + "{")


def test_prometheus_is_sent_to_the_metrics(objects: list[Manifest], service: Manifest) -> None:
    (port,) = service["ports"]
    assert one(objects, "Deployment")["spec"]["template"]["metadata"]["annotations"] == {
        "prometheus.io/scrape": "true",
        "prometheus.io/port": str(port["containerPort"]),
        "prometheus.io/path": "/metrics",
    }


def test_redis_is_that_of_the_compose_file_and_open_to_its_clients_only(objects: list[Manifest]) -> None:
    (redis,) = pod_specs(objects)["ugatit-redis"]["containers"]
    compose = compose_services()["redis"]
    assert (redis["image"], redis["args"]) == (compose["image"], compose["command"][1:])
    (rule,) = one(objects, "NetworkPolicy", "ugatit-redis")["spec"]["ingress"]
    ((source,),) = [rule["from"]]
    assert source == {"podSelector": {"matchLabels": CLIENT}}
    assert CLIENT.items() <= pod_templates(objects)["ugatit"]["metadata"]["labels"].items()


def test_store_is_the_redis_of_the_manifests(objects: list[Manifest], service: Manifest) -> None:
    (port,) = one(objects, "Service", "ugatit-redis")["spec"]["ports"]
    assert environment(service)["UGATIT_STORE_URL"] == f"redis://ugatit-redis:{port['port']}/0"


@pytest.mark.parametrize("name", ["volume", "object-store"])
def test_own_bundles_replace_those_of_the_image_and_are_read_only(name: str) -> None:
    pod = pod_specs(build(FOLDER / name))["ugatit"]
    (service,) = pod["containers"]
    (bundles,) = [each for each in service["volumeMounts"] if each["name"] == "bundles"]
    assert bundles["mountPath"] in re.split(r"[= ]", dockerfile_stages()[-1].one("ENV"))
    assert bundles["readOnly"] is True
    assert {"bundles", "tmp"} == {each["name"] for each in pod["volumes"]}


def test_bundles_of_an_object_store_are_copied_before_the_service_starts() -> None:
    pod = pod_specs(build(FOLDER / "object-store"))["ugatit"]
    (copy,) = pod["initContainers"]
    written = {each["mountPath"] for each in copy["volumeMounts"] if each["name"] == "bundles"}
    assert copy["args"] == ["copy", "--checksum", "$(BUNDLES)", *written]
    assert "BUNDLES" in environment(copy)


def test_bundles_of_a_volume_are_claimed() -> None:
    objects = build(FOLDER / "volume")
    (volume,) = [each for each in pod_specs(objects)["ugatit"]["volumes"] if each["name"] == "bundles"]
    assert one(objects, "PersistentVolumeClaim", volume["persistentVolumeClaim"]["claimName"])
