"""Read the pictures of a request: the body itself, or the files of a form."""

from __future__ import annotations

from typing import Final

from starlette.requests import ClientDisconnect, Request

from app.engine.errors import Cancelled
from app.http.messages.multipart import SentFile, SentPhoto, all_files, boundary_of, photo_and_reference
from app.http.problems.request_errors import MissingFile, UnsupportedMediaType
from models.images.foreign import unsupported

RAW_TYPES: Final = ("image/jpeg", "image/png", "image/webp", "image/gif", "application/octet-stream")
"""The documented types."""
_ALIASES: Final = frozenset(
    {
        "",  # no type at all
        "image/*",
        "image/apng",
        "image/jfif",
        "image/jpe",
        "image/jpg",
        "image/pjpeg",
        "image/x-citrix-jpeg",
        "image/x-citrix-png",
        "image/x-gif",
        "image/x-jpeg",
        "image/x-jpg",
        "image/x-png",
        "image/x-webp",
        "binary/octet-stream",
    }
)
"""Other types that clients send. A type is only a first check: the bytes decide what a picture is."""
FORM_TYPE: Final = "multipart/form-data"


async def read_photo(request: Request) -> SentPhoto:
    """Return the photo and its reference. The Content-Type is only a first check; the bytes decide.

    Raises:
        UnsupportedMediaType: the Content-Type is neither a picture nor a form.
        MalformedMultipart, MissingFile, UnexpectedPart: the form is invalid.
        BodyTooLarge, BodyTimeout, ReceivingFull: the body exceeds a limit.
        Cancelled: the client disconnected while sending.
    """
    content_type = request.headers.get("content-type", "")
    media_type = content_type.partition(";")[0].strip().lower()
    boundary = boundary_of(content_type) if media_type == FORM_TYPE else None
    if boundary is None and media_type not in _ALIASES.union(RAW_TYPES):
        raise UnsupportedMediaType(
            f"The Content-Type must be {', '.join(RAW_TYPES)} or {FORM_TYPE}, got {media_type[:64]!r}; "
            "convert the picture to JPEG, PNG, APNG, WebP or GIF, or send it under its own type."
        )
    body = await _read_body(request)
    photo = photo_and_reference(body, boundary) if boundary is not None else SentPhoto(body)
    if not photo.data:
        raise MissingFile(str(unsupported(photo.data)))
    return photo


async def read_pictures(request: Request, *, most: int) -> list[SentFile]:
    """Return the files of a form, in order; one may be empty.

    Raises:
        UnsupportedMediaType: the Content-Type is no form.
        MalformedMultipart, MissingFile, UnexpectedPart, TooManyFiles: the form is invalid.
        BodyTooLarge, BodyTimeout, ReceivingFull: the body exceeds a limit.
        Cancelled: the client disconnected while sending.
    """
    content_type = request.headers.get("content-type", "")
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type != FORM_TYPE:
        raise UnsupportedMediaType(
            f"The Content-Type must be {FORM_TYPE}, got {media_type[:64]!r}; send a form with a part named "
            "file for each picture."
        )
    return all_files(await _read_body(request), boundary_of(content_type), most=most)


async def _read_body(request: Request) -> bytes:
    try:
        # Not request.body(): it would hold the body until the answer is sent.
        return b"".join([chunk async for chunk in request.stream()])
    except ClientDisconnect:
        raise Cancelled from None
