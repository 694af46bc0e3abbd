"""The command that shows a run: `report`."""

from __future__ import annotations

from pathlib import Path

import click

from training.report.page import draw_page
from training.report.read import read_run


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="The page's file.  [default: RUN/report.html]")
def report(run: Path, out: Path | None) -> None:
    """Draw a RUN as one page that opens anywhere: curves, rho, samples, config, environment, checkpoints.

    The run may still be learning.
    """
    page = draw_page(read_run(run))
    file = out or run / "report.html"
    file.write_text(page)
    click.echo(f"{file}: {len(page.encode()) / 1e6:.1f} MB")
