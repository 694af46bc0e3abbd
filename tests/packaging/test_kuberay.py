"""Test the manifest for the KubeRay operator: Serve's configuration, and the fronts beside Ray."""

from __future__ import annotations

import importlib
import inspect
from importlib.metadata import version
from typing import TYPE_CHECKING

import pytest
import yaml

from app.cluster.ray_head import serve_environment
from app.settings.environment import variable
from app.settings.settings import Settings
from tests.packaging.files import dockerfile_stages
from tests.packaging.kubernetes import FOLDER, Manifest, build, containers, environment, pod_templates

if TYPE_CHECKING:
    from ray.serve.schema import ServeDeploySchema

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of Ray, when it is imported


@pytest.fixture(scope="module")
def objects() -> list[Manifest]:
    return build(FOLDER / "kuberay")


@pytest.fixture(scope="module")
def ray_service(objects: list[Manifest]) -> Manifest:
    (found,) = [each for each in objects if each["kind"] == "RayService"]
    return found["spec"]  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def front(objects: list[Manifest]) -> Manifest:
    (found,) = [
        each for each in pod_templates(objects)["fronts"]["spec"]["containers"] if each["name"] == "front"
    ]
    return found


@pytest.fixture(scope="module")
def serve_config(ray_service: Manifest) -> ServeDeploySchema:
    from ray.serve.schema import ServeDeploySchema

    return ServeDeploySchema.model_validate(yaml.safe_load(ray_service["serveConfigV2"]))


def test_serve_has_no_proxy_of_its_own(serve_config: ServeDeploySchema) -> None:
    assert serve_config.proxy_location == "Disabled"
    assert [each.route_prefix for each in serve_config.applications] == [None]


def test_serve_imports_the_application_with_its_options(serve_config: ServeDeploySchema) -> None:
    from app.cluster.options import APPLICATION, ClusterOptions

    (application,) = serve_config.applications
    module, _, name = application.import_path.partition(":")
    builder = getattr(importlib.import_module(module), name)
    assert list(inspect.signature(builder).parameters) == ["arguments"]
    assert application.name == APPLICATION
    ClusterOptions.model_validate(application.args)


def test_replicas_of_two_directions_and_of_a_new_version_of_one_fit_into_the_pods(
    ray_service: Manifest, serve_config: ServeDeploySchema
) -> None:
    (models, fronts) = ray_service["rayClusterConfig"]["workerGroupSpecs"]
    cores = models["replicas"] * int(models["rayStartParams"]["num-cpus"])
    args = serve_config.applications[0].args
    assert max(3 * args["replicas"], args["max_replicas"]) * args["replica_cpus"] <= cores
    (container,) = models["template"]["spec"]["containers"]
    assert container["resources"]["limits"]["cpu"] == models["rayStartParams"]["num-cpus"]
    assert fronts["rayStartParams"]["num-cpus"] == "0"  # no replica runs beside a front


def test_ray_is_the_version_of_the_image(ray_service: Manifest) -> None:
    assert ray_service["rayClusterConfig"]["rayVersion"] == version("ray")


def test_clients_reach_the_fronts(objects: list[Manifest], front: Manifest) -> None:
    (service,) = [each["spec"] for each in objects if each["kind"] == "Service" and "front" in str(each)]
    assert service["selector"].items() <= pod_templates(objects)["fronts"]["metadata"]["labels"].items()
    (port,) = front["ports"]
    assert (port["name"], port["containerPort"]) == (
        service["ports"][0]["targetPort"],
        int(dockerfile_stages()[-1].one("EXPOSE")),
    )


def test_front_is_the_command_that_joins_a_running_cluster(front: Manifest) -> None:
    from app.cli import cli

    group, command = front["args"]
    assert command in cli.commands[group].commands  # type: ignore[attr-defined]


def test_probes_of_the_front_are_the_endpoints_of_the_service(front: Manifest) -> None:
    paths = {
        name: front[name]["httpGet"]["path"] for name in ("startupProbe", "readinessProbe", "livenessProbe")
    }
    assert paths == {"startupProbe": "/readyz", "readinessProbe": "/readyz", "livenessProbe": "/healthz"}
    startup = front["startupProbe"]
    limit = startup["periodSeconds"] * startup["failureThreshold"]
    assert limit > Settings.model_fields["load_seconds"].default


def test_every_container_of_ray_has_its_own_probe(objects: list[Manifest]) -> None:
    # The operator's own probes need wget, which the image does not have.
    for name in ("head", "models", "fronts"):
        for container in containers(pod_templates(objects)[name]["spec"]):
            assert "readinessProbe" in container, name


def test_front_ends_before_its_ray_and_both_within_the_pods_time(
    objects: list[Manifest], front: Manifest
) -> None:
    pod = pod_templates(objects)["fronts"]["spec"]
    linger = float(environment(front)["UGATIT_LINGER_SECONDS"])
    grace = Settings.model_fields["grace_seconds"].default
    (ray,) = [each for each in pod["containers"] if each["name"] == "ray"]
    _, seconds = ray["lifecycle"]["preStop"]["exec"]["command"]
    assert linger + grace + 3 <= float(seconds) < pod["terminationGracePeriodSeconds"]
    models = pod_templates(objects)["models"]["spec"]
    assert models["terminationGracePeriodSeconds"] > Settings.model_fields["deadline_seconds"].default


def test_fronts_reach_redis_and_every_process_has_the_same_bundles_and_store(objects: list[Manifest]) -> None:
    templates = pod_templates(objects)
    assert templates["fronts"]["metadata"]["labels"]["ugatit-store"] == "client"
    settings = {variable(name) for name in Settings.model_fields}
    for name in ("head", "models", "fronts"):
        for container in templates[name]["spec"]["containers"]:
            variables = environment(container)
            rays_own = {name: each for name, each in variables.items() if name.startswith("RAY_")}
            assert variables.keys() - rays_own.keys() <= settings
            assert rays_own.items() <= serve_environment("").items()
            assert variables["UGATIT_BUNDLES_DIR"] in dockerfile_stages()[-1].one("ENV")
            assert variables["UGATIT_STORE_URL"] == "redis://ugatit-redis:6379/0"


def test_only_rays_own_pods_and_the_operator_reach_its_ports(objects: list[Manifest]) -> None:
    (policy,) = [each["spec"] for each in objects if each["metadata"]["name"] == "ugatit-ray"]
    (rule,) = policy["ingress"]
    own, operator = rule["from"]
    assert own["podSelector"] == policy["podSelector"]
    assert operator["podSelector"]["matchLabels"] == {"app.kubernetes.io/name": "kuberay-operator"}
    (expression,) = policy["podSelector"]["matchExpressions"]
    parts = {
        template["metadata"]["labels"].get("ugatit-part") for template in pod_templates(objects).values()
    }
    assert set(expression["values"]) == parts - {None}
