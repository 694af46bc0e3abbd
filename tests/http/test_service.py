"""Endpoints about the service itself, and headers of every answer."""

from __future__ import annotations

import json
import logging
import re
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.http.monitoring.logs import JsonFormatter, PlainFormatter
from tests.fake_engine import write_fake_bundle
from tests.http.conftest import MakeClient
from tests.http.problems import PNG, URL, problem
from tests.photos import photo


def test_directions_answer_contains_every_field(client: TestClient) -> None:
    (direction,) = client.get("/directions").json()["directions"]
    assert direction == {
        "name": "cat2dog",
        "state": "ready",
        "reason": None,
        "source": "cat",
        "target": "dog",
        "model": {"name": "cat2dog", "version": direction["model"]["version"]},
        "method": "ugatit",
        "image": {"height": 32, "width": 32, "fixed": True},
        "attention": {"generator": True, "local": True, "global": True},
        "maps": [
            {
                "name": name,
                "network": network,
                "part": "both",
                "kind": "relevance",
                "range": {"low": None, "high": None},
            }
            for name, network in (
                ("attention", "generator"),
                ("attention_local", "local"),
                ("attention_global", "global"),
            )
        ],
        "framing": None,
        "face": None,
        "styles": None,
        "evaluation": [],
        "provider": "FakeExecutionProvider",
        "precision": "float32",
        "licence": "MIT",
        "limits": "Only for tests.",
        "card": "# A fake\n",
    }


def test_health_answers_while_loading_and_readiness_does_not(make_client: MakeClient, model: Any) -> None:
    model.hold()
    client = make_client(loaded=False)
    assert client.get("/healthz").json() == {"status": "ok"}
    fields = problem(client.get("/readyz"), 503, "not_ready")
    assert "1 of 1" in fields["detail"]
    model.release()
    client.portal.call(client.app_state["engine"].wait_until_loaded)
    assert client.get("/readyz").json() == {
        "status": "ready",
        "store": "up",
        "directions": {"cat2dog": "ready"},
    }


def test_ready_answer_contains_the_reasons_of_degraded_directions(
    make_client: MakeClient, model: Any, tmp_path: Path
) -> None:
    client = make_client()
    path = write_fake_bundle(tmp_path / "bundles", card=b"Another")
    (path / "card.md").write_bytes(b"Torn")
    (write_fake_bundle(tmp_path / "bundles", "dog2cat") / "stranger").touch()
    client.portal.call(client.app_state["engine"].registry.reload)
    readiness = client.get("/readyz")
    assert readiness.status_code == 200
    assert readiness.json()["directions"] == {"cat2dog": "degraded", "dog2cat": "defunct"}
    assert "rejected" in readiness.json()["reasons"]["cat2dog"]
    assert "stranger" in readiness.json()["reasons"]["dog2cat"]
    described = {one["name"]: one for one in client.get("/directions").json()["directions"]}
    assert (described["cat2dog"]["state"], described["cat2dog"]["card"]) == ("degraded", "# A fake\n")
    assert described["cat2dog"]["reason"] == readiness.json()["reasons"]["cat2dog"]
    assert 'ugatit_direction_state{direction="cat2dog",state="degraded"} 1.0' in client.get("/metrics").text
    assert client.post(URL, content=photo(), headers=PNG).status_code == 200


def test_metrics_count_runs_of_a_direction_added_by_reload(
    make_client: MakeClient, model: Any, tmp_path: Path
) -> None:
    client = make_client()
    write_fake_bundle(tmp_path / "bundles", "ant2bee")
    client.portal.call(client.app_state["engine"].registry.reload)
    assert client.post("/translate?direction=ant2bee", content=photo(), headers=PNG).status_code == 200
    assert 'ugatit_batch_pictures_sum{direction="ant2bee"} 1.0' in client.get("/metrics").text


