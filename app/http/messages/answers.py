"""Build the answer of a translation: JSON, a picture, or both in one multipart answer."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Final

from starlette.responses import Response

from app.engine.render_options import EncodedPicture
from app.engine.translation import TranslationResult
from app.http.messages.face_schemas import FaceAnswer, InputAnswer, framing_of
from app.http.messages.schemas import (
    AnimationAnswer,
    Attention,
    CycleAnswer,
    Model,
    Picture,
    StyledPicture,
    Timings,
    TranslateAnswer,
)
from app.http.messages.style_schemas import StyleAnswer
from app.http.monitoring.stage_times import StageTimes

JSON: Final = "application/json"
MIXED: Final = "multipart/mixed"


def translation_response(
    form: str,
    translation: TranslationResult,
    image: EncodedPicture,
    overlay: EncodedPicture | None,
    times: StageTimes,
    *,
    root_path: str,
    in_styles: Sequence[EncodedPicture] | None = None,
    reconstruction: EncodedPicture | None = None,
) -> Response:
    """Return the answer in the negotiated form: JSON, multipart/mixed or the picture's own type.

    Args:
        form: the media type of the answer.
        translation: what is answered.
        image: its picture.
        overlay: the picture of the generator's heat map; None for a model without attention.
        times: of the stages.
        root_path: the prefix of the service's paths as the client sees them.
        in_styles: the picture in each of several styles; None if they were not asked for.
        reconstruction: the picture of the translation's reconstruction; None without one.
    """
    href = _href(translation, root_path)
    headers = (
        _related(translation, href)
        | _faces_found(translation)
        | {
            "Server-Timing": times.header(),
            "Vary": "Accept",
            "Cache-Control": "no-store",
        }
    )
    if form == JSON:
        document = _document(translation, href, image, overlay, times, inline=True)
        document.styles = _styles(translation, in_styles)
        document.cycle = _cycle(translation, reconstruction)
        return Response(document.model_dump_json(), headers=headers, media_type=JSON)
    if form == MIXED:
        document = _document(translation, href, image, overlay, times, inline=False)
        return _mixed(image, overlay, document, headers)
    return Response(image.data, headers=headers, media_type=image.media_type)


def _cycle(translation: TranslationResult, encoded: EncodedPicture | None) -> CycleAnswer | None:
    if encoded is None or translation.reconstruction is None:
        return None
    return CycleAnswer(image=_picture(encoded, inline=True), l1=round(translation.reconstruction.l1, 3))


def _related(translation: TranslationResult, href: str | None) -> dict[str, str]:
    """Return the headers that link to the heat maps; none if they are not kept."""
    if translation.id is None:
        return {}
    return {"X-Translation-Id": translation.id, "Link": f'<{href}>; rel="related"'}


def _faces_found(translation: TranslationResult) -> dict[str, str]:
    """Return the number of found faces, for answers without JSON; nothing if none were searched for."""
    return {} if translation.faces is None else {"X-Faces-Found": str(len(translation.faces))}


def _href(translation: TranslationResult, root_path: str) -> str | None:
    return f"{root_path}/attention?id={translation.id}" if translation.id is not None else None


def _document(
    translation: TranslationResult,
    href: str | None,
    image: EncodedPicture,
    overlay: EncodedPicture | None,
    times: StageTimes,
    *,
    inline: bool,
) -> TranslateAnswer:
    attention = None
    if overlay is not None:
        attention = Attention(
            href=href,
            overlay=_picture(overlay, inline),
            source_probability=translation.source_probability,
        )
    return TranslateAnswer(
        id=translation.id,
        direction=translation.entry.direction,
        model=Model(name=translation.entry.direction, version=translation.entry.version),
        image=_picture(image, inline),
        animation=AnimationAnswer.of(translation.timing),
        attention=attention,
        style=StyleAnswer.of(translation.style),
        faces=[FaceAnswer.of(face) for face in translation.faces] if translation.faces is not None else None,
        framing=framing_of(translation),
        input=InputAnswer.of(translation),
        timings_ms=Timings(**times.milliseconds()),
        expires_at=_expires_at(translation),
    )


def _styles(
    translation: TranslationResult, pictures: Sequence[EncodedPicture] | None
) -> list[StyledPicture] | None:
    if pictures is None:
        return None
    each = [translation.style, *(one.style for one in translation.further_styles)]
    return [
        StyledPicture(seed=style.seed, image=_picture(picture, inline=True))
        for style, picture in zip(each, pictures, strict=True)
        if style is not None and style.seed is not None
    ]


def _expires_at(translation: TranslationResult) -> datetime | None:
    return datetime.fromtimestamp(translation.entry.expires_at, UTC) if translation.id is not None else None


def _picture(encoded: EncodedPicture, inline: bool) -> Picture:
    return Picture.of(encoded, base64.b64encode(encoded.data).decode("ascii") if inline else None)


def _mixed(
    image: EncodedPicture, overlay: EncodedPicture | None, document: TranslateAnswer, headers: dict[str, str]
) -> Response:
    """Return picture, overlay and JSON as parts; the JSON omits the data that the other parts hold."""
    parts: list[tuple[str, str, bytes]] = [("image", image.media_type, image.data)]
    if overlay is not None:
        parts.append(("overlay", overlay.media_type, overlay.data))
    parts.append(("translation", JSON, document.model_dump_json().encode()))
    boundary = secrets.token_hex(16)
    body = b"".join(_frame_parts(parts, boundary))
    return Response(body, headers=headers, media_type=f"{MIXED}; boundary={boundary}")


def _frame_parts(parts: Sequence[tuple[str, str, bytes]], boundary: str) -> Iterator[bytes]:
    for name, media_type, data in parts:
        yield (
            f"--{boundary}\r\nContent-Type: {media_type}\r\n"
            f'Content-Disposition: inline; name="{name}"\r\nContent-Length: {len(data)}\r\n\r\n'
        ).encode()
        yield data
        yield b"\r\n"
    yield f"--{boundary}--\r\n".encode()
