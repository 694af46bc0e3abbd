"""CORS: off by default, and then only for the listed origins."""

from __future__ import annotations

from pathlib import Path

import httpx2
import pytest
from starlette.testclient import TestClient

from app.http.access.api_keys import key_line, new_key
from tests.http.conftest import MakeClient
from tests.http.problems import PNG, URL
from tests.photos import photo

ALLOWED = "https://a.example"
PREFLIGHT = {
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "authorization,content-type",
}
OTHER_ORIGINS = (
    "https://b.example",
    "http://a.example",
    "https://a.example:8443",
    "https://a.example.evil",
    "null",
)


@pytest.fixture
def client(make_client: MakeClient) -> TestClient:
    return make_client(cors_origins=f"{ALLOWED}, http://localhost:3000")


def cors_headers(response: httpx2.Response) -> set[str]:
    return {name for name in response.headers if name.startswith("access-control-")}


def test_answer_to_an_allowed_origin_has_cors_and_exposed_headers(
    client: TestClient,
) -> None:
    response = client.post(URL, content=photo(), headers=PNG | {"Origin": ALLOWED})
    assert response.headers["access-control-allow-origin"] == ALLOWED
    exposed = response.headers["access-control-expose-headers"].lower().split(", ")
    named = {"x-translation-id", "link", "x-request-id", "server-timing", "retry-after", "etag"}
    assert named <= set(exposed)
    assert response.headers["cross-origin-resource-policy"] == "cross-origin"
    assert "access-control-allow-credentials" not in response.headers
    assert {"Accept", "Origin"} <= set(response.headers["vary"].split(", "))


def test_other_site_confirms_an_answer_by_its_etag(client: TestClient) -> None:
    asked = PREFLIGHT | {"Origin": ALLOWED, "Access-Control-Request-Headers": "if-none-match"}
    allowed = client.options("/translate", headers=asked).headers["access-control-allow-headers"]
    assert "if-none-match" in allowed.lower().split(", ")
    tag = client.post(URL, content=photo(), headers=PNG | {"Origin": ALLOWED}).headers["etag"]
    known = client.post(URL, content=photo(), headers=PNG | {"Origin": ALLOWED, "If-None-Match": tag})
    assert (known.status_code, known.headers["access-control-allow-origin"]) == (304, ALLOWED)


def test_errors_have_cors_headers_including_500(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError

    gone = client.get("/attention?id=x", headers={"Origin": ALLOWED})
    monkeypatch.setattr(client.app_state["engine"], "check", broken)
    ours = client.post(URL, headers={"Origin": ALLOWED})
    assert (gone.status_code, ours.status_code) == (404, 500)
    for response in (gone, ours):
        assert response.headers["access-control-allow-origin"] == ALLOWED


@pytest.mark.parametrize("origin", OTHER_ORIGINS)
def test_other_origin_gets_no_cors_headers(client: TestClient, origin: str) -> None:
    for response in (
        client.get("/directions", headers={"Origin": origin}),
        client.options(URL, headers={"Origin": origin} | PREFLIGHT),
        client.get("/directions"),
    ):
        assert cors_headers(response) == set()
        assert response.headers["cross-origin-resource-policy"] == "same-origin"
        assert "Origin" in response.headers["vary"]


def test_preflight_is_answered_without_a_key(make_client: MakeClient, tmp_path: Path) -> None:
    (tmp_path / "keys").write_text(key_line("alice", new_key()))
    client = make_client(cors_origins=ALLOWED, api_keys_file=tmp_path / "keys")
    for address in (URL, "/attention?id=x", "/directions"):
        response = client.options(address, headers={"Origin": ALLOWED} | PREFLIGHT)
        assert response.status_code == 204
        assert response.headers["access-control-allow-origin"] == ALLOWED
        assert "POST" in response.headers["access-control-allow-methods"]
        allowed = response.headers["access-control-allow-headers"].lower().split(", ")
        assert {"authorization", "content-type", "x-api-key"} <= set(allowed)
    assert client.post(URL, headers={"Origin": ALLOWED}).status_code == 401


def test_cors_is_off_by_default(make_client: MakeClient) -> None:
    client = make_client()
    assert cors_headers(client.get("/directions", headers={"Origin": ALLOWED})) == set()
    assert cors_headers(client.options(URL, headers={"Origin": ALLOWED} | PREFLIGHT)) == set()


def test_img_without_origin_can_show_heat_maps_only_if_cors_is_on(
    client: TestClient, make_client: MakeClient
) -> None:
    """Browsers request an <img> without an Origin, and obey Cross-Origin-Resource-Policy."""
    for service, policy in ((client, "cross-origin"), (make_client(), "same-origin")):
        href = service.post(URL, content=photo(), headers=PNG).json()["attention"]["href"]
        assert service.get(href).headers["cross-origin-resource-policy"] == policy
        assert service.get(f"{href}&view=raw").headers["cross-origin-resource-policy"] == "same-origin"
        stranger = service.get(href, headers={"Origin": "https://b.example"})
        assert stranger.headers["cross-origin-resource-policy"] == "same-origin"


def test_origin_with_the_default_port_matches_the_origin_without_port(make_client: MakeClient) -> None:
    client = make_client(cors_origins=f"{ALLOWED}:443")
    response = client.get("/directions", headers={"Origin": ALLOWED})
    assert response.headers["access-control-allow-origin"] == ALLOWED
