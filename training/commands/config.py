"""The command `config`, which lists every key that `--set` takes."""

from __future__ import annotations

import json
import shutil
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import click

from training.commands.options import config_options
from training.config.keys import Key, config_keys, toml
from training.config.run_config import from_mapping


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON list for scripts.")
@config_options
def config(names: tuple[str, ...], as_json: bool, values: Mapping[str, Any]) -> None:
    """List the config keys that --set takes: value, type, default and reason.

    Shows the values that fit would use with the same flags. With a NAME, only the keys that contain it.
    """
    keys = _containing(names, config_keys(from_mapping(values)))
    if as_json:
        click.echo(json.dumps([key._asdict() for key in keys], indent=1))
    else:
        click.echo("\n\n".join(map(_paragraph, keys)))


def _containing(names: Sequence[str], keys: Sequence[Key]) -> list[Key]:
    found = [key for key in keys if not names or any(name in key.name for name in names)]
    if not found:
        raise click.UsageError(f"No config key contains {' or '.join(names)}; leave the name out to see all.")
    return found


def _paragraph(key: Key) -> str:
    default = "" if key.value == key.default else f"; default {toml(key.default)}"
    width = min(100, shutil.get_terminal_size().columns)
    reason = textwrap.fill(key.reason, width, initial_indent="    ", subsequent_indent="    ")
    return f"{key.name} = {toml(key.value)}  ({key.kind}{default})\n{reason}"
