"""Test the JavaScript example of docs/http.md in a page of another site."""

from __future__ import annotations

import base64
import json
import re
import threading
from collections.abc import Iterator
from http.server import HTTPServer, SimpleHTTPRequestHandler
from typing import TYPE_CHECKING

import pytest

from tests.cli.command import ROOT
from tests.photos import photo
from tests.service import running_service

if TYPE_CHECKING:
    from playwright.sync_api import Browser

EXAMPLE = re.findall(r"```javascript\n(.*?)```", (ROOT / "docs" / "http.md").read_text("utf-8"), re.DOTALL)[0]
SHOW = """async (src) => {
  const image = new Image();
  image.src = src;
  await image.decode();
  return image.width;
}"""


class _EmptyPage(SimpleHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@pytest.fixture
def other_site() -> Iterator[str]:
    """Serve an empty page at another origin and return the origin."""
    with HTTPServer(("127.0.0.1", 0), _EmptyPage) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
        yield f"http://localhost:{server.server_port}"
        server.shutdown()


def test_example_works_on_a_page_of_an_allowed_site(browser: Browser, other_site: str) -> None:
    with running_service(UGATIT_CORS_ORIGINS=other_site) as address:
        page = browser.new_page()
        page.goto(other_site)
        code = EXAMPLE.replace("http://127.0.0.1:8000", address)
        body = base64.b64encode(photo(form="JPEG")).decode()
        given = f"new Blob([Uint8Array.from(atob({json.dumps(body)}), (c) => c.charCodeAt(0))])"
        answer = page.evaluate(f"async () => {{ {code} return await translate({given}); }}")
        assert page.evaluate(SHOW, answer["picture"]) == 128
        assert page.evaluate(SHOW, answer["heatMap"]) == 512
        page.close()
