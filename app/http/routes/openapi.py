"""Complete the OpenAPI document with the limits, the problem schema and the API key schemes."""

from __future__ import annotations

from typing import Any, Final

from fastapi import FastAPI

from app.http.messages.schemas import Limits
from app.http.problems.problems import Problem

_KEYS: Final = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "header": {"type": "apiKey", "in": "header", "name": "X-Api-Key"},
}
_DESCRIPTION: Final = """\
Send a picture to `POST /translate?direction=...`; `GET /directions` lists the directions. An error is \
`application/problem+json` with a stable `code` and a sentence with the remedy.

| limit | value |
| --- | --- |
{rows}

This is version 1 of the contract. Addresses, options, fields and codes may be added to it; none is removed \
or changes its meaning. So ignore unknown fields, and handle an unknown code by its status.
"""


def description_of(limits: Limits) -> str:
    """Return the document's introduction, in Markdown, with the limits of this service."""
    rate = limits.requests_per_minute
    rows = {
        "formats": ", ".join(limits.media_types),
        "request body": f"{limits.body_bytes:,} bytes",
        "picture": f"{limits.pixels:,} pixels, its longer side {limits.side_pixels:,}",
        "translated picture (`size`)": f"longer side {limits.answer_side_pixels:,} pixels",
        "time to translate a picture": f"{limits.deadline_seconds:g} s",
        "time that heat maps are kept": f"{limits.attention_seconds:g} s",
        "requests of one client": "no limit" if rate is None else f"{rate:g} a minute",
    }
    return _DESCRIPTION.format(rows="\n".join(f"| {name} | {value} |" for name, value in rows.items()))


def complete_document(app: FastAPI, *, keys_needed: bool) -> None:
    """Add the problem's schema, which routes refer to by name, and the key schemes if `keys_needed`."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        document = generate()
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        schemas["Problem"] = Problem.model_json_schema()
        if keys_needed:
            document["components"]["securitySchemes"] = _KEYS
            for operation in (each for path in document["paths"].values() for each in path.values()):
                if "401" in operation["responses"]:
                    operation["security"] = [{name: []} for name in _KEYS]
        return document

    app.openapi = openapi  # type: ignore[method-assign]
