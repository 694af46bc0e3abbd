"""Checks that all problem documents share."""

from __future__ import annotations

from typing import Any

import httpx2

URL = "/translate?direction=cat2dog"
PNG = {"Content-Type": "image/png"}


def problem(response: httpx2.Response, status: int, code: str) -> dict[str, Any]:
    """Check that an answer is the expected problem; return its fields."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    fields: dict[str, Any] = response.json()
    assert fields["status"] == status
    assert fields["code"] == code
    assert fields["title"]
    assert fields["detail"].endswith((".", "?"))
    assert fields["request_id"] == response.headers["x-request-id"]
    return fields
