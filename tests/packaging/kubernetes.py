"""Build the Kubernetes manifests as `kubectl kustomize` does, for the features that ours use."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from tests.packaging.files import ROOT

FOLDER = ROOT / "docker" / "kubernetes"
Manifest = dict[str, Any]


def build(folder: Path) -> list[Manifest]:
    """Return the objects of a kustomization, patched."""
    (kustomization,) = documents(folder / "kustomization.yaml")
    assert kustomization.keys() <= {"apiVersion", "kind", "resources", "patches"}, "more than this file does"
    objects = []
    for resource in kustomization["resources"]:
        path = (folder / resource).resolve()
        objects += build(path) if path.is_dir() else documents(path)
    for patch in kustomization.get("patches", []):
        (change,) = documents(folder / patch["path"])
        (position,) = [number for number, each in enumerate(objects) if identity(each) == identity(change)]
        objects[position] = merge(objects[position], change)
    return objects


def documents(path: Path) -> list[Manifest]:
    """Return the documents of a YAML file."""
    return list(yaml.safe_load_all(path.read_text(encoding="utf-8")))


def identity(manifest: Manifest) -> tuple[str, str]:
    """Return kind and name."""
    return manifest["kind"], manifest["metadata"]["name"]


def merge(base: Any, change: Any) -> Any:
    """Return the strategic merge: objects by key, lists of named objects by name, else the change."""
    if isinstance(base, dict) and isinstance(change, dict):
        return base | {key: merge(base.get(key), value) for key, value in change.items()}
    if isinstance(base, list) and isinstance(change, list) and all("name" in each for each in base + change):
        named = {each["name"]: each for each in base}
        named |= {each["name"]: merge(named.get(each["name"]), each) for each in change}
        return list(named.values())
    return change


def pod_specs(objects: list[Manifest]) -> dict[str, Manifest]:
    """Return the specification of the pods of each Deployment, and of each group of a RayService, by name."""
    return {name: template["spec"] for name, template in pod_templates(objects).items()}


def pod_templates(objects: list[Manifest]) -> dict[str, Manifest]:
    """Return the templates of all pods by the name of their Deployment, or of their group on Ray."""
    templates = {}
    for each in objects:
        if each["kind"] == "Deployment":
            templates[each["metadata"]["name"]] = each["spec"]["template"]
        if each["kind"] == "RayService":
            cluster = each["spec"]["rayClusterConfig"]
            templates["head"] = cluster["headGroupSpec"]["template"]
            templates |= {group["groupName"]: group["template"] for group in cluster["workerGroupSpecs"]}
    return templates


def containers(pod: Manifest) -> list[Manifest]:
    """Return all containers of a pod, also those that run before the others."""
    return [*pod.get("initContainers", []), *pod["containers"]]


def environment(container: Manifest) -> dict[str, str]:
    """Return the variables of a container that have a value."""
    return {each["name"]: each["value"] for each in container.get("env", [])}
