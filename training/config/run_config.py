"""The config of a run: a preset changed by flags, checked, and written to the run's folder."""

from __future__ import annotations

import dataclasses
import difflib
import hashlib
import json
import math
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal, get_type_hints

from pydantic import TypeAdapter, ValidationError

from models.networks.config import ConfigError
from training.config.compute_settings import UNOPTIMIZED, ComputeConfig, ComputeSettings
from training.data.config import DataConfig
from training.methods.data_needs import DataNeeds
from training.methods.finite_updates import GuardConfig
from training.methods.kind import MethodConfig, MethodKind
from training.methods.method import Method
from training.methods.registry import DEFAULT, KINDS, find_kind
from training.parallel.processes import Processes


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """All values that decide what a run computes, except those of the method.

    The config of a run is of a subclass, `config_class(NAME)`, which has one more section, named as the
    method.
    """

    method: str = DEFAULT
    """Training method."""
    steps: int = 1_000_000
    """Steps of the whole run. The learning rate's decay spans them: another number changes the schedule."""
    batch: int = 1
    """Pictures of each domain in a pass, in each process."""
    accumulate: int = 1
    """Passes in a step. A step learns from batch x accumulate x processes pictures of each domain."""
    seed: int = 0
    """Seed of weights, order and augmentation: equal seeds give equal runs, on a CPU bit for bit."""
    save_every: int = 1_000
    """Steps between two checkpoints, and between two sample sheets."""
    keep_last: int = 3
    """Newest checkpoints to keep, besides the best."""
    stats_every: int = 10
    """Steps between two lines of `stats.jsonl`. A line holds the means of its steps."""
    tensorboard: bool = True
    """Also write TensorBoard event files, to `RUN/tensorboard`."""
    average_decay: float = 0.0
    """Decay per step of the running average of the generators' weights; 0 keeps no average."""
    evaluate_every: int = 0
    """Steps between two evaluations of the averaged weights on the test pictures; 0 is none. Each saves a
    checkpoint, and the best checkpoint is the one with the lowest mean KID of both directions. KID-lite
    stands in where Inception's weights are not on this machine."""
    inception_weights: str = ""
    """File of Inception's weights for evaluations; empty is torch's cache, where torch-fidelity keeps it."""
    guard: GuardConfig = field(default_factory=GuardConfig)
    speed: ComputeConfig = field(default_factory=ComputeConfig)
    data: DataConfig = field(default_factory=DataConfig)

    def __post_init__(self) -> None:
        counts = ("steps", "batch", "accumulate", "save_every", "stats_every", "keep_last")
        if min(getattr(self, name) for name in counts) < 1:
            raise ConfigError(f"{', '.join(counts[:-1])} and {counts[-1]} must be at least 1.")
        if self.evaluate_every < 0:
            raise ConfigError(f"evaluate_every must be at least 0, got {self.evaluate_every}.")
        if self.seed < 0:
            raise ConfigError(f"seed must be at least 0, got {self.seed}.")
        if not 0 <= self.average_decay < 1:
            raise ConfigError(f"average_decay must be at least 0 and below 1, got {self.average_decay}.")
        self.method_config.refuse_size(self.data.size)

    @property
    def kind(self) -> MethodKind:
        """The method as commands and configs see it."""
        return KINDS[self.method]

    @property
    def method_config(self) -> MethodConfig:
        """The section of the method."""
        section: MethodConfig = getattr(self, self.method)
        return section

    def make_method(
        self,
        *,
        speed: ComputeSettings = UNOPTIMIZED,
        guard: GuardConfig | None = None,
        processes: Processes | None = None,
    ) -> Method:
        """Return the method with its first weights, which torch's random generator decides.

        Args:
            speed: the compute settings.
            guard: limits that decide which updates are skipped; None for the default limits.
            processes: the processes that train together; None for this process alone.
        """
        return self.kind.build(
            self.method_config, size=self.data.size, speed=speed, guard=guard, processes=processes
        )

    @property
    def needs(self) -> DataNeeds:
        """The training pictures that a step needs."""
        return self.kind.needs(self.method_config)

    def pictures(self, processes: int = 1) -> int:
        """Return the pictures of both domains in one step of so many processes."""
        return 2 * self.pictures_each * processes

    @property
    def pictures_each(self) -> int:
        """The pictures of each domain in one step of each process."""
        return self.batch * self.accumulate * self.needs.pictures_each

    def to_json(self) -> str:
        """Return the config as a run's folder holds it and `from_mapping` reads it."""
        return json.dumps(dataclasses.asdict(self), indent=1) + "\n"

    @property
    def sha256(self) -> str:
        """Return the hash that identifies the config in a bundle's manifest."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()


@cache
def config_class(method: str) -> type[RunConfig]:
    """Return the class of a run's config: `RunConfig` with the section of a method.

    Raises:
        ConfigError: there is no such method.
    """
    kind = find_kind(method)
    return dataclasses.make_dataclass(
        RunConfig.__name__,
        [
            ("method", Literal[kind.name], kind.name),
            (kind.name, kind.config, field(default_factory=kind.config)),
        ],
        bases=(RunConfig,),
        frozen=True,
        kw_only=True,
    )


def default_config(method: str = DEFAULT) -> RunConfig:
    """Return the config of a method with all defaults."""
    return config_class(method)()


def presets(method: str = DEFAULT) -> list[str]:
    """Return the names of a method's presets."""
    return sorted(path.stem for path in find_kind(method).presets.glob("*.toml"))


