"""Read what of a photo is translated from the options of a request."""

from __future__ import annotations

from app.engine.face_choice import FaceChoice
from app.engine.planning import PhotoRequest
from app.engine.style_choice import StyleChoice
from app.http.messages.options import TranslateOptions
from app.http.problems.request_errors import MissingOption, UnsuitedOption
from models.bundle.style_codes import DEFAULT_SEED


def photo_request(options: TranslateOptions) -> PhotoRequest:
    """Return what of the photo is translated.

    Raises:
        MissingOption: face=at without a place.
        UnsuitedOption: a place without face=at, face=all without paste, or fit=native with faces or paste.
    """
    _check_native(options)
    return PhotoRequest(
        fit=options.fit,
        face=_face(options),
        paste=bool(options.paste),
        frames=options.frames,
        style=_style(options),
        cycle=options.cycle,
    )


def with_reference(wanted: PhotoRequest, reference: bytes | None) -> PhotoRequest:
    """Return what of the photo is translated, in the style of the reference if there is one.

    Raises:
        UnsuitedOption: seeds of styles were given beside the reference.
    """
    if reference is None:
        return wanted
    if wanted.style is not None:
        raise UnsuitedOption(
            "A reference gives the style, so style and styles must be left out, got both; leave out the one "
            "or the other."
        )
    return wanted._replace(style=StyleChoice(reference=reference))


def _face(options: TranslateOptions) -> FaceChoice | None:
    if options.face == "at":
        return _choice_at(options)
    for name in ("x", "y"):
        if getattr(options, name) is not None:
            raise UnsuitedOption(
                f"The option {name} needs face=at, got face={options.face or 'without a value'}; "
                "add face=at, or leave x and y out."
            )
    if options.face == "all" and options.paste is False:
        raise UnsuitedOption(
            "face=all puts all faces back into the photo, got paste=false; leave paste out, or use "
            "face=largest."
        )
    return FaceChoice(options.face) if options.face is not None else None


def _style(options: TranslateOptions) -> StyleChoice | None:
    if options.style is None and options.styles is None:
        return None
    return StyleChoice(options.style or DEFAULT_SEED, options.styles or 1)


def _check_native(options: TranslateOptions) -> None:
    """Check that a photo at its own shape is wanted without the options for a part of it."""
    if options.fit != "native":
        return
    if options.face not in (None, "none"):
        raise UnsuitedOption(
            f"fit=native translates the whole photo as it is, got face={options.face}; leave face out, or "
            "use another fit."
        )
    if options.paste:
        raise UnsuitedOption(
            "fit=native shows the whole photo already, got paste=true; leave paste out, or use another fit."
        )


def _choice_at(options: TranslateOptions) -> FaceChoice:
    if options.x is None or options.y is None:
        missing = "x" if options.x is None else "y"
        raise MissingOption(
            f"face=at needs x and y, a place in the upright photo in pixels, but {missing} is missing; "
            f"add &{missing}=..., or use face=largest."
        )
    return FaceChoice("at", options.x, options.y)
