"""Test the commands of the Makefile."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from app.cli import cli
from tests.packaging.files import ROOT, project, text

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")


def make(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run make in a folder that contains only the Makefile and its inputs."""
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, folder)
    # Under `make test` these variables would connect it with the outer make.
    inherited = {"MAKEFLAGS", "MAKELEVEL", "MFLAGS", "PYTEST_ARGS", "PYTHON"}
    environment = {name: value for name, value in os.environ.items() if name not in inherited} | {
        "LC_ALL": "C"
    }
    command = ["make", *arguments]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False
    )


def interpreter(folder: Path, before: str) -> str:
    """Return the argument PYTHON=... for this interpreter, changed by a statement."""
    path = folder / "some-python"
    path.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "{before}; $2"\n')
    path.chmod(0o755)
    return f"PYTHON={path}"


def error(result: subprocess.CompletedProcess[str]) -> str:
    """Return the error line before make's own last line."""
    assert result.returncode == 2
    sentence, closing = result.stderr.splitlines()
    assert closing.startswith("make: ***")
    assert not result.stdout
    return sentence


def test_make_without_target_lists_the_commands(tmp_path: Path) -> None:
    result = make(tmp_path)
    assert result.returncode == 0
    assert {"make serve", "make test", "make install"} <= set(re.findall(r"make [a-z]+", result.stdout))


def test_missing_python_is_an_error_in_one_line(tmp_path: Path) -> None:
    assert "there is no python9" in error(make(tmp_path, "serve", "PYTHON=python9"))


def test_old_python_is_an_error_in_one_line(tmp_path: Path) -> None:
    old = interpreter(tmp_path, "import sys; sys.version_info = (3, 9, 2, 'final', 0)")
    sentence = error(make(tmp_path, "serve", old))
    assert "needs Python 3.11" in sentence
    assert "is 3.9" in sentence


def test_python_without_venv_names_the_package_to_install(tmp_path: Path) -> None:
    bare = interpreter(tmp_path, "import sys; sys.modules['ensurepip'] = None")
    assert "apt install python3-venv" in error(make(tmp_path, "serve", bare))
    assert not (tmp_path / ".venv").exists()


@pytest.mark.parametrize(
    ("status", "last"), [(0, "-m pip install pip>=25"), (1, "-m venv --clear .venv")], ids=["pip", "no pip"]
)
def test_environment_gets_a_new_pip_or_the_one_of_venv(tmp_path: Path, status: int, last: str) -> None:
    python = tmp_path / "python"
    # Its venv makes an interpreter; its pip exits with `status`.
    options = "--python .venv/bin/python --disable-pip-version-check install --quiet --no-compile"
    python.write_text(
        '#!/bin/sh\necho "$@" >> calls\n'
        f'case "$2" in venv) mkdir -p .venv/bin; touch .venv/bin/python;; pip) exit {status};; esac\n'
    )
    python.chmod(0o755)
    result = make(tmp_path, ".venv/bin/python", f"PYTHON={python}")
    assert result.returncode == 0, result.stderr
    calls = (tmp_path / "calls").read_text().replace(f"{options} --no-warn-script-location", "install")
    assert calls.splitlines()[-1] == last


def test_commands_of_the_readme_exist() -> None:
    shell = "\n".join(re.findall(r"```(?:sh|bash|shell|console)?\n(.*?)```", text("README.md"), re.DOTALL))
    targets = set(re.findall(r"^([a-z]+):", text("Makefile"), re.MULTILINE))
    assert set(re.findall(r"\bmake ([a-z]+)", shell)) <= targets
    scripts = project()["scripts"]
    assert set(re.findall(r"^(?:\$ )?(?:\.venv/bin/)?(ugatit[a-z-]*)", shell, re.MULTILINE)) <= scripts.keys()
    assert set(re.findall(r"\bugatit ([a-z]+)", shell)) <= cli.commands.keys()
