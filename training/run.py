"""A run's folder: its config, its numbers, its samples and its checkpoints."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from models.files.text import write_text
from training.checkpoint.disk import replace_file
from training.checkpoint.write import FULL
from training.config import RunConfig, from_mapping
from training.data.scan import ScanResult
from training.journal.environment import read_environments

LOCK: Final = ".lock"
"""The file whose lock a process holds while it writes to the folder."""


class RunError(ValueError):
    """A folder cannot be made a run, or is none. The message is one sentence."""


class RunFolder:
    """Where a run keeps everything."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.checkpoints = path / "checkpoints"
        self.samples = path / "samples"
        self._config = path / "config.json"
        self.stats = path / "stats.jsonl"
        self.environment = path / "environment.json"

    def make(self) -> None:
        """Make the folder, for a run that is to start.

        Raises:
            RunError: something is there already.
        """
        if not (self.path / LOCK).exists():  # no lock is put beside what is not a run's
            self._refuse_strangers()
        self.path.mkdir(parents=True, exist_ok=True)

    def create(
        self, config: RunConfig, data: Path, pictures: ScanResult, *, speed: Mapping[str, str | bool]
    ) -> None:
        """Write down what is to be done, with what, and what of it cannot be read. Hold the folder.

        Raises:
            RunError: something is there already.
        """
        self._refuse_strangers()
        self.samples.mkdir()
        facts = {
            "data": str(data.resolve()),
            "fingerprint": pictures.fingerprint,
            "speed": dict(speed),
            "config": json.loads(config.to_json()),
        }
        write_text(self._config, json.dumps(facts, indent=1) + "\n")
        unreadable = [f"{each}\n" for each in pictures.unreadable]
        if unreadable:
            write_text(self.path / "unreadable.txt", "".join(unreadable))

    def read(self) -> tuple[RunConfig, Path, str]:
        """The config, the data folder and the fingerprint of its pictures.

        Raises:
            RunError: the folder is no run.
            ConfigError: its config was changed into one that cannot be.
        """
        try:
            facts = json.loads(self._config.read_text(encoding="utf-8"))
            return from_mapping(facts["config"]), Path(facts["data"]), str(facts["fingerprint"])
        except (OSError, json.JSONDecodeError, UnicodeDecodeError, AttributeError, KeyError, TypeError):
            raise RunError(f"{self.path} is no run: it has no readable config.json.") from None

    def speed(self) -> dict[str, str | bool]:
        """How the run was computed when it began; empty if it does not say, as early ones did not."""
        return dict(json.loads(self._config.read_text(encoding="utf-8")).get("speed", {}))

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Say in a sentence that the disk is full.

        Raises:
            RunError: it is.
        """
        try:
            yield
        except OSError as error:
            if error.errno not in FULL:
                raise
            raise RunError(
                f"{self.path} could not be written to ({error.strerror}); its checkpoints are still there: "
                "free some space there, then resume."
            ) from error

    def _refuse_strangers(self) -> None:
        if self.path.exists() and any(path.name != LOCK for path in self.path.iterdir()):
            raise RunError(
                f"{self.path} is not empty; resume it with ugatit-train resume, or name another --out."
            )

    def add_stats(self, line: dict[str, Any]) -> None:
        """Append one line to `stats.jsonl`."""
        with self.stats.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")

    def add_environment(self, facts: dict[str, Any]) -> None:
        """Append to `environment.json` what the run starts or goes on with."""
        entries = [*read_environments(self.environment), facts]
        replace_file(self.environment, (json.dumps(entries, indent=1) + "\n").encode())

    def forget_stats_after(self, step: int) -> None:
        """Drop lines of steps that are done again, and a line that a kill cut short."""
        if not self.stats.exists():
            return
        kept = [
            line for line in self.stats.read_text(encoding="utf-8").splitlines() if _step_of(line) <= step
        ]
        fresh = self.stats.with_name(".stats.jsonl")
        write_text(fresh, "".join(f"{line}\n" for line in kept))
        fresh.replace(self.stats)


def _step_of(line: str) -> float:
    try:
        return int(json.loads(line)["step"])
    except (json.JSONDecodeError, KeyError, TypeError, ValueError):
        return float("inf")