def test_readiness_without_bundles_names_the_setting(make_client: MakeClient, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    client = make_client(bundles_dir=empty)
    fields = problem(client.get("/readyz"), 503, "not_ready")
    assert str(empty) not in fields["detail"], "the answer must not contain local paths"
    assert "UGATIT_BUNDLES_DIR" in fields["detail"]
    assert client.get("/directions").json()["directions"] == []
    problem(client.post(URL, content=photo(), headers=PNG), 404, "unknown_direction")


def test_metrics_count_answers_stages_and_problems(client: TestClient) -> None:
    client.post(URL, content=photo(), headers=PNG)
    client.post(URL, content=b"nothing", headers=PNG)
    client.get("/no/such/address/7f3a")
    text = client.get("/metrics").text
    for line in (
        'ugatit_requests_total{method="POST",route="/translate",status="200"} 1.0',
        'ugatit_requests_total{method="POST",route="/translate",status="415"} 1.0',
        'ugatit_requests_total{method="GET",route="other",status="404"} 1.0',
        'ugatit_rejections_total{code="unsupported_format"} 1.0',
        'ugatit_stage_seconds_count{direction="cat2dog",stage="encode"} 1.0',
        'ugatit_stage_seconds_count{direction="cat2dog",stage="total"} 1.0',
        'ugatit_rejections_total{code="queue_full"} 0.0',
        'ugatit_batch_pictures_sum{direction="cat2dog"} 1.0',
        'ugatit_direction_state{direction="cat2dog",state="ready"} 1.0',
        'ugatit_provider{direction="cat2dog",precision="float32",provider="FakeExecutionProvider"} 1.0',
        "ugatit_attention_entries 1.0",
        'ugatit_permits_held{direction="cat2dog"} 0.0',
        'ugatit_permits_limit{direction="cat2dog"} 16.0',
        "ugatit_receiving_bytes 0.0",
        "ugatit_receiving_limit_bytes 2.68435456e+08",
        "ugatit_ready 1.0",
        "ugatit_build_info{",
        "process_resident_memory_bytes ",
    ):
        assert line in text
    assert "7f3a" not in text
    version = client.get("/directions").json()["directions"][0]["model"]["version"]
    assert f'ugatit_model_info{{direction="cat2dog",method="ugatit",version="{version}"}} 1.0' in text


def test_every_answer_has_an_id_and_safe_headers(client: TestClient) -> None:
    for response in (
        client.get("/"),
        client.get("/healthz"),
        client.get("/nope"),
        client.get("/page/page.js"),
    ):
        assert re.fullmatch(r"[0-9a-f]{16}", response.headers["x-request-id"])
        assert response.headers["x-content-type-options"] == "nosniff"
        policy = response.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self';" in policy
        assert "unsafe" not in policy


@pytest.mark.parametrize(
    ("given", "taken"),
    [("abc-123_X.y", True), ("a" * 64, True), ("a" * 65, False), ("a b", False), ("é", False)],
)
def test_valid_request_id_of_the_client_is_used(client: TestClient, given: str, taken: bool) -> None:
    response = client.get("/healthz", headers={"X-Request-Id": given.encode("latin-1")})
    assert (response.headers["x-request-id"] == given) is taken


def test_head_answers_get_without_its_body(client: TestClient) -> None:
    for path in ("/", "/healthz", "/directions", "/page/page.css"):
        head, get = client.head(path), client.get(path)
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["content-length"] == get.headers["content-length"]


def test_options_answers_the_allowed_methods(client: TestClient) -> None:
    for path, allow in (("/translate", "POST, OPTIONS"), ("/attention", "GET, HEAD, OPTIONS")):
        response = client.options(path)
        assert response.status_code == 204
        assert response.headers["allow"] == allow


def test_page_and_its_files_are_served(client: TestClient) -> None:
    page = client.get("/")
    assert page.headers["content-type"].startswith("text/html")
    names = re.findall(r'(?:src|href)="/?(page/[^"]+)"', page.text)
    assert names
    for name in names:
        assert client.get(f"/{name}").status_code == 200


def test_documentation_links_to_no_other_host(client: TestClient) -> None:
    page = client.get("/docs")
    assert "//" not in re.sub(r"<!.*?>", "", page.text)
    for name in re.findall(r'(?:src|href)="([^"]+)"', page.text):
        assert client.get(name).status_code == 200


def test_documentation_can_be_turned_off(make_client: MakeClient) -> None:
    client = make_client(docs=False)
    for path in ("/docs", "/openapi.json", "/docs/swagger-ui.css", "/redoc"):
        problem(client.get(path), 404, "not_found")


REFUSED = ("400", "401", "404", "406", "422", "429", "500")


def test_openapi_declares_every_status_with_examples(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    responses = document["paths"]["/translate"]["post"]["responses"]
    assert set(responses) == {"200", "304", "503", "504"} | set(REFUSED) | {"408", "413", "415"}
    assert set(responses["200"]["content"]) == {
        "application/json", "image/png", "image/jpeg", "image/webp", "image/gif", "multipart/mixed",
    }  # fmt: skip
    for status, response in responses.items():
        if status not in ("200", "304"):
            content = response["content"]["application/problem+json"]
            assert content["schema"] == {"$ref": "#/components/schemas/Problem"}
            assert content["examples"]
    body = document["paths"]["/translate"]["post"]["requestBody"]["content"]
    assert set(body) == {
        "multipart/form-data",
        "image/jpeg",
        "image/png",
        "image/webp",
        "image/gif",
        "application/octet-stream",
    }
    assert "Retry-After" in responses["503"]["headers"]
    declared = document["paths"]["/attention"]["get"]["responses"]
    assert set(declared) == {"200", "304", "503", "504"} | set(REFUSED) | {"408"}
    assert "HTTPValidationError" not in json.dumps(document)
    for reference in re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(document)):
        assert reference in document["components"]["schemas"]


def test_log_line_has_direction_stages_and_id_but_no_file_name(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "ugatit.access"):
        response = client.post(URL, files={"file": ("my-secret-party.jpg", photo())})
    (record,) = [record for record in caplog.records if record.name == "ugatit.access"]
    line = json.loads(JsonFormatter().format(record))
    assert line["request_id"] == response.headers["x-request-id"]
    assert (line["route"], line["status"], line["direction"]) == ("/translate", 200, "cat2dog")
    assert set(line["stages"]) == {"decode", "queue", "inference", "encode", "total"}
    plain = PlainFormatter("%(message)s").format(record)
    assert response.headers["x-request-id"] in plain
    assert "secret" not in plain + json.dumps(line)


def test_monitoring_requests_are_not_logged(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "ugatit.access"):
        for path in ("/healthz", "/readyz", "/metrics"):
            client.get(path)
    assert caplog.records == []


def test_directions_and_documentation_contain_the_limits(make_client: MakeClient) -> None:
    client = make_client(body_limit_bytes=1_234_567, rate_per_minute=30, attention_ttl_seconds=90)
    limits = client.get("/directions").json()["limits"]
    assert (limits["body_bytes"], limits["requests_per_minute"], limits["attention_seconds"]) == (
        1_234_567,
        30,
        90,
    )
    described = client.get("/openapi.json").json()["info"]["description"]
    for words in ("1,234,567 bytes", "30 a minute", "90 s", "version 1"):
        assert words in described


def test_openapi_names_operations_and_enumerates_codes(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    operations = {
        operation["operationId"]: operation["tags"]
        for path in document["paths"].values()
        for operation in path.values()
    }
    assert operations == {
        "translate": ["translation"],
        "translate_batch": ["translation"],
        "heat_map": ["attention"],
        "heat_map_values": ["attention"],
        "heat_map_by_query": ["attention"],
        "directions": ["service"],
        "health": ["service"],
        "readiness": ["service"],
        "metrics": ["service"],
    }
    codes = document["components"]["schemas"]["Problem"]["properties"]["code"]["enum"]
    declared = set(re.findall(r'"code": "([a-z_]+)"', json.dumps(document["paths"])))
    assert declared <= set(codes)
    assert len(codes) == len(set(codes))
    picture = document["paths"]["/attention/{id}"]["get"]["responses"]["200"]["content"]
    assert set(picture) == {"image/png", "image/jpeg", "image/webp", "image/gif"}
    assert set(document["paths"]["/attention/{id}/raw"]["get"]["responses"]["200"]["content"]) == {
        "application/json"
    }
