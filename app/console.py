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
    """Print a sentence; of a service with a JSON log as JSON, because a container merges both."""
    if _serves(sys.argv[1:3]) and os.environ.get(variable("log_format")) == "json":
        from app.http.monitoring.logs import json_line

        sentence = json_line(level, sentence)
    click.echo(sentence, err=level >= logging.ERROR)


def _serves(words: list[str]) -> bool:
    """Return whether the command is a service: `serve`, a cluster's, or a study, but not `study results`."""
    if words[:1] == ["cluster"]:
        return words[1:] in (["up"], ["front"])
    return words[:1] == ["serve"] or (words[:1] == ["study"] and words != ["study", "results"])
