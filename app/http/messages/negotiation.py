"""Choose the media type of an answer by the Accept header."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from app.http.problems.request_errors import NotAcceptable


class _Range(NamedTuple):
    kind: str
    subtype: str
    quality: float
    position: int

    @property
    def specificity(self) -> int:
        return (self.kind != "*") + (self.subtype != "*")

    def matches(self, media_type: str) -> bool:
        kind, _, subtype = media_type.partition("/")
        return self.kind in ("*", kind) and self.subtype in ("*", subtype)


def negotiate(accept: str | None, offers: Sequence[str]) -> str:
    """Return the offered media type that the Accept header prefers.

    The most specific range that matches an offer gives its quality (RFC 9110). Between equal qualities, the
    range that the header lists first wins, then the first offer: without a header and with `*/*`, the first
    offer is returned.

    Raises:
        NotAcceptable: the header accepts none of the offers.
    """
    if not accept or not accept.strip():
        return offers[0]
    ranges = [parsed for index, text in enumerate(accept.split(",")) if (parsed := _parse(text, index))]
    ranked = [(_rank(offer, ranges), -order, offer) for order, offer in enumerate(offers)]
    (quality, _), _, best = max(ranked)
    if quality <= 0:
        raise NotAcceptable(f"The Accept header must allow one of {', '.join(offers)}; got {accept[:64]!r}.")
    return best


def _rank(offer: str, ranges: Sequence[_Range]) -> tuple[float, int]:
    matching = [range_ for range_ in ranges if range_.matches(offer)]
    if not matching:
        return 0.0, 0
    best = max(matching, key=lambda range_: (range_.specificity, -range_.position))
    return best.quality, -best.position


def _parse(text: str, position: int) -> _Range | None:
    """Return a media range; None for an invalid one, which is ignored."""
    media_range, *parameters = (part.strip().lower() for part in text.split(";"))
    kind, slash, subtype = media_range.partition("/")
    if not slash or not kind or not subtype:
        return None
    return _Range(kind, subtype, _quality(parameters), position)


def _quality(parameters: Sequence[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return min(max(float(value), 0.0), 1.0)
            except ValueError:
                return 0.0
    return 1.0
