"""The service behind a proxy with a path prefix: all links include the prefix."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urljoin, urlsplit

import httpx2
import pytest

from tests.http.conftest import MakeLive
from tests.http.live import Live
from tests.http.problems import PNG, URL
from tests.photos import photo
from tests.proxy import PREFIX, proxied


def own_address(live: Live) -> str:
    host, port = live.address
    return f"http://{host}:{port}"


@contextmanager
def browsing(base: str) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=base, timeout=30) as client:
        yield client


def translate(client: httpx2.Client, **headers: str) -> httpx2.Response:
    answer = client.post(URL.removeprefix("/"), content=photo(), headers=PNG | headers)
    assert answer.status_code == 200, answer.text
    return answer


@pytest.mark.parametrize(
    ("settings", "strip", "told_prefix"),
    [
        ({"root_path": PREFIX}, True, None),
        ({"root_path": PREFIX}, False, None),
        ({}, True, PREFIX),
        ({"trusted_proxies": "127.0.0.0/8"}, True, PREFIX),
        ({"trusted_proxies": "*"}, True, f"{PREFIX}/"),
        ({"trusted_proxies": "127.0.0.1", "root_path": "/other"}, True, PREFIX),
    ],
)
def test_href_and_link_include_the_proxys_prefix(
    make_live: MakeLive, settings: dict[str, str], strip: bool, told_prefix: str | None
) -> None:
    live = make_live(**settings)
    with (
        proxied(own_address(live), strip=strip, told_prefix=told_prefix) as base,
        browsing(base + "/") as client,
    ):
        answer = translate(client)
        href = answer.json()["attention"]["href"]
        assert href.startswith(f"{PREFIX}/attention?id=")
        assert answer.headers["link"] == f'<{href}>; rel="related"'
        heat_map = client.get(urljoin(base + "/", href))
        assert heat_map.headers["content-type"] == "image/png"


@pytest.mark.parametrize("strip", [True, False])
def test_page_and_documentation_load_behind_a_proxy(make_live: MakeLive, strip: bool) -> None:
    live = make_live(**({} if strip else {"root_path": PREFIX}))
    with proxied(own_address(live), strip=strip) as base, browsing(base) as client:
        for page in (f"{base}/", f"{base}/docs"):
            links = re.findall(r'(?:href|src)="([^"#]+)"', client.get(page).text)
            assert links
            for link in links:
                assert client.get(urljoin(page, link)).status_code == 200, link
        document_address = urljoin(f"{base}/docs", "openapi.json")
        (server,) = client.get(document_address).json()["servers"]
        assert urljoin(document_address, server["url"]) == f"{base}/"


@pytest.mark.parametrize(
    ("trusted", "prefix"),
    [
        ("10.0.0.0/8", PREFIX),
        ("", "//evil.example"),
        ("127.0.0.1", "//evil.example"),
        ("127.0.0.1", "/a/../b"),
        ("127.0.0.1", "https://evil.example"),
        ("127.0.0.1", '/a>; rel="x"'),
        ("127.0.0.1", "/" + 300 * "a"),
    ],
)
def test_invalid_prefix_and_prefix_of_an_untrusted_sender_are_ignored(
    make_live: MakeLive, trusted: str, prefix: str
) -> None:
    live = make_live(trusted_proxies=trusted)
    with browsing(own_address(live)) as client:
        answer = translate(client, **{"X-Forwarded-Prefix": prefix, "X-Forwarded-For": "192.0.2.1"})
    assert answer.json()["attention"]["href"].startswith("/attention?id=")


def test_root_path_without_its_slash_redirects_to_the_page(make_live: MakeLive) -> None:
    live = make_live(root_path=PREFIX)
    with browsing(own_address(live)) as client:
        answer = client.get(PREFIX)
    assert answer.status_code == 308
    assert urlsplit(answer.headers["location"]).path == f"{PREFIX}/"


def test_addresses_without_the_root_path_are_still_served(make_live: MakeLive) -> None:
    live = make_live(root_path="/translate")  # as one of its own addresses
    with browsing(own_address(live)) as client:
        for path in ("/readyz", "/page/page.js", "/docs/start.js", "/translate/docs"):
            assert client.get(path).status_code == 200, path
        assert translate(client).json()["attention"]["href"].startswith("/translate/attention?id=")
