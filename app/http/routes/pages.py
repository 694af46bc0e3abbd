"""Serve the web page and the API documentation. All files are local; none is loaded from another host."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from fastapi import APIRouter, FastAPI, Response
from fastapi.responses import FileResponse
from starlette.staticfiles import StaticFiles

_HERE: Final = Path(__file__).parents[1]
_PAGE: Final = _HERE / "page"
_DOCS: Final = _HERE / "docs"

_DOCS_CSP: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Swagger UI needs inline styles, and icons as data URLs."""

router = APIRouter(include_in_schema=False)


@router.get("/")
async def page() -> Response:
    """Return the web page."""
    return FileResponse(_PAGE / "index.html", headers={"Cache-Control": "no-cache"})


async def documentation() -> Response:
    """Return Swagger UI for /openapi.json."""
    headers = {"Cache-Control": "no-cache", "Content-Security-Policy": _DOCS_CSP}
    return FileResponse(_DOCS / "index.html", headers=headers)


def mount(app: FastAPI, *, docs: bool) -> None:
    """Add the page and its files below /page, and the documentation at /docs if `docs` is true."""
    app.include_router(router)
    app.mount("/page", StaticFiles(directory=_PAGE), name="page")
    if docs:
        app.add_api_route("/docs", documentation, include_in_schema=False)
        app.mount("/docs", StaticFiles(directory=_DOCS), name="docs")
