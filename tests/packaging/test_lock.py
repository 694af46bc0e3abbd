"""Test that the image's locks match pyproject.toml, at the tested versions."""

from __future__ import annotations

import re
from importlib import metadata

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.packaging.files import lock, project, text

LOCKS = ("requirements.lock", "requirements-cuda.lock", "requirements-cluster.lock")


def image_requirements() -> list[str]:
    """Return the image's requirements: those of serving, and of the compose file's profiles."""
    extras = project()["optional-dependencies"]
    return [*project()["dependencies"], *extras["redis"], *extras["tracing"]]


def with_dependencies(stated: list[str]) -> set[str]:
    """Return the canonical names of requirements and their dependencies, from the installed metadata."""
    names: set[str] = set()
    waiting = [(Requirement(each), "") for each in stated]
    while waiting:
        requirement, extra = waiting.pop()
        if requirement.marker and not requirement.marker.evaluate({"extra": extra}):
            continue
        name = canonicalize_name(requirement.name)
        if name not in names:
            names.add(name)
            waiting += [(Requirement(each), "") for each in metadata.requires(name) or []]
        for extra in requirement.extras:
            waiting += [(Requirement(each), extra) for each in metadata.requires(name) or []]
    return names


@pytest.mark.parametrize("name", LOCKS)
def test_every_serving_dependency_is_locked_within_its_range(name: str) -> None:
    locked = lock(name)
    for requirement in map(Requirement, image_requirements()):
        version = locked[canonicalize_name(requirement.name)].version
        assert requirement.specifier.contains(version), requirement


def test_lock_contains_all_dependencies_of_serving() -> None:
    assert with_dependencies(image_requirements()) <= lock("requirements.lock").keys()


@pytest.mark.parametrize("name", LOCKS)
def test_lock_has_the_tested_versions(name: str) -> None:
    constraints = map(Requirement, re.findall(r"^[^#\n].*", text("constraints.txt"), re.MULTILINE))
    tested = {str(canonicalize_name(each.name)): str(each.specifier) for each in constraints}
    for package, locked in lock(name).items():
        marker = locked.requirement.marker
        here = not package.startswith("nvidia-")  # locked, but not installed by `make`
        if here and (marker is None or marker.evaluate()):
            assert tested[package] == f"=={locked.version}", package


@pytest.mark.parametrize("name", LOCKS)
def test_lock_contains_no_torch(name: str) -> None:
    assert not {"torch", "onnx", "triton"} & lock(name).keys()


@pytest.mark.parametrize("name", LOCKS)
def test_every_locked_package_has_hashes(name: str) -> None:
    for package, locked in lock(name).items():
        assert locked.hashes, package
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", each) for each in locked.hashes), package


@pytest.mark.parametrize("name", LOCKS)
def test_lock_names_no_index(name: str) -> None:
    assert not re.search(r"://|^\s*-[^-]|^\s*--(?!hash=)", text(f"docker/{name}"), re.MULTILINE)


def test_cuda_lock_only_adds_the_cuda_libraries() -> None:
    plain, cuda = map(lock, LOCKS[:2])
    added = cuda.keys() - plain.keys()
    assert {name: cuda[name] for name in plain} == plain
    assert any(name.startswith("nvidia-cudnn") for name in added)
    assert all(name.startswith("nvidia-") for name in added)


def test_cluster_lock_changes_no_package_of_serving() -> None:
    plain, cluster = lock("requirements.lock"), lock("requirements-cluster.lock")
    assert {name: cluster[name] for name in plain} == plain


def test_cluster_lock_contains_all_dependencies_of_the_cluster() -> None:
    needed = with_dependencies(project()["optional-dependencies"]["cluster"])
    assert needed - {"ugatit"} <= lock("requirements-cluster.lock").keys()
