"""The choice of the media type by the Accept header (RFC 9110)."""

from __future__ import annotations

import pytest

from app.http.messages.negotiation import negotiate
from app.http.problems.request_errors import NotAcceptable

OFFERS = ("application/json", "image/png", "image/jpeg")


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (None, "application/json"),
        ("", "application/json"),
        ("*/*", "application/json"),
        ("image/*", "image/png"),
        ("image/jpeg", "image/jpeg"),
        ("image/png;q=0.2, image/jpeg;q=0.8", "image/jpeg"),
        ("image/*;q=0.9, image/png;q=0.1", "image/jpeg"),  # the more specific range counts
        ("*/*;q=0.5, application/json;q=0", "image/png"),
        ("image/jpeg , image/png", "image/jpeg"),  # among equals the first named
        ("image/jpeg;version=1;q=1.0", "image/jpeg"),
        ("image/jpeg;q=9", "image/jpeg"),
        ("image, image/jpeg", "image/jpeg"),
    ],
)
def test_best_match_of_the_accept_header_is_chosen(accept: str | None, expected: str) -> None:
    assert negotiate(accept, OFFERS) == expected


@pytest.mark.parametrize("accept", ["text/html", "image/*;q=0", "image/jpeg;q=none", ",", "image/png;q=0"])
def test_accept_without_a_match_is_refused(accept: str) -> None:
    with pytest.raises(NotAcceptable, match="application/json, image/png"):
        negotiate(accept, OFFERS)
