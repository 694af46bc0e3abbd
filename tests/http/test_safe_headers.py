"""Every answer has the safe headers, and no file of the page loads another host."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from starlette.testclient import TestClient

import app.http.routes.pages as pages
from app.http.middleware.safe_headers import SAFE_HEADERS
from tests.client import URL, in_process
from tests.photos import photo

METHODS = ("GET", "HEAD", "POST", "OPTIONS", "PUT", "DELETE", "PROPFIND")
HERE = Path(pages.__file__).parents[1]
FILES = [f"/{path.relative_to(HERE)}" for path in sorted(HERE.glob("page/*")) + sorted(HERE.glob("docs/*"))]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with in_process(tmp_path_factory.mktemp("bundles") / "bundles") as client:
        yield client


def answers(client: TestClient) -> Iterator[httpx2.Response]:
    """Yield the answers of all addresses with all methods, and of translations."""
    operations = client.get("/openapi.json").json()["paths"]
    for path in ["/", "/docs", "/openapi.json", "/nothing", "/page", *operations, *FILES]:
        for method in METHODS:
            yield client.request(method, path)
    for accept in ("application/json", "image/png", "multipart/mixed", "text/html"):
        headers = {"Content-Type": "image/png", "Accept": accept}
        yield client.post(URL, content=photo(), headers=headers)
        yield client.post(URL, content=b"hello", headers=headers)
    href = client.post(URL, files={"file": photo()}).json()["attention"]["href"]
    heat_map = client.get(href)
    yield heat_map
    yield client.get(href, headers={"If-None-Match": heat_map.headers["etag"]})
    yield client.get("/page/page.js", headers={"If-None-Match": client.get("/page/page.js").headers["etag"]})


def test_every_answer_has_the_safe_headers_and_no_cors_headers(client: TestClient) -> None:
    statuses = set()
    for response in answers(client):
        asked = f"{response.request.method} {response.request.url}: {response.status_code}"
        statuses.add(response.status_code)
        policy = response.headers["content-security-policy"]
        assert "default-src 'none'" in policy, asked
        assert "frame-ancestors 'none'" in policy, asked
        assert "http" not in policy, asked
        if not asked.endswith("/docs: 200"):  # Swagger UI writes styles into its elements
            assert policy == SAFE_HEADERS["Content-Security-Policy"], asked
        for name in SAFE_HEADERS.keys() - {"Content-Security-Policy"}:
            assert response.headers[name] == SAFE_HEADERS[name], asked
        assert not [name for name in response.headers if name.startswith("access-control-")], asked
        assert re.fullmatch(r"[0-9a-f]{16}", response.headers["x-request-id"]), asked
    assert statuses == {200, 204, 304, 404, 405, 406, 415, 422}


def test_page_and_documentation_load_no_other_host() -> None:
    loads = re.compile(
        r"""(?:src|href|action)\s*=\s*["']?\s*((?:https?:)?//[^"'\s>]+)|url\(["']?((?:https?:)?//)"""
    )
    written = [path for path in HERE.glob("page/*") if path.suffix != ".jpg"]
    for path in [*written, HERE / "docs/index.html", HERE / "docs/start.js"]:
        assert loads.findall(path.read_text()) == [], path.name
