"""Sentences of the command on the console."""

from __future__ import annotations

import logging
import os
import sys

import click

from app.settings.environment import variable
from models.files.text import as_text


def say(sentence: str) -> None:
    """Write one line to stderr; escape undecodable bytes in file names."""
    print_line(f"ugatit: {as_text(' '.join(sentence.split()))}", logging.ERROR)


def print_line(sentence: str, level: int) -> None:
    """Print a sentence; print JSON for `serve` with a JSON log, which a container merges with this output."""
    if "serve" in sys.argv[1:2] and os.environ.get(variable("log_format")) == "json":
        from app.http.monitoring.logs import json_line

        sentence = json_line(level, sentence)
    click.echo(sentence, err=level >= logging.ERROR)
