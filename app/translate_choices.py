"""What the options of `ugatit translate` choose, and the refusal of those that contradict each other."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path

import click

from app.engine.face_choice import FaceChoice, FaceMode
from app.engine.style_choice import StyleChoice
from models.files.text import as_text
from models.images.frame import Fit


class Place(click.Path):
    """A path, or a URL of an object store, which stays a string."""

    def convert(  # type: ignore[override]
        self, value: str | Path, param: click.Parameter | None, ctx: click.Context | None
    ) -> str | Path:
        """Return a URL as it is; a path, also after file://, checked as a `Path`."""
        path = str(value).removeprefix("file://")
        return path if "://" in path else Path(str(super().convert(path, param, ctx)))


def check_engine(name: str, urls: Sequence[str], translators: int | None, gallery: Path | None) -> None:
    """Refuse options that the engine does not have, and an engine that is not installed.

    Raises:
        click.UsageError: with the remedy.
    """
    if name == "local" and urls:
        raise click.UsageError(f"{urls[0]} is a URL, which only --engine ray reads and writes; add it.")
    if name == "local" and translators is not None:
        raise click.UsageError("--translators is an option of --engine ray; add it, or leave it out.")
    if gallery is not None and urls:
        raise click.UsageError(
            f"--gallery needs pictures and results in files, got {urls[0]}; leave --gallery out."
        )
    if name == "ray" and importlib.util.find_spec("ray") is None:
        raise click.UsageError(
            "--engine ray needs the package ray, which is not installed; install ugatit[cluster]."
        )


def face_choice(mode: FaceMode | None, x: float | None, y: float | None) -> FaceChoice | None:
    """Return the faces to translate; None for the bundle's default.

    Raises:
        click.UsageError: a place is missing, or has no effect.
    """
    if mode != "at":
        if x is not None or y is not None:
            raise click.UsageError("--x and --y are the place of --face at; add it, or leave them out.")
        return FaceChoice(mode) if mode is not None else None
    if x is None or y is None:
        raise click.UsageError(
            "--face at needs --x and --y, a place in the upright picture in pixels; add both, or use "
            "--face largest."
        )
    return FaceChoice("at", x, y)


def refuse_faces_of_native(fit: Fit, mode: FaceMode | None, paste: bool) -> None:
    """Refuse options for a part of the picture where the whole one is translated at its own shape.

    Raises:
        click.UsageError: there is one.
    """
    unsuited = f"--face {mode}" if mode not in (None, "none") else "--paste" if paste else None
    if fit == "native" and unsuited is not None:
        raise click.UsageError(
            f"--fit native translates the whole picture as it is, got {unsuited}; leave it out, or use "
            "another --fit."
        )


def style_choice(seed: int | None, reference: Path | None) -> StyleChoice | None:
    """Return the chosen style; None for the bundle's default.

    Raises:
        click.UsageError: two were chosen, or the reference cannot be read.
    """
    if reference is None:
        return None if seed is None else StyleChoice(seed)
    if seed is not None:
        raise click.UsageError("--reference gives the style, as --style does; leave one of them out.")
    try:
        return StyleChoice(reference=reference.read_bytes())
    except OSError as error:
        raise click.UsageError(
            f"--reference {as_text(reference)} cannot be read ({error.strerror}); choose another file."
        ) from None
