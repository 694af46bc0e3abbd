"""Read and write the folder of a run: config, statistics, environment, list of pictures."""

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
    """A folder is not a run, or cannot become one. The message is one sentence."""


class RunFolder:
    """The folder of a run and the paths in it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.checkpoints = path / "checkpoints"
        self.samples = path / "samples"
        self._config = path / CONFIG
        self.stats = path / "stats.jsonl"
        self.environment = path / "environment.json"
        self._pictures = path / "pictures.sha256"

    def make(self) -> None:
        """Make the folder of a new run.

        Raises:
            RunError: the folder exists and is not empty.
        """
        if not (self.path / LOCK).exists():  # do not write a lock into a folder with other files
            self._refuse_other_files()
        self.path.mkdir(parents=True, exist_ok=True)

    def create(
        self, config: RunConfig, data: Path, pictures: ScanResult, *, speed: Mapping[str, str | bool]
    ) -> None:
        """Write the config, the list of pictures and the unreadable files. The caller must hold the lock.

        Raises:
            RunError: the folder is not empty.
        """
        self._refuse_other_files()
        self.samples.mkdir()
        facts = {
            "data": str(data.resolve()),
            "fingerprint": pictures.fingerprint,
            "speed": dict(speed),
            "config": json.loads(config.to_json()),
        }
        self._write_facts(facts)
        self.record_pictures(pictures)
        unreadable = [f"{each}\n" for each in pictures.unreadable]
        if unreadable:
            write_text(self.path / "unreadable.txt", "".join(unreadable))

    def read(self) -> tuple[RunConfig, Path, str]:
        """Return the config, the data set's folder and the fingerprint of its pictures.

        Raises:
            RunError: the folder is not a run.
            ConfigError: its config was changed and is invalid.
        """
        try:
            facts = json.loads(self._config.read_text(encoding="utf-8"))
            return from_mapping(facts["config"]), Path(facts["data"]), str(facts["fingerprint"])
        except (OSError, json.JSONDecodeError, UnicodeDecodeError, AttributeError, KeyError, TypeError):
            raise RunError(f"{self.path} is not a run: it has no readable config.json.") from None

    def update_config(self, *, steps: int, data: Path) -> None:
        """Write a new number of steps and a new folder of the data set into the config.

        Raises:
            OSError: the file could not be written; the config is unchanged.
        """
        facts = json.loads(self._config.read_text(encoding="utf-8"))
        changed = {**facts, "data": str(data.resolve()), "config": {**facts["config"], "steps": steps}}
        if changed != facts:
            self._write_facts(changed)

    def _write_facts(self, facts: Mapping[str, Any]) -> None:
        replace_file(self._config, (json.dumps(facts, indent=1) + "\n").encode())

    def record_pictures(self, pictures: ScanResult) -> None:
        """Write the list of training pictures with their hashes, unless it exists."""
        if not self._pictures.exists():
            replace_file(self._pictures, encode(pictures.digests))

    def differences(self, pictures: ScanResult) -> Differences | None:
        """Return how these pictures differ from those of the start; None if the run has no list of them."""
        try:
            before = decode(self._pictures.read_bytes())
        except (OSError, ValueError):
            return None
        return differences(before, pictures.digests)

    def compute_settings(self) -> dict[str, str | bool]:
        """Return the compute settings of the start; empty for runs of early versions, which recorded none."""
        return dict(json.loads(self._config.read_text(encoding="utf-8")).get("speed", {}))

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Turn the error of a full disk within the block into a sentence.

        Raises:
            RunError: the disk is full.
        """
        try:
            yield
        except OSError as error:
            if error.errno not in DISK_FULL:
                raise
            raise RunError(
                f"{self.path} could not be written to ({error.strerror}); its checkpoints are complete; "
                "free some space there, then resume."
            ) from error

    def _refuse_other_files(self) -> None:
        if self.path.exists() and any(path.name != LOCK for path in self.path.iterdir()):
            raise RunError(
                f"{self.path} is not empty; resume it with ugatit-train resume, or name another --out."
            )

    def add_stats(self, line: dict[str, Any]) -> None:
        """Append one line to `stats.jsonl`, completely or not at all; NaN and infinity become null.

        Raises:
            OSError: the line could not be written.
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
        """Append the environment of a start or resume to `environment.json`."""
        entries = [*read_environments(self.environment), facts]
        replace_file(self.environment, (json.dumps(entries, indent=1) + "\n").encode())

    def drop_stats_after(self, step: int) -> None:
        """Drop the lines of steps that will be repeated, and an incomplete line of a killed process."""
        if not self.stats.exists():
            return
        kept = [
            line for line in self.stats.read_text(encoding="utf-8").splitlines() if _step_of(line) <= step
        ]
        fresh = self.stats.with_name(".stats.jsonl")
        write_text(fresh, "".join(f"{line}\n" for line in kept))
        fresh.replace(self.stats)


def _with_nulls(value: Any) -> Any:
    """Return the value with null instead of NaN and infinity, which JSON lacks."""
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
