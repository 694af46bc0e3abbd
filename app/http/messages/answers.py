"""A translation as JSON, as a picture, or as both in one multipart answer."""

from __future__ import annotations

import base64
import secrets
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple, Self

from starlette.responses import Response

from app.engine.render_options import EncodedPicture
from app.engine.translation import StageSeconds, TranslationResult
from app.http.messages.schemas import Attention, Model, Picture, Timings, TranslateAnswer
from app.http.monitoring.metrics import Metrics
from app.http.monitoring.tracing import Interval

JSON: Final = "application/json"
MIXED: Final = "multipart/mixed"


class Timed(NamedTuple):
    """Seconds in each stage of one request."""

    decode: float
    queue: float
    inference: float
    encode: float
    total: float
    since: float
    """When the picture had arrived, by `time.perf_counter`."""

    @classmethod
    def of(cls, seconds: StageSeconds, *, encode: float, since: float) -> Self:
        """The engine's times and ours."""
        return cls(*seconds, encode, time.perf_counter() - since, since)

    def record(self, metrics: Metrics, state: Any, translation: TranslationResult) -> None:
        """Tell the metrics, the request's log line and its trace."""
        for stage, seconds in self.seconds().items():
            metrics.stage(translation.entry.direction, stage, seconds)
        state.stages = self.milliseconds().model_dump()
        state.intervals = list(self._intervals())
        state.ran = {
            "ugatit.model_version": translation.entry.version,
            "ugatit.batch_pictures": translation.batch,
            "ugatit.provider": translation.provider or "",
        }

    def seconds(self) -> dict[str, float]:
        """By stage, and the total."""
        return {name: value for name, value in self._asdict().items() if name != "since"}

    def milliseconds(self) -> Timings:
        """As the answer has them."""
        return Timings(**{stage: round(seconds * 1000, 2) for stage, seconds in self.seconds().items()})

    def _intervals(self) -> Iterator[Interval]:
        """The stages one after the other, as they follow each other."""
        end = self.since
        for stage, seconds in zip(StageSeconds._fields, self, strict=False):
            yield Interval(stage, end, end := end + seconds)
        done = self.since + self.total
        yield Interval("encode", done - self.encode, done)

    def header(self) -> str:
        """As `Server-Timing` has them (W3C): for answers that hold no JSON, and for a browser's tools."""
        return ", ".join(f"{stage};dur={ms}" for stage, ms in self.milliseconds().model_dump().items())


def translation_response(
    form: str,
    translation: TranslationResult,
    image: EncodedPicture,
    overlay: EncodedPicture | None,
    timed: Timed,
    *,
    root_path: str,
) -> Response:
    """Return the answer in the form that was negotiated: JSON, multipart/mixed or the picture's own type.

    `root_path` is where the client sees the service: its paths begin with it.
    """
    href = _href(translation, root_path)
    headers = _related(translation, href) | {
        "Server-Timing": timed.header(),
        "Vary": "Accept",
        "Cache-Control": "no-store",
    }
    if form == JSON:
        document = _document(translation, href, image, overlay, timed, inline=True)
        return Response(document.model_dump_json(), headers=headers, media_type=JSON)
    if form == MIXED:
        document = _document(translation, href, image, overlay, timed, inline=False)
        return _mixed(image, overlay, document, headers)
    return Response(image.data, headers=headers, media_type=image.media_type)


def _related(translation: TranslationResult, href: str | None) -> dict[str, str]:
    """Return the headers that say where its heat maps are; none if they could not be kept."""
    if translation.id is None:
        return {}
    return {"X-Translation-Id": translation.id, "Link": f'<{href}>; rel="related"'}


def _href(translation: TranslationResult, root_path: str) -> str | None:
    return f"{root_path}/attention?id={translation.id}" if translation.id is not None else None


def _document(
    translation: TranslationResult,
    href: str | None,
    image: EncodedPicture,
    overlay: EncodedPicture | None,
    timed: Timed,
    *,
    inline: bool,
) -> TranslateAnswer:
    attention = None
    if overlay is not None:
        assert translation.source_probability is not None
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
        attention=attention,
        timings_ms=timed.milliseconds(),
        expires_at=_until(translation),
    )


def _until(translation: TranslationResult) -> datetime | None:
    return datetime.fromtimestamp(translation.entry.expires_at, UTC) if translation.id is not None else None


def _picture(encoded: EncodedPicture, inline: bool) -> Picture:
    return Picture.of(encoded, base64.b64encode(encoded.data).decode("ascii") if inline else None)


def _mixed(
    image: EncodedPicture, overlay: EncodedPicture | None, document: TranslateAnswer, headers: dict[str, str]
) -> Response:
    """Picture, overlay, JSON; the JSON leaves out the data that its neighbours hold."""
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
