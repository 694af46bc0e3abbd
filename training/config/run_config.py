"""The config of a run: one nested value, read from a preset, changed by flags, written beside the run."""

from __future__ import annotations

import dataclasses
import difflib
import hashlib
import json
import math
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, get_type_hints

from pydantic import TypeAdapter, ValidationError

from models.networks.config import ConfigError
from training.config.compute_settings import ComputeConfig
from training.data.config import DataConfig
from training.methods.finite_updates import GuardConfig
from training.methods.ugatit.config import UgatitConfig

PRESETS: Final = Path(__file__).parent / "presets"


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """Everything that decides what a run computes."""

    method: Literal["ugatit"] = "ugatit"
    """The way to learn; there is one so far."""
    steps: int = 1_000_000
    """Steps of the whole run. The learning rate's decay spans them, so another number is another schedule."""
    batch: int = 1
    """Pictures of each domain in a pass, in each process."""
    accumulate: int = 1
    """Passes in a step. A step learns from batch x accumulate x processes pictures of each domain."""
    seed: int = 0
    """Of weights, order and augmentation: equal seeds give equal runs, on a CPU bit for bit."""
    save_every: int = 1_000
    """Steps between two checkpoints, and two sample sheets."""
    keep_last: int = 3
    """Checkpoints that are kept besides the best."""
    stats_every: int = 10
    """Steps between two lines of `stats.jsonl`, which tell the means in between."""
    tensorboard: bool = True
    """Write event files for TensorBoard too, to `RUN/tensorboard`."""
    average_decay: float = 0.0
    """Of the running average of the generators' weights, a step; 0 keeps none."""
    guard: GuardConfig = field(default_factory=GuardConfig)
    speed: ComputeConfig = field(default_factory=ComputeConfig)
    data: DataConfig = field(default_factory=DataConfig)
    ugatit: UgatitConfig = field(default_factory=UgatitConfig)

    def __post_init__(self) -> None:
        counts = ("steps", "batch", "accumulate", "save_every", "stats_every", "keep_last")
        if min(getattr(self, name) for name in counts) < 1:
            raise ConfigError(f"{', '.join(counts[:-1])} and {counts[-1]} must be at least 1.")
        if self.seed < 0:
            raise ConfigError(f"seed is {self.seed}; it must not be negative.")
        if not 0 <= self.average_decay < 1:
            raise ConfigError(f"average_decay is {self.average_decay}; it must be at least 0 and below 1.")
        if self.data.size != self.ugatit.generator.size:
            raise ConfigError(
                f"data.size is {self.data.size} and ugatit.generator.size {self.ugatit.generator.size}; "
                "they must be the same."
            )

    def pictures(self, processes: int = 1) -> int:
        """Pictures of both domains together that one step of so many processes learns from."""
        return 2 * self.batch * self.accumulate * processes

    def to_json(self) -> str:
        """The config as it is written beside a run, and as `from_mapping` reads it."""
        return json.dumps(dataclasses.asdict(self), indent=1) + "\n"

    @property
    def sha256(self) -> str:
        """Names the config in a bundle's manifest."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()


def presets() -> list[str]:
    """The names of the presets."""
    return sorted(path.stem for path in PRESETS.glob("*.toml"))


def load_preset(name: str) -> dict[str, Any]:
    """What a preset says, as nested mappings.

    Raises:
        ConfigError: there is none of that name.
    """
    if name not in presets():
        raise ConfigError(f"Unknown preset '{name}'; the presets are {', '.join(presets())}.")
    return tomllib.loads((PRESETS / f"{name}.toml").read_text(encoding="utf-8"))


def merged(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with what `changes` says, section by section."""
    result = dict(base)
    for key, value in changes.items():
        nested = isinstance(value, Mapping) and isinstance(result.get(key), Mapping)
        result[key] = merged(result[key], value) if nested else value
    return result


def changed(config: RunConfig, changes: Mapping[str, Any]) -> RunConfig:
    """`config` with what `changes` says, as `from_mapping` reads it."""
    return from_mapping(merged(dataclasses.asdict(config), changes))


def differences(before: Mapping[str, Any], now: Mapping[str, Any], prefix: str = "") -> list[str]:
    """What one says otherwise than the other of the same shape, in words."""
    found = []
    for name, value in now.items():
        if isinstance(value, Mapping):
            found += differences(before[name], value, f"{prefix}{name}.")
        elif value != before[name]:
            found.append(f"{prefix}{name} was {before[name]} and is {value}")
    return found


def from_mapping(values: Mapping[str, Any]) -> RunConfig:
    """A config from nested mappings; what they leave out keeps its default.

    Raises:
        ConfigError: a key is unknown, a value not finite or of the wrong type, or two values contradict each
            other.
    """
    _refuse_unknown(RunConfig, values, "")
    _refuse_non_finite(values, "")
    try:
        # Over the defaults: a section that names one value keeps the others, which can be
        # other than those of its kind: a local discriminator has 5 layers.
        return TypeAdapter(RunConfig).validate_python(merged(dataclasses.asdict(RunConfig()), values))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        said = str(first["ctx"]["error"]) if "error" in first.get("ctx", {}) else f"{where}: {first['msg']}."
        raise ConfigError(said) from None


def _refuse_unknown(kind: type[Any], values: Mapping[str, Any], prefix: str) -> None:
    known = get_type_hints(kind)
    for key, value in values.items():
        if key not in known:
            raise ConfigError(f"Unknown config key '{prefix}{key}'; {_advice(key, known, prefix)}")
        if dataclasses.is_dataclass(known[key]):
            if not isinstance(value, Mapping):
                raise ConfigError(f"{prefix}{key} is a section; write {prefix}{key}.NAME = VALUE.")
            _refuse_unknown(known[key], value, f"{prefix}{key}.")


def _refuse_non_finite(values: Mapping[str, Any], prefix: str) -> None:
    for key, value in values.items():
        if isinstance(value, Mapping):
            _refuse_non_finite(value, f"{prefix}{key}.")
        elif isinstance(value, float) and not math.isfinite(value):
            raise ConfigError(f"{prefix}{key} must be a finite number, got {value}.")


def _advice(key: str, known: Iterable[str], prefix: str) -> str:
    """What an unknown key may have meant: a key of that name elsewhere, or one of its section spelt alike."""
    everywhere = list(_names())
    meant = [name for name in everywhere if name.rpartition(".")[2] == key]
    meant = meant or [f"{prefix}{near}" for near in difflib.get_close_matches(key, known, n=1)]
    meant = meant or difflib.get_close_matches(f"{prefix}{key}", everywhere, n=1)
    if not meant:
        return "ugatit-train config lists all keys."
    *others, last = [f"'{name}'" for name in meant]
    return f"did you mean {', '.join(others)}{' or ' if others else ''}{last}?"


def _names(kind: type[Any] = RunConfig, prefix: str = "") -> Iterator[str]:
    """Every key and section by its dotted name."""
    for name, hint in get_type_hints(kind).items():
        yield f"{prefix}{name}"
        if dataclasses.is_dataclass(hint):
            assert isinstance(hint, type)
            yield from _names(hint, f"{prefix}{name}.")
