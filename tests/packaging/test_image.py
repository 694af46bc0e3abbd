"""Test the Dockerfile and the build context."""

from __future__ import annotations

import re

import pytest

from app import __version__
from tests.packaging.files import ROOT, dockerfile_stages, in_build_context, project

before, build, image = dockerfile_stages()


def test_base_image_is_an_argument_of_both_stages() -> None:
    assert before.one("ARG").startswith("BASE_IMAGE=python:3.")
    assert {stage.one("FROM").split()[0] for stage in (build, image)} == {"${BASE_IMAGE}"}


def test_user_is_numeric_and_not_root() -> None:
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", image.one("USER"))


def test_only_the_build_stage_installs_and_only_locked_wheels() -> None:
    (install,) = [each for each in build.all("RUN") if "pip" in each]
    assert {"--require-hashes", "--no-cache-dir"} <= set(install.split())
    assert "--only-binary :all:" in install
    assert not re.search(r"pip|apt|curl|gcc", " ".join(image.all("RUN")))


def test_server_receives_sigterm() -> None:
    assert image.one("STOPSIGNAL") == "SIGTERM"
    assert image.command("ENTRYPOINT") + image.command("CMD") == ["ugatit", "serve"]


def test_health_check_asks_for_readiness() -> None:
    assert image.one("HEALTHCHECK").endswith('"/srv/ugatit/docker/healthcheck.py", "/readyz"]')
    assert image.one("EXPOSE") == "8000"


def test_label_and_package_have_the_project_version() -> None:
    assert __version__ == project()["version"]
    assert f'image.version="{project()["version"]}"' in image.one("LABEL")


def test_image_listens_on_every_address() -> None:
    assert "UGATIT_HOST=0.0.0.0" in image.one("ENV").split()


def test_copied_files_are_in_the_build_context() -> None:
    sources = [word for argument in build.all("COPY") for word in argument.split()[:-1]]
    assert {"app", "bundles"} <= set(sources)
    for source in sources:
        assert [path for path in ROOT.glob(source) if in_build_context(path.relative_to(ROOT).as_posix())]


def test_image_copies_only_from_the_build_stage() -> None:
    assert all(argument.startswith("--from=build ") for argument in image.all("COPY"))


@pytest.mark.parametrize(
    "path",
    [
        ".git/config",
        ".venv/bin/python",
        ".env",
        "tests/golden/light.npz",
        "docs/architecture.md",
        "shared/data",
        "training/cli.py",
        "models/networks/generator.py",
        "runs/1/checkpoints",
        "app/http/__pycache__/server.cpython-311.pyc",
        "bundles/.selfie2anime.half/generator.onnx",
        "docker/monitoring/prometheus.yml",
    ],
)
def test_file_is_not_in_the_build_context(path: str) -> None:
    assert not in_build_context(path)


@pytest.mark.parametrize(
    "path",
    [
        "app/http/page/index.html",
        "models/bundle/files.py",
        "models/faces/nets/onet.onnx",
        "models/faces/nets/LICENSE.txt",
        "bundles/selfie2anime/card.md",
    ],
)
def test_file_is_in_the_build_context(path: str) -> None:
    assert in_build_context(path)
