"""The folder of an ablation: its plan, and a run for each variant."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from models.storage.durable import replace_file
from training.ablation.variants import Variant, config_of, list_variants, title
from training.checkpoint.folders import step_of
from training.checkpoint.read import list_folders
from training.config.run_config import RunConfig, differences, from_mapping
from training.run_folder.folder import LOCK, RunError, RunFolder
from training.run_folder.lock import locked

PLAN: Final = "ablation.json"
_CLAIMS: Final = ".turns"


@dataclass(frozen=True, kw_only=True)
class Options:
    """What the user chose; a second call must choose the same."""

    minutes: float | None
    """Minutes for the training of all variants; None with `steps`."""
    steps: int | None
    """Steps of each variant; None with `minutes`."""
    seeds: int
    """Seeds of the full model."""
    config: RunConfig
    """Of the full model; its number of steps has no meaning."""

    def to_mapping(self) -> dict[str, Any]:
        """Return the options as JSON values."""
        values: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(self)))
        return values


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What an ablation trains, decided once at its start."""

    options: Options
    config: RunConfig
    """Of the full model, with the steps of every variant, and a checkpoint at the end of every turn."""
    step_seconds: Mapping[str, float]
    """The measured seconds of a step, by the name of the variant."""

    @property
    def variants(self) -> list[Variant]:
        """Return the variants in the order of their turns."""
        return list_variants(self.config.seed, seeds=self.options.seeds)

    def config_of(self, variant: Variant) -> RunConfig:
        """Return the config of a variant's run."""
        return config_of(variant, self.config)

    def title(self, variant: Variant) -> str:
        """Return how a table names a variant."""
        return title(variant)


class RunsPlan(Protocol):
    """What several runs train, decided once at their start; all have the same number of steps."""

    @property
    def config(self) -> RunConfig:
        """A config with the steps of every run, and a checkpoint at the end of every turn."""

    @property
    def variants(self) -> Sequence[Variant]:
        """The runs in the order of their turns."""

    @property
    def step_seconds(self) -> Mapping[str, float]:
        """The measured seconds of a step, by the name of the variant."""

    def config_of(self, variant: Variant) -> RunConfig:
        """Return the config of a variant's run."""

    def title(self, variant: Variant) -> str:
        """Return how a table names a variant."""


class RunsFolder:
    """A folder with a plan and a run for each variant, and the paths in it."""

    def __init__(self, path: Path, *, plan: str) -> None:
        """
        Args:
            path: the folder.
            plan: the name of the file with the plan.
        """
        self.path = path
        self._plan = path / plan
        self.figures = path / "figures.json"
        self.table = path / "table.json"
        self.markdown = path / "table.md"
        self.gallery = path / "gallery.html"

    def run(self, variant: Variant) -> RunFolder:
        """Return the folder of a variant's run, which need not exist."""
        return RunFolder(self.path / variant.folder)

    def steps_done(self, variant: Variant) -> int:
        """Return the step of a variant's newest checkpoint; 0 without one."""
        folders = list_folders(self.run(variant).checkpoints)
        return (step_of(folders[-1]) or 0) if folders else 0

    def has_plan(self) -> bool:
        """Return whether there is a plan."""
        return self._plan.exists()

    @contextmanager
    def making(self) -> Iterator[None]:
        """Make the folder, and hold its lock while the runs are planned or their results are written.

        Raises:
            RunError: the folder has other files, or another process holds the lock.
        """
        if not self.has_plan():
            self._refuse_other_files()
        self.path.mkdir(parents=True, exist_ok=True)
        with locked(self.path):
            yield

    @contextmanager
    def claimed(self, variant: Variant) -> Iterator[bool]:
        """Claim the turn of a variant until the end of the block; yield whether no other process holds it."""
        claim = self.path / _CLAIMS / variant.folder
        claim.mkdir(parents=True, exist_ok=True)
        with ExitStack() as held:
            try:
                held.enter_context(locked(claim))
                ours = True
            except RunError:
                ours = False
            yield ours

    def write_document(self, document: Mapping[str, Any]) -> None:
        """Write the file of a new plan."""
        replace_file(self._plan, (json.dumps(document, indent=1) + "\n").encode())

    def read_document(self) -> dict[str, Any]:
        """Return the content of the plan's file.

        Raises:
            OSError, ValueError: there is none, or it is not JSON.
        """
        document: dict[str, Any] = json.loads(self._plan.read_text(encoding="utf-8"))
        return document

    def _refuse_other_files(self) -> None:
        if self.path.exists() and not self.path.is_dir():
            raise RunError(f"--out needs a folder, and {self.path} is a file; name a new folder.")
        if self.path.exists() and any(path.name not in (LOCK, _CLAIMS) for path in self.path.iterdir()):
            raise RunError(
                f"{self.path} is not empty, and has no {self._plan.name}; name a new folder with --out."
            )


class AblationFolder(RunsFolder):
    """The folder of an ablation and the paths in it."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, plan=PLAN)

    def write_plan(self, plan: Plan) -> None:
        """Write the plan of a new ablation."""
        document = {
            "format": 1,
            "options": plan.options.to_mapping(),
            "config": json.loads(plan.config.to_json()),
            "step_seconds": dict(plan.step_seconds),
        }
        self.write_document(document)

    def read_plan(self) -> Plan:
        """Return the plan.

        Raises:
            RunError: there is none, or it cannot be read.
            ConfigError: its config was changed and is invalid.
        """
        try:
            document = self.read_document()
            options = document["options"]
            chosen = {name: options[name] for name in ("minutes", "steps", "seeds")}
            return Plan(
                options=Options(**chosen, config=from_mapping(options["config"])),
                config=from_mapping(document["config"]),
                step_seconds={name: float(value) for name, value in document["step_seconds"].items()},
            )
        except (OSError, ValueError, AttributeError, KeyError, TypeError) as error:
            raise RunError(
                f"{self.path} is not an ablation: {PLAN} cannot be read ({error}); name the folder that "
                "ugatit-train ablate wrote, or a new one."
            ) from None

    def refuse_changes(self, plan: Plan, options: Options) -> None:
        """Check that the options are those of the start.

        Raises:
            RunError: an option differs; the message names each.
        """
        changes = differences(plan.options.to_mapping(), options.to_mapping())
        if changes:
            raise RunError(
                f"The ablation in {self.path} was started with other options: {', '.join(changes)}; give "
                "those of its start to continue it, or name a new folder with --out."
            )
