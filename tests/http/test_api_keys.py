"""API keys: who is refused without one, and that no key appears in any output."""

from __future__ import annotations

import hmac
import logging
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from app.http.access import api_keys as keys
from app.http.access.api_keys import ApiKeys, hash_of, key_line, new_key
from app.http.monitoring.logs import JsonFormatter
from app.settings.settings import SettingsError
from tests.cli.command import ugatit
from tests.http.conftest import MakeClient, MakeLive
from tests.http.live import until
from tests.http.problems import PNG, URL, problem
from tests.photos import photo

ALICE, BOB = "ugatit_" + "a" * 43, "ugatit_" + "b" * 43
"""Constant, because their hashes are in test names, which must be equal in all processes of a run."""
PROTECTED = [("POST", URL), ("GET", "/attention?id=x"), ("GET", "/directions")]
OPEN = ["/healthz", "/readyz", "/metrics", "/", "/page/page.js", "/docs", "/openapi.json"]


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "keys"
    path.write_text(f"# clients\n\n{key_line('alice', ALICE)}\n  {key_line('bob', BOB)}\n")
    return path


@pytest.fixture
def client(make_client: MakeClient, file: Path) -> TestClient:
    return make_client(api_keys_file=file)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        bearer(""),
        bearer(ALICE + "x"),
        bearer(ALICE[:-1]),
        bearer(hash_of(ALICE)),
        {"Authorization": ALICE},
        {"Authorization": f"Basic {ALICE}"},
        {"X-Api-Key": "alice"},
        {"X-Api-Key": ""},
        {"X-Api-Key": b"\xff\xfe"},
        {"Cookie": f"key={ALICE}"},
    ],
)
@pytest.mark.parametrize(("method", "address"), PROTECTED)
def test_request_without_a_valid_key_answers_401_with_the_remedy(
    client: TestClient, method: str, address: str, headers: dict[str, str]
) -> None:
    response = client.request(method, address, headers=headers)
    assert "Authorization: Bearer" in problem(response, 401, "unauthorized")["detail"]
    assert response.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    "headers", [bearer(ALICE), {"Authorization": f"bearer  {ALICE}"}, {"X-Api-Key": BOB}]
)
def test_request_with_a_valid_key_is_answered(client: TestClient, headers: dict[str, str]) -> None:
    answer = client.post(URL, content=photo(), headers=PNG | headers)
    assert answer.status_code == 200
    assert client.get(answer.json()["attention"]["href"], headers=headers).status_code == 200
    assert client.get("/directions", headers=headers).status_code == 200


@pytest.mark.parametrize("address", OPEN)
def test_monitoring_and_the_page_need_no_key(client: TestClient, address: str) -> None:
    assert client.get(address).status_code == 200


def test_openapi_declares_keys_only_if_they_are_required(client: TestClient, make_client: MakeClient) -> None:
    document = client.get("/openapi.json").json()
    protected = {
        path for path in document["paths"] for each in document["paths"][path].values() if "security" in each
    }
    translating = {"/translate", "/translate/batch", "/directions"}
    assert protected == {*translating, "/attention", "/attention/{id}", "/attention/{id}/raw"}
    assert document["components"]["securitySchemes"].keys() == {"bearer", "header"}
    assert "securitySchemes" not in make_client().get("/openapi.json").json()["components"]


def test_all_key_hashes_are_compared_in_constant_time(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared, really = [], hmac.compare_digest

    def compare(given: str, known: str) -> bool:
        compared.append(known)
        return really(given, known)

    monkeypatch.setattr(keys.hmac, "compare_digest", compare)  # type: ignore[attr-defined]
    client.get("/directions", headers=bearer(ALICE))
    assert compared == [hash_of(ALICE), hash_of(BOB)]


def test_log_contains_the_clients_name_and_no_key(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    client.post(URL, content=photo(), headers=PNG | bearer(ALICE))
    client.post(URL, content=photo(), headers=PNG | bearer("ugatit_wrong"))
    lines = [JsonFormatter().format(record) for record in caplog.records if record.name == "ugatit.access"]
    assert '"client": "alice"' in lines[0]
    assert '"client"' not in lines[1]
    assert "testclient" not in "".join(lines)
    for secret in (ALICE, hash_of(ALICE), "ugatit_wrong", hash_of("ugatit_wrong")):
        assert secret not in caplog.text + "".join(lines)


def test_reload_reads_the_key_file_and_an_invalid_file_keeps_the_previous_keys(
    file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    known, carol = ApiKeys(file), new_key()
    file.write_text(key_line("carol", carol))
    assert known.client_of_key(carol) is None
    known.reload()
    assert (known.client_of_key(carol), known.client_of_key(ALICE)) == ("carol", None)
    file.write_text(f"dave:{new_key()}")
    known.reload()
    assert known.client_of_key(carol) == "carol"
    assert "line 1" in caplog.text
    assert "ugatit_" not in caplog.text


def test_running_service_reloads_the_key_file(make_live: MakeLive, file: Path) -> None:
    live, carol = make_live(api_keys_file=file), new_key()
    file.write_text(key_line("carol", carol))
    assert live.ask("GET", "/directions", headers=bearer(carol))[0] == 401
    assert live.server._loop is not None
    live.server._loop.call_soon_threadsafe(live.server._reload)
    until(lambda: live.ask("GET", "/directions", headers=bearer(carol))[0] == 200)
    assert live.ask("GET", "/directions", headers=bearer(ALICE))[0] == 401


def test_client_can_have_two_valid_keys(file: Path) -> None:
    renewed = new_key()
    file.write_text(f"{key_line('alice', ALICE)}\n{key_line('alice', renewed)}")
    assert {ApiKeys(file).client_of_key(key) for key in (ALICE, renewed)} == {"alice"}


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "No such file"),
        (b"", "at least one key, got none"),
        (b"# no key\n", "at least one key, got none"),
        (b"alice\n", "line 1 must be NAME:SHA256"),
        (f"\nal ice:{hash_of(ALICE)}".encode(), "line 2"),
        (f"alice:{hash_of(ALICE).upper()}".encode(), "line 1"),
        (b"\xff", "not a text file"),
    ],
)
def test_invalid_key_file_is_refused_in_one_sentence(
    tmp_path: Path, content: bytes | None, sentence: str
) -> None:
    path = tmp_path / "keys"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SettingsError, match=sentence) as refused:
        ApiKeys(path)
    assert hash_of(ALICE) not in str(refused.value).lower()


def test_key_command_prints_a_key_and_its_line(tmp_path: Path) -> None:
    line, key = (line.partition(": ")[2] for line in ugatit("key", "alice").stdout.splitlines())
    (tmp_path / "keys").write_text(line)
    assert ApiKeys(tmp_path / "keys").client_of_key(key) == "alice"
    assert len(key) > 40
    assert ugatit("key", "alice").stdout.splitlines()[1] != f"key for the client: {key}"


def test_key_command_refuses_an_invalid_name() -> None:
    result = ugatit("key", "al ice")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith("ugatit: A key's name must have")
