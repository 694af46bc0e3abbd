"""Test the README's commands by running them."""

from __future__ import annotations

import email
import json
import os
import re
import shutil
import subprocess
import sys
from email.message import Message
from pathlib import Path

import pytest
from PIL import Image

from models.bundle.directory import read_bundle
from tests.cli.command import ROOT
from tests.golden.reading import checkpoint
from tests.training.command import SMALL, data_set

README = (ROOT / "README.md").read_text()
QUIET_CURL = 'curl() { command curl --silent --show-error --fail-with-body "$@"; }\n'


def block(heading: str) -> str:
    """Return the shell commands of a section."""
    section = README.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    return "\n".join(re.findall(r"```sh\n(.*?)```", section, re.DOTALL))


def run(commands: str, folder: Path) -> str:
    """Run commands in a folder as in a clone, and return what they print."""
    (folder / "tests").mkdir()
    shutil.copy(ROOT / "tests" / "photo.jpg", folder / "tests")
    if not (folder / "bundles").exists():
        (folder / "bundles").symlink_to(ROOT / "bundles")
    clean = {name: value for name, value in os.environ.items() if not name.startswith("UGATIT_")}
    result = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", QUIET_CURL + commands],
        cwd=folder,
        env=clean | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=600,  # six commands that import torch
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def as_modules(commands: str) -> str:
    """Replace the console scripts by modules, which run in the tests' environment."""
    commands = commands.replace(".venv/bin/ugatit-train ", f"{sys.executable} -m training ")
    return commands.replace(".venv/bin/ugatit ", f"{sys.executable} -m app ")


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory, address: str) -> Path:
    """Run the HTTP commands of the section `Ask` and return their folder."""
    folder = tmp_path_factory.mktemp("answers")
    commands = block("Ask").split(".venv/bin/ugatit translate")[0].replace("http://127.0.0.1:8000", address)
    (folder / "output.txt").write_text(run(commands, folder))
    return folder


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("translation.png", (128, 128)),
        ("translation.webp", (128, 128)),
        ("whole.jpg", (256, 256)),
        ("overlay.png", (128, 128)),
        ("local.png", (128, 128)),
    ],
)
def test_curl_saves_pictures(answers: Path, name: str, size: tuple[int, int]) -> None:
    with Image.open(answers / name) as picture:
        assert picture.size == size


def test_curl_saves_json_with_the_probability_and_raw_values(answers: Path) -> None:
    answer = json.loads((answers / "answer.json").read_text())
    assert answer["image"]["media_type"] == "image/jpeg"
    assert answer["attention"]["source_probability"] > 0.5
    raw = json.loads((answers / "map.json").read_text())
    assert raw["shape"] == [32, 32]


def test_curl_saves_a_multipart_answer_with_three_parts(answers: Path) -> None:
    body = (answers / "answer.multipart").read_bytes()
    boundary = body.split(b"\r\n", 1)[0][2:]
    message = email.message_from_bytes(
        b"Content-Type: multipart/mixed; boundary=" + boundary + b"\n\n" + body
    )
    parts = message.get_payload()
    assert isinstance(parts, list)
    types = [part.get_content_type() for part in parts if isinstance(part, Message)]
    assert types == ["image/png", "image/png", "application/json"]


def test_directions_readiness_and_metrics_are_printed(answers: Path) -> None:
    output = (answers / "output.txt").read_text()
    assert '"selfie2anime"' in output
    assert '"status":"ready"' in output
    assert "# HELP" in output


def test_commands_without_a_server_work(tmp_path: Path) -> None:
    commands = block("Ask")
    run(as_modules(commands[commands.index(".venv/bin/ugatit translate") :]), tmp_path)
    assert {path.name for path in (tmp_path / "translated").iterdir()} == {"photo.png", "photo.overlay.png"}


def test_import_command_works(tmp_path: Path) -> None:
    shutil.copy(checkpoint("light"), tmp_path / "params.pt")
    (tmp_path / "bundles").mkdir()
    commands = block("Your own weights").split(".venv/bin/ugatit-train data check")[0]
    run(as_modules("\n".join(line for line in commands.splitlines() if line[:4] != "make")), tmp_path)
    assert read_bundle(tmp_path / "bundles" / "selfie2anime").manifest.discriminators


def test_training_commands_work_on_a_small_scale(tmp_path: Path) -> None:
    data_set(tmp_path / "DATA")
    (tmp_path / "bundles").mkdir()
    commands = block("Your own weights")
    commands = commands[commands.index(".venv/bin/ugatit-train data check") :]
    assert "--preset cpu-demo" in commands
    run(as_modules(commands.replace("--preset cpu-demo", " ".join([*SMALL, "--steps=2"]))), tmp_path)
    assert read_bundle(tmp_path / "bundles" / "cat2dog").manifest.training.steps == 2
