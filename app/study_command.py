"""The commands `ugatit study BUNDLE...`, which holds a study, and `ugatit study results`."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from app.console import print_line, say
from app.settings.environment import variable
from app.settings.load import load_settings
from app.settings.settings import Settings
from models.files.text import as_text

if TYPE_CHECKING:
    from app.study.database import Database
    from app.study.prepare import Advance, Plan

_IGNORED: Final = ("workers", "api_keys_file", "cors_origins", "store_url", "bundles_dir")
"""Settings of the service that have no effect on a study."""
_HOLD: Final = "hold"


class _StudyGroup(click.Group):
    """A group whose first command needs no name, because bundles follow it."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments; the command is `hold` unless another one is named."""
        return super().parse_args(ctx, args if args[:1] == ["results"] else [_HOLD, *args])


class _HoldCommand(click.Command):
    """The command without a name: its usage shows none."""

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the usage as it is typed."""
        path = ctx.command_path.removesuffix(f" {_HOLD}")
        formatter.write_usage(path, " ".join(self.collect_usage_pieces(ctx)))


@click.group(cls=_StudyGroup)
def study() -> None:
    """Let people choose the best of several models' translations, and count their votes."""


@study.command(_HOLD, cls=_HoldCommand, hidden=True)
@click.argument("bundles", metavar="BUNDLE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--data",
    required=True,
    type=click.Path(path_type=Path),
    help="Folder with pictures, or a data set with testA and testB.",
)
@click.option(
    "--db",
    required=True,
    type=click.Path(path_type=Path),
    help="File of the study; made if it is missing, continued if it is there.",
)
@click.option("--a2b", metavar="NAME", help="Direction from testA to testB, such as selfie2anime.")
@click.option("--limit", type=click.IntRange(min=1), help="Most pictures, evenly spread.  [default: all]")
@click.option("--question", metavar="TEXT", help="What participants are asked, in a new study.")
def hold(
    bundles: tuple[Path, ...], data: Path, db: Path, a2b: str | None, limit: int | None, question: str | None
) -> None:
    """Serve a page on which people choose the best of the BUNDLES' translations of a picture.

    Everyone who opens the page can take part. Each picture is shown with one translation of each bundle, in
    random order and without names. `ugatit study results FILE` prints the votes, also while the study runs.

    The settings of `ugatit serve` apply: UGATIT_HOST, UGATIT_PORT, limits, rates, proxies.
    """
    from app.http.monitoring.logs import configure_logging
    from app.http.server.server import open_socket, url_of
    from app.http.study.app import study_server
    from app.study.models import read_models
    from app.study.pictures import find_sources
    from app.study.prepare import Plan
    from app.study.study import Study

    settings = load_settings()
    configure_logging(settings.log_level, settings.log_format, None)
    models = read_models(bundles)
    sources = find_sources(data, models[0].source, models[0].target, a2b, limit)
    for remark in [*sources.remarks, *_ignored(settings)]:
        say(remark)
    with open_socket(settings.host, settings.port) as listening:
        database = _prepare(db, Plan(models, sources.pictures, question), settings)
        line = (
            f"ugatit holds a study on {url_of(listening)} ({len(sources.pictures)} pictures, "
            f"{len(models)} models); the votes so far: ugatit study results {as_text(db)}"
        )
        print_line(line, logging.INFO)
        study_server(settings, Study(database)).run(sockets=[listening])
    logging.shutdown()
    sys.stdout.flush()
    os._exit(0)  # as `serve`: a model's thread may still run native code


def _ignored(settings: Settings) -> Sequence[str]:
    defaults = Settings.model_fields
    return [
        f"{variable(name)} has no effect on a study."
        for name in _IGNORED
        if getattr(settings, name) != defaults[name].default
    ]


def _prepare(path: Path, plan: Plan, settings: Settings) -> Database:
    """Translate the missing pictures with a bar on stderr; onnxruntime is imported only for them."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from app.engine.runtime.runtime import open_runtime
    from app.study.prepare import prepare

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(file=sys.stderr)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        bar = progress.add_task("Translating pictures", total=len(plan.pictures))
        advance: Advance = lambda done, total: progress.update(bar, completed=done, total=total)  # noqa: E731
        return prepare(path, plan, lambda: open_runtime(settings).open, advance)


@study.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--csv", "table", type=click.Path(path_type=Path), help="Write the table to this file too.")
@click.option("--votes", type=click.Path(path_type=Path), help="Write every vote to this CSV file too.")
def results(file: Path, table: Path | None, votes: Path | None) -> None:
    """Print how often each model was chosen in the study of FILE, with intervals and a test."""
    from rich.console import Console

    from app.study.database import reading_database
    from app.study.errors import StudyError
    from app.study.render import render
    from app.study.results import results_of, table_csv, votes_csv
    from models.files.text import ESCAPED
    from models.storage.durable import replace_file

    for target in (table, votes):
        if target is not None and target.is_dir():
            raise StudyError(f"A CSV file is needed, and {target} is a folder; name a file.")
    with reading_database(file) as database:
        found, facts = results_of(database), database.facts()
        every_vote = votes_csv(database)
    render(found, facts, Console(width=None if sys.stdout.isatty() else 120))
    for target, text in ((table, table_csv(found)), (votes, every_vote)):
        if target is not None:
            replace_file(target, text.encode("utf-8", ESCAPED))
