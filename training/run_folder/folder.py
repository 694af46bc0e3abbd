"""A run's folder: its config, its numbers, its samples and its checkpoints."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from models.files.text import write_text
from models.storage.durable import replace_file, write_all
from training.checkpoint.write import DISK_FULL
from training.config.run_config import RunConfig, from_mapping
from training.data.scan import ScanResult
from training.run_folder.environment import read_environments
from training.run_folder.picture_digests import Differences, decode, differences, encode

CONFIG: Final = "config.json"
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
        self._config = path / CONFIG
        self.stats = path / "stats.jsonl"
        self.environment = path / "environment.json"
        self._pictures = path / "pictures.sha256"

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
        self._write_facts(facts)
        self.remember(pictures)
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

    def change(self, *, steps: int, data: Path) -> None:
        """Write a new number of steps and a new place of the pictures into the config.

        Raises:
            OSError: the disk refused; the config is as it was.
        """
        facts = json.loads(self._config.read_text(encoding="utf-8"))
        changed = {**facts, "data": str(data.resolve()), "config": {**facts["config"], "steps": steps}}
        if changed != facts:
            self._write_facts(changed)

    def _write_facts(self, facts: Mapping[str, Any]) -> None:
        replace_file(self._config, (json.dumps(facts, indent=1) + "\n").encode())

    def remember(self, pictures: ScanResult) -> None:
        """Write down the training pictures with their contents, unless that was done."""
        if not self._pictures.exists():
            replace_file(self._pictures, encode(pictures.digests))

    def differences(self, pictures: ScanResult) -> Differences | None:
        """Return how these pictures differ from those of the start; None if the run has no list of them."""
        try:
            before = decode(self._pictures.read_bytes())
        except (OSError, ValueError):
            return None
        return differences(before, pictures.digests)

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
            if error.errno not in DISK_FULL:
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
        """Append one line to `stats.jsonl`, whole or not at all; what is not finite becomes null.

        Raises:
            OSError: the disk refused.
        """
        text = json.dumps(_with_nulls(line), allow_nan=False) + "\n"
        with self.stats.open("ab", buffering=0) as file:
            before = file.tell()
            try:
                write_all(file.fileno(), memoryview(text.encode()))
            except OSError:
                file.truncate(before)
                raise

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


def _with_nulls(value: Any) -> Any:
    """The same JSON with null in the place of NaN and infinity, which JSON does not have."""
    if isinstance(value, dict):
        return {name: _with_nulls(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_with_nulls(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _step_of(line: str) -> float:
    try:
        return int(json.loads(line)["step"])
    except (json.JSONDecodeError, KeyError, TypeError, ValueError):
        return float("inf")
