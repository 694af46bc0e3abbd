"""The command `ugatit-train`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from models.bundle.errors import BundleError
from models.files.text import as_text, escape_output
from models.networks.config import ConfigError
from training.checkpoint.errors import CheckpointError
from training.commands import ablate, bundles, canary, compare, evaluate, gallery, show, train, wrap
from training.commands.config import config
from training.data.errors import DataError
from training.evaluation.errors import EvaluationError
from training.export.parity import ParityError
from training.importers.errors import OfficialCheckpointError
from training.methods.finite_updates import NonFiniteError
from training.parallel.processes import OtherProcessError, ProcessLostError
from training.plan.preflight import DoesNotFitError
from training.run.signals import handle_interrupts
from training.run_folder.folder import RunError
from training.wrapping.errors import WrapError


@click.group()
def cli() -> None:
    """Train translators, and turn checkpoints into bundles that can be served."""


for command in (
    train.fit,
    train.resume,
    train.data,
    bundles.import_,
    bundles.export,
    canary.canary_command,
    wrap.wrap_command,
    show.plan,
    show.report,
    config,
    evaluate.evaluate_command,
    gallery.gallery_command,
    ablate.ablate,
    compare.compare,
):
    cli.add_command(command)

_MISTAKES = (
    BundleError,
    OfficialCheckpointError,
    ConfigError,
    DataError,
    DoesNotFitError,
    EvaluationError,
    NonFiniteError,
    ParityError,
    ProcessLostError,
    CheckpointError,
    RunError,
    WrapError,
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run `arguments`, or `sys.argv` if None; a user's mistake is one line and exit code 2."""
    escape_output()
    handle_interrupts()
    try:
        cli.main(arguments, prog_name="ugatit-train", standalone_mode=False)
    except click.ClickException as error:
        _fail(error.format_message())
    except click.Abort:
        sys.exit(130)
    except OtherProcessError:
        sys.exit(2)
    except _MISTAKES as error:
        _fail(str(error))
    except OSError as error:
        _fail(f"{error.filename or 'Reading or writing a file failed'}: {error.strerror}.")


def _fail(sentence: str) -> None:
    click.echo(f"ugatit-train: {as_text(' '.join(sentence.split()))}", err=True)
    sys.exit(2)
