"""What the Dockerfile promises about the image, and what the builder is never sent."""

from __future__ import annotations

import re

import pytest

from app import __version__
from tests.packaging.files import ROOT, dockerfile_stages, project, reaches_the_builder

before, build, image = dockerfile_stages()


def test_any_base_can_be_chosen_for_both_stages() -> None:
    assert before.one("ARG").startswith("BASE_IMAGE=python:3.")
    assert {stage.one("FROM").split()[0] for stage in (build, image)} == {"${BASE_IMAGE}"}


def test_the_user_is_a_number_and_not_root() -> None:
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", image.one("USER"))


def test_only_the_build_stage_installs_and_only_wheels_whose_hash_is_locked() -> None:
    (install,) = [each for each in build.all("RUN") if "pip" in each]
    assert {"--require-hashes", "--no-cache-dir"} <= set(install.split())
    assert "--only-binary :all:" in install
    assert not re.search(r"pip|apt|curl|gcc", " ".join(image.all("RUN")))


def test_sigterm_reaches_the_server() -> None:
    assert image.one("STOPSIGNAL") == "SIGTERM"
    assert image.command("ENTRYPOINT") + image.command("CMD") == ["ugatit", "serve"]


def test_the_image_is_healthy_once_it_is_ready() -> None:
    assert image.one("HEALTHCHECK").endswith('"/srv/ugatit/docker/healthcheck.py", "/readyz"]')
    assert image.one("EXPOSE") == "8000"


def test_the_label_and_the_code_tell_the_version() -> None:
    assert __version__ == project()["version"]
    assert f'image.version="{project()["version"]}"' in image.one("LABEL")


def test_the_image_listens_beyond_itself() -> None:
    assert "UGATIT_HOST=0.0.0.0" in image.one("ENV").split()


def test_everything_that_is_copied_reaches_the_builder() -> None:
    sources = [word for argument in build.all("COPY") for word in argument.split()[:-1]]
    assert {"app", "bundles"} <= set(sources)
    for source in sources:
        assert [path for path in ROOT.glob(source) if reaches_the_builder(path.relative_to(ROOT).as_posix())]


def test_the_image_takes_everything_from_the_build_stage() -> None:
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
def test_the_builder_is_not_sent(path: str) -> None:
    assert not reaches_the_builder(path)


@pytest.mark.parametrize(
    "path", ["app/http/page/index.html", "models/bundle/files.py", "bundles/selfie2anime/card.md"]
)
def test_the_builder_is_sent(path: str) -> None:
    assert reaches_the_builder(path)
