"""The flags that make a config, shared by the commands that need one."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, get_args

import click

from models.networks.config import ConfigError
from training.config.compute_settings import Precision
from training.config.run_config import load_preset, merged, presets
from training.methods.kind import Changes, MethodKind
from training.methods.registry import DEFAULT, KINDS, find_kind

precision_option: Final = click.option(
    "--precision",
    type=click.Choice(get_args(Precision)),
    help="Of convolutions and matrix products. auto is bfloat16 where the hardware is fast at it.",
)

_PLAIN: Final = ("batch", "accumulate", "steps", "save_every", "evaluate_every", "seed")
"""Flags that are config keys of the same name."""

_FILE_NAMES: Final = tuple(name for kind in KINDS.values() for name in kind.files)

Option = Callable[[Callable[..., None]], Callable[..., None]]

_method: Final = click.option(
    "--method",
    type=click.Choice(list(KINDS)),
    default=DEFAULT,
    show_default=True,
    help="The training method.",
)
_ablation: Final = click.option(
    "--ablation",
    type=click.Choice([name for kind in KINDS.values() for name in kind.variants]),
    help="Train an ablation of the paper's table 1.",
)


def _preset_help() -> str:
    """Return the presets of every method; the first is its default."""
    of = {}
    for name, kind in KINDS.items():
        others = [each for each in presets(name) if each != kind.preset]
        of[name] = ", ".join([kind.preset, *others])
    return "Values to start from; the first is the default. " + " ".join(
        f"{name}: {names}." for name, names in of.items()
    )


FILES: Final = tuple(
    click.option(
        f"--{name.replace('_', '-')}",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        metavar="FILE",
        help=option.help,
    )
    for kind in KINDS.values()
    for name, option in kind.files.items()
)
"""The options of all methods that name files."""

_steps: Final = click.option("--steps", type=int, help="Steps to train.")
_OPTIONS: Final = (
    _method,
    click.option("--preset", help=_preset_help()),
    _ablation,
    click.option("--size", type=int, metavar="PIXELS", help="Size of the pictures and the networks."),
    click.option("--channels", type=int, help="Base channels of every network."),
    click.option("--batch", type=int, help="Pictures of each domain in a pass, on each device."),
    click.option("--accumulate", type=int, help="Passes in a step; they need the memory of one."),
    _steps,
    click.option("--save-every", type=int, help="Steps between two checkpoints."),
    click.option(
        "--evaluate-every", type=int, help="Steps between two evaluations by KID on the test pictures."
    ),
    click.option("--seed", type=int, help="Seed of weights, order and augmentation."),
    precision_option,
    *FILES,
    click.option(
        "--set",
        "assignments",
        multiple=True,
        metavar="NAME=VALUE",
        help="Any config key; ugatit-train config lists them.",
    ),
)


_SHARED: Final = tuple(option for option in _OPTIONS if option not in (_method, _ablation, _steps))


def config_options(command: Callable[..., None]) -> Callable[..., None]:
    """Return a command with the flags of a config; it takes them as `values` for `from_mapping`."""
    return _with_options(command, _OPTIONS)


def shared_config_options(command: Callable[..., None]) -> Callable[..., None]:
    """Return a command with the flags of a config that several runs share: all but --ablation and --steps."""
    return _with_options(command, _SHARED)


def file_options(command: Callable[..., None]) -> Callable[..., None]:
    """Return a command with the options of all methods that name files."""
    for option in reversed(FILES):
        command = option(command)
    return command


def _with_options(command: Callable[..., None], options: Sequence[Option]) -> Callable[..., None]:
    @functools.wraps(command)
    def with_values(
        *,
        method: str = DEFAULT,
        preset: str | None,
        ablation: str | None = None,
        size: int | None,
        channels: int | None,
        precision: str | None,
        assignments: tuple[str, ...],
        **others: Any,
    ) -> None:
        kind = find_kind(method)
        flags = {name: others.pop(name, None) for name in _PLAIN}
        flags |= {name: others.pop(name, None) for name in _FILE_NAMES}
        if unused := [name for name in _FILE_NAMES if flags[name] is not None and name not in kind.files]:
            flag = f"--{unused[0].replace('_', '-')}"
            raise ConfigError(f"The method {kind.name} has no {flag}; leave it out.")
        flags |= {"size": size, "channels": channels, "precision": precision, "assignments": assignments}
        command(values=values_of(kind, preset or kind.preset, flags, ablation=ablation), **others)

    result: Callable[..., None] = with_values
    for option in reversed(options):
        result = option(result)
    return result


def values_of(
    kind: MethodKind, preset: str, flags: Mapping[str, Any], *, ablation: str | None = None
) -> dict[str, Any]:
    """Return the values of a preset changed by flags, for `from_mapping`.

    Args:
        kind: the method.
        preset: one of its presets.
        flags: by option; `size`, `channels`, `precision`, `assignments`, files, and keys of the config. None
            is not given.
        ablation: one of the method's ablations.

    Raises:
        ConfigError: there is no such preset or ablation, or an assignment is not of the form NAME=VALUE.
    """
    plain = {name: flags[name] for name in _PLAIN if flags.get(name) is not None}
    changes = with_precision(plain, flags["precision"])
    changes = merged(changes, _sizes(kind, flags["size"], flags["channels"]))
    if ablation is not None:
        changes = merged(changes, {kind.name: _variant(kind, ablation)})
    for name, option in kind.files.items():
        if flags.get(name) is not None:
            changes = merged(changes, {kind.name: option.changes(str(flags[name].absolute()))})
    for assignment in flags["assignments"]:
        changes = merged(changes, _assigned(assignment))
    return merged(load_preset(preset, kind.name), changes)


def with_precision(changes: Mapping[str, Any], precision: str | None) -> dict[str, Any]:
    """Return changes of a config with `--precision` added, if it is given."""
    return merged(changes, {} if precision is None else {"speed": {"precision": precision}})


def _variant(kind: MethodKind, name: str) -> Changes:
    if name not in kind.variants:
        raise ConfigError(f"The method {kind.name} has no ablation {name}; leave --ablation out.")
    return kind.variants[name]


def _sizes(kind: MethodKind, size: int | None, channels: int | None) -> dict[str, Any]:
    """Return the changes for `--size` and `--channels`, which hold for pictures and every network."""
    changes: dict[str, Any] = {}
    if size is not None:
        changes = {"data": {"size": size}, kind.name: kind.sized(size)}
    if channels is not None:
        changes = merged(changes, {kind.name: kind.widened(channels)})
    return changes


def _assigned(assignment: str) -> dict[str, Any]:
    """Return `data.size=128` as nested mappings; values are TOML, bare words are strings.

    Raises:
        ConfigError: it is not of the form NAME=VALUE.
    """
    name, equals, value = assignment.partition("=")
    if not equals or not name.strip():
        raise ConfigError(f"--set needs NAME=VALUE, such as batch=4, got {assignment}.")
    try:
        parsed = tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        parsed = value.strip()
    nested: Any = parsed
    for part in reversed(name.strip().split(".")):
        nested = {part: nested}
    return dict(nested)
