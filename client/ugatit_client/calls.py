"""The requests of the service, and how their answers are read. No input or output happens here."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Generic, NamedTuple, TypeVar
from urllib.parse import quote

from ugatit_client.answers import Directions, HeatMap, HeatMapValues, Translation
from ugatit_client.errors import UnexpectedAnswer
from ugatit_client.forms import Form, form_of
from ugatit_client.parsing import parse

T = TypeVar("T")

_JSON: Final = "application/json"
_RAW: Final = "application/octet-stream"
_PICTURES: Final = {"png": "image/png", "jpeg": "image/jpeg", "webp": "image/webp", "gif": "image/gif"}


class Answer(NamedTuple):
    """An answer that was read completely."""

    status: int
    headers: Mapping[str, str]
    """By lower-case name."""
    content: bytes


def _no_expiry(_value: object) -> datetime | None:
    return None


@dataclass(frozen=True, kw_only=True)
class Call(Generic[T]):
    """One request and how its answer is read."""

    method: str
    path: str
    """Below the service's address."""
    read: Callable[[Answer], T]
    """Raises ValueError if the answer is not what the service promises."""
    params: Mapping[str, str] = field(default_factory=dict)
    accept: str = _JSON
    content: bytes | None = None
    content_type: str = _RAW
    expires: Callable[[T], datetime | None] = _no_expiry
    """Returns until when the same question may have the same answer; None without an end."""

    @property
    def headers(self) -> dict[str, str]:
        """The headers of the request."""
        sent = {} if self.content is None else {"Content-Type": self.content_type}
        return {"Accept": self.accept, **sent}

    def result(self, answer: Answer) -> T:
        """Return what the answer says.

        Raises:
            UnexpectedAnswer: it is not the service's.
        """
        try:
            return self.read(answer)
        except (ValueError, KeyError) as error:
            raise UnexpectedAnswer(
                f"Expected the answer of a ugatit service at {self.path}, but it cannot be read: {error}. "
                "Check the service's address and version."
            ) from error


def translate_call(
    photo: bytes, direction: str, options: Mapping[str, Any], reference: bytes | None = None
) -> Call[Translation]:
    """Return the request that translates a photo, in the style of a reference if there is one."""
    sent = Form(content=photo, content_type=_RAW)
    if reference is not None:
        sent = form_of([("file", photo), ("reference", reference)])
    return Call(
        method="POST",
        path="/translate",
        read=lambda answer: parse(Translation, json.loads(answer.content)),
        params={"direction": direction, **query_of(options)},
        **sent,
        expires=lambda translation: translation.expires_at,
    )


def heat_map_call(id_: str, format_: str, options: Mapping[str, Any]) -> Call[HeatMap]:
    """Return the request of a heat map as a picture.

    Raises:
        ValueError: the format is unknown.
    """
    if format_ not in _PICTURES:
        raise ValueError(f"format must be one of {', '.join(_PICTURES)}, got {format_!r}")
    return Call(
        method="GET",
        path=f"/attention/{quote(id_, safe='')}",
        read=_heat_map,
        params=query_of(options),
        accept=_PICTURES[format_],
    )


def values_call(id_: str, options: Mapping[str, Any]) -> Call[HeatMapValues]:
    """Return the request of a heat map's values."""
    return Call(
        method="GET",
        path=f"/attention/{quote(id_, safe='')}/raw",
        read=lambda answer: parse(HeatMapValues, json.loads(answer.content)),
        params=query_of(options),
    )


def directions_call() -> Call[Directions]:
    """Return the request of the directions and limits."""
    return Call(
        method="GET",
        path="/directions",
        read=lambda answer: parse(Directions, json.loads(answer.content)),
    )


def id_of(translation: Translation | str) -> str:
    """Return the id for the heat maps of a translation.

    Raises:
        ValueError: the service did not keep them.
    """
    if isinstance(translation, str):
        return translation
    if translation.id is None:
        raise ValueError(
            "The service kept no heat maps of this translation; translate it again, without keep=False."
        )
    return translation.id


def _heat_map(answer: Answer) -> HeatMap:
    low, high = map(float, answer.headers["x-value-range"].split())
    return HeatMap(media_type=answer.headers["content-type"], data=answer.content, low=low, high=high)


def query_of(options: Mapping[str, Any]) -> dict[str, str]:
    """Return options as the query of a request."""
    return {name: _text(value) for name, value in options.items() if value is not None}


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