def load_preset(name: str, method: str = DEFAULT) -> dict[str, Any]:
    """Return the values of a method's preset as nested mappings, with the method's name.

    Raises:
        ConfigError: no preset has that name.
    """
    if name not in presets(method):
        raise ConfigError(f"Unknown preset '{name}'; the presets are {', '.join(presets(method))}.")
    file = find_kind(method).presets / f"{name}.toml"
    return {"method": method, **tomllib.loads(file.read_text(encoding="utf-8"))}


def merged(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return `base` with `changes` merged in, section by section."""
    result = dict(base)
    for key, value in changes.items():
        nested = isinstance(value, Mapping) and isinstance(result.get(key), Mapping)
        result[key] = merged(result[key], value) if nested else value
    return result


def changed(config: RunConfig, changes: Mapping[str, Any]) -> RunConfig:
    """Return `config` with `changes` merged in, checked as `from_mapping` does."""
    return from_mapping(merged(dataclasses.asdict(config), changes))


def differences(before: Mapping[str, Any], now: Mapping[str, Any], prefix: str = "") -> list[str]:
    """Return a sentence part for each value that differs between two configs: `seed was 0 and is 1`."""
    found = []
    for name, value in now.items():
        if isinstance(value, Mapping):
            found += differences(before[name], value, f"{prefix}{name}.")
        elif value != before[name]:
            found.append(f"{prefix}{name} was {before[name]} and is {value}")
    return found


def from_mapping(values: Mapping[str, Any]) -> RunConfig:
    """Return the config from nested mappings; missing keys keep their defaults.

    Raises:
        ConfigError: a key is unknown, a value not finite or of the wrong type, or two values contradict each
            other.
    """
    kind = config_class(_method_of(values))
    _refuse_unknown(kind, values, "", whole=kind)
    _refuse_non_finite(values, "")
    try:
        # Merge over the defaults of the whole config, because they can differ from those of the section's
        # class: a local discriminator has 5 layers.
        return TypeAdapter(kind).validate_python(merged(dataclasses.asdict(kind()), values))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        sentence = (
            str(first["ctx"]["error"]) if "error" in first.get("ctx", {}) else f"{where}: {first['msg']}."
        )
        raise ConfigError(sentence) from None


def _method_of(values: Mapping[str, Any]) -> str:
    return find_kind(values.get("method", DEFAULT)).name


def _refuse_unknown(
    kind: type[Any], values: Mapping[str, Any], prefix: str, *, whole: type[RunConfig]
) -> None:
    known = get_type_hints(kind)
    for key, value in values.items():
        if key not in known:
            if not prefix and key in KINDS:
                raise ConfigError(
                    f'{key} is the section of the method {key}; give method = "{key}", or leave it out.'
                )
            raise ConfigError(f"Unknown config key '{prefix}{key}'; {_advice(whole, key, known, prefix)}")
        if dataclasses.is_dataclass(known[key]):
            if not isinstance(value, Mapping):
                raise ConfigError(f"{prefix}{key} is a section; write {prefix}{key}.NAME = VALUE.")
            _refuse_unknown(known[key], value, f"{prefix}{key}.", whole=whole)


def _refuse_non_finite(values: Mapping[str, Any], prefix: str) -> None:
    for key, value in values.items():
        if isinstance(value, Mapping):
            _refuse_non_finite(value, f"{prefix}{key}.")
        elif isinstance(value, float) and not math.isfinite(value):
            raise ConfigError(f"{prefix}{key} must be a finite number, got {value}.")


def _advice(whole: type[RunConfig], key: str, known: Iterable[str], prefix: str) -> str:
    """Return a suggestion for an unknown key: one of that name elsewhere, or a similar one in its section."""
    everywhere = list(_names(whole))
    meant = [name for name in everywhere if name.rpartition(".")[2] == key]
    meant = meant or [f"{prefix}{near}" for near in difflib.get_close_matches(key, known, n=1)]
    meant = meant or difflib.get_close_matches(f"{prefix}{key}", everywhere, n=1)
    if not meant:
        return "ugatit-train config lists all keys."
    *others, last = [f"'{name}'" for name in meant]
    return f"did you mean {', '.join(others)}{' or ' if others else ''}{last}?"


def _names(kind: type[Any], prefix: str = "") -> Iterator[str]:
    """Yield every key and section by its dotted name."""
    for name, hint in get_type_hints(kind).items():
        yield f"{prefix}{name}"
        if dataclasses.is_dataclass(hint):
            assert isinstance(hint, type)
            yield from _names(hint, f"{prefix}{name}.")
