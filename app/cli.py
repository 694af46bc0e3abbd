"""The command `ugatit`."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, get_args

import click

from app.cluster_command import cluster
from app.console import print_line, say
from app.engine.errors import EngineError
from app.engine.runtime.providers import ProviderRefused
from app.settings.environment import variable
from app.settings.load import load_settings
from app.settings.settings import Settings, SettingsError
from app.study.errors import StudyError
from app.study_command import study
from app.translate_command import translate
from models.bundle.errors import BundleError
from models.files.text import escape_output

if TYPE_CHECKING:
    from app.http.server.worker_metrics import WorkerIdentity

# Each command imports its modules when it runs, so that --help does not wait for onnxruntime.


class _ServeCommand(click.Command):
    """A command whose help lists the settings below the options."""

    def format_epilog(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Settings, from the environment"):
            formatter.write_dl([(variable(name), _describe(name)) for name in Settings.model_fields])


def _describe(name: str) -> str:
    field = Settings.model_fields[name]
    choices = [each for each in get_args(field.annotation) if isinstance(each, str)]  # of a Literal
    one_of = f" One of {', '.join(choices)}." if choices else ""
    return f"{field.description}{one_of}  [default: {field.default}]"


@click.group()
def cli() -> None:
    """Translate pictures from one domain to another, and show where the networks look."""


@cli.command(cls=_ServeCommand)
@click.option(
    "--workers", type=click.IntRange(1, 64), help="Number of worker processes; overrides UGATIT_WORKERS."
)
@click.option("--worker", type=int, hidden=True, help="Number of this worker.")
@click.option("--socket", "inherited", type=int, hidden=True, help="File descriptor of the inherited socket.")
@click.option(
    "--socket-dir", type=click.Path(path_type=Path), hidden=True, help="Directory of worker sockets."
)
def serve(workers: int | None, worker: int | None, inherited: int | None, socket_dir: Path | None) -> None:
    """Serve the bundles over HTTP: an API and a web page.

    All settings are environment variables.
    """
    from app.http.monitoring.logs import configure_logging, log_what_python_prints
    from app.http.server.server import open_socket, url_of

    settings = load_settings(**({} if workers is None else {"workers": workers}))
    configure_logging(settings.log_level, settings.log_format, worker)
    if settings.log_format == "json":
        log_what_python_prints()
    if worker is not None and inherited is not None and socket_dir is not None:
        _serve_as_worker(settings, socket.socket(fileno=inherited), worker, socket_dir)
    listening = open_socket(settings.host, settings.port)
    startup_line = f"ugatit serves on {url_of(listening)}" + (" (the API: /docs)" if settings.docs else "")
    if settings.workers > 1:
        _supervise(settings, listening, startup_line)
    _serve(settings, listening, startup_line)


def _supervise(settings: Settings, listening: socket.socket, startup_line: str) -> NoReturn:
    """Run the workers, after checking the settings that every worker would refuse."""
    from app.engine.store.stores import open_store
    from app.http.access.api_keys import ApiKeys
    from app.http.server.supervisor import Supervisor

    open_store(settings)
    if settings.api_keys_file is not None:
        ApiKeys(settings.api_keys_file)
    print_line(startup_line, logging.INFO)
    reloads = settings.reload != "off"
    grace_seconds = settings.linger_seconds + settings.grace_seconds
    supervisor = Supervisor(settings.workers, listening, grace_seconds=grace_seconds, reloads=reloads)
    sys.exit(asyncio.run(supervisor.run()))


def _serve_as_worker(settings: Settings, listening: socket.socket, number: int, socket_dir: Path) -> NoReturn:
    from app.engine.runtime.cpu_quota import threads_per_worker
    from app.http.server.supervisor import terminate_with_supervisor
    from app.http.server.worker_metrics import WorkerIdentity

    terminate_with_supervisor()
    threads = settings.intra_op_threads or threads_per_worker(settings.workers)
    settings = settings.model_copy(update={"intra_op_threads": threads})
    _serve(settings, listening, worker=WorkerIdentity(socket_dir, number, settings.workers))


def _serve(
    settings: Settings,
    listening: socket.socket,
    startup_line: str | None = None,
    worker: WorkerIdentity | None = None,
) -> NoReturn:
    from app.engine.local_engine import open_engine
    from app.engine.runtime.runtime import open_runtime
    from app.http.server.server import Server

    server = Server(settings, open_engine(settings, open_runtime(settings)), worker)
    if startup_line is not None:
        print_line(startup_line, logging.INFO)
    # A full garbage collection stops every request for 80 ms, mostly to visit modules, which stay for ever.
    gc.freeze()
    server.run(sockets=[listening])
    logging.shutdown()
    sys.stdout.flush()
    # A model's thread may still run native code; an ordinary exit would unload that code and crash.
    os._exit(0)


@cli.command()
@click.argument("bundle", type=click.Path(path_type=Path))
def verify(bundle: Path) -> None:
    """Check the files, hashes and canary of a BUNDLE. Exits with code 1 if the check fails."""
    from app.engine.directions.verification import check_name
    from app.engine.directions.verification import verify as verify_bundle
    from app.engine.runtime.runtime import open_runtime

    runtime = open_runtime(load_settings())
    try:
        verified = verify_bundle(bundle, runtime.open)
        check_name(verified.bundle.manifest, bundle)
    except BundleError as error:
        say(str(error))
        sys.exit(1)
    click.echo(f"{verified.bundle.manifest.direction} {verified.bundle.version}: good")
    for name, entry in sorted(verified.bundle.manifest.files.items()):
        click.echo(f"  {name}: {entry.size_bytes:,} bytes, sha256 {entry.sha256[:12]}… matches the manifest")
    provider, precision = verified.execution
    click.echo(
        f"  canary: computed on {provider} in {precision}, within tolerance: "
        + ("equal" if verified.psnr_db == float("inf") else f"{verified.psnr_db:.1f} dB")
    )
    if verified.float32_reason is not None:
        click.echo(f"  {verified.float32_reason}")
    if missing := verified.bundle.manifest.missing_parts:
        click.echo(f"  attention: without the parts {', '.join(missing)}; export it again to get them")


@cli.command()
@click.argument("name")
def key(name: str) -> None:
    """Make a new API key for the client NAME and print it. It is not stored anywhere.

    Add the printed line to the file of UGATIT_API_KEYS_FILE; a running service reads that file at SIGHUP.
    """
    from app.http.access.api_keys import key_line, new_key

    new = new_key()
    click.echo(f"line for the file: {key_line(name, new)}\nkey for the client: {new}")


@cli.command()
def doctor() -> None:
    """Print installed libraries, the provider in use, the bundles and the settings."""
    from app.doctor import print_diagnosis

    sys.exit(print_diagnosis(load_settings()))


cli.add_command(translate)
cli.add_command(cluster)
cli.add_command(study)


def main() -> None:
    """Run the command. A user's mistake prints one line and exits with code 2."""
    escape_output()
    try:
        cli.main(prog_name="ugatit", standalone_mode=False)
    except click.NoSuchOption as error:
        _fail(error.format_message() + _dash_remedy())
    except click.ClickException as error:
        _fail(error.format_message())
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)
    except (SettingsError, ProviderRefused, BundleError, EngineError, StudyError) as error:
        _fail(str(error))
    except OSError as error:
        _fail(f"{error.filename or 'the disk'}: {error.strerror}.")


def _dash_remedy() -> str:
    """Return the remedy if an argument that was parsed as an option is the name of a file."""
    files = [name for name in sys.argv[1:] if name.startswith("-") and Path(name).exists()]
    return f" Put -- before {files[0]}, which is a file." if files else ""


def _fail(sentence: str) -> None:
    say(sentence)
    sys.exit(2)
