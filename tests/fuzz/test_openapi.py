"""The service follows its OpenAPI document, for requests that it allows and that it forbids."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi import checks
from starlette.testclient import TestClient

from tests.client import URL, in_process
from tests.corpus import gifs, jpegs, other_formats, pngs, webps
from tests.fuzz.amounts import amount
from tests.fuzz.mutants import mutant
from tests.photos import photo

OPERATIONS = (
    "POST /translate",
    "POST /translate/batch",
    "GET /attention",
    "GET /attention/{id}",
    "GET /attention/{id}/raw",
    "GET /directions",
    "GET /healthz",
    "GET /readyz",
    "GET /metrics",
)
WITH_OPTIONS = OPERATIONS[:5]
HEADERS = st.fixed_dictionaries(
    {},
    optional={
        "Accept": st.sampled_from(
            ("*/*", "image/webp", "image/*;q=0.5, application/json;q=0", "a/b", "multipart/*")
        ),
        "If-None-Match": st.sampled_from(("*", '"x"', "")),
    },
)
CHECKS = [
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]


def corpus() -> st.SearchStrategy[bytes]:
    """Return a strategy of the corpus files without the large ones."""
    groups = (jpegs, pngs, webps, gifs, other_formats)
    bodies = (case.body for group in groups for case in group.cases())
    return st.sampled_from([body for body in bodies if len(body) < 20_000])


PICTURES = st.one_of(
    st.builds(photo, st.integers(1, 64), st.integers(1, 64), form=st.sampled_from(("PNG", "JPEG", "WEBP"))),
    st.deferred(corpus),  # drawing it takes seconds, which only these tests need to spend
    st.integers(0, 10_000).map(lambda seed: mutant(seed).body),
    st.binary(max_size=64),
)

for media_type in ("image/png", "image/jpeg", "image/webp", "image/gif", "application/octet-stream"):
    schemathesis.openapi.media_type(media_type, PICTURES)
schemathesis.openapi.format("binary", PICTURES)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with in_process(tmp_path_factory.mktemp("bundles") / "bundles", attention_max_entries=8) as client:
        yield client


def test_every_operation_of_the_document_is_tested(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    assert {f"{method.upper()} {path}" for path in paths for method in paths[path]} == set(OPERATIONS)


@pytest.mark.parametrize(
    ("operation", "mode"),
    [(operation, GenerationMode.POSITIVE) for operation in OPERATIONS]
    + [(operation, GenerationMode.NEGATIVE) for operation in OPERATIONS if operation in WITH_OPTIONS],
)
def test_every_response_is_declared_in_the_document(
    client: TestClient, operation: str, mode: GenerationMode
) -> None:
    method, path = operation.split()
    document = client.get("/openapi.json").json()
    schema = schemathesis.openapi.from_dict(document, config=SchemathesisConfig())
    cases = schema[path][method].as_strategy(generation_mode=mode)
    statuses: Counter[int] = Counter()

    @settings(
        max_examples=amount("EXAMPLES", 100),
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases, sensible=st.sampled_from((True, True, True, False)), headers=HEADERS)
    def ask(case: schemathesis.Case, sensible: bool, headers: dict[str, str]) -> None:
        if sensible:  # otherwise almost every request would fail at the name of its direction
            case.query = {**case.query, **real_query(client, path)}
            if "{id}" in path:
                case.path_parameters = {"id": fresh_id(client)}
        asked = requests.Request(**case.as_transport_kwargs(base_url="http://testserver")).prepare()
        response = client.request(
            asked.method or "",
            asked.url or "",
            content=asked.body or b"",
            headers=headers | dict(asked.headers),
        )
        assert response.status_code < 500, response.text
        case.validate_response(response, checks=CHECKS)
        statuses[response.status_code] += 1

    ask()
    print(f"{operation}, {mode.value}: {dict(statuses)}")
    assert statuses[200] or mode is GenerationMode.NEGATIVE


def real_query(client: TestClient, path: str) -> dict[str, str]:
    """Return the query of a request that can succeed."""
    if path in ("/translate", "/translate/batch"):
        return {"direction": "cat2dog"}
    if path == "/attention":
        return {"id": fresh_id(client)}
    return {}


def fresh_id(client: TestClient) -> str:
    """Return the id of a new translation."""
    answer = client.post(URL, content=photo(), headers={"Content-Type": "image/png"})
    return str(answer.json()["id"])
