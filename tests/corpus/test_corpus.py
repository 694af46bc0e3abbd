"""Every file of the corpus gets the expected response, and never a 500."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from tests.client import URL, in_process
from tests.corpus import forms, gifs, jpegs, other_formats, pngs, webps
from tests.corpus.case import Case
from tests.http.problems import problem

CASES = [case for group in (jpegs, pngs, webps, gifs, other_formats, forms) for case in group.cases()]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with in_process(tmp_path_factory.mktemp("bundles") / "bundles") as client:
        yield client


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_file_of_the_corpus_gets_the_expected_response(client: TestClient, case: Case) -> None:
    headers = {"Content-Type": case.content_type} if case.content_type else {}
    response = client.post(URL, content=case.body, headers=headers)
    status, code = case.expected
    if code:
        problem(response, status, code)
    else:
        assert response.status_code == status, response.text
        assert response.json()["image"]["width"] == 32


def test_corpus_is_large_and_its_names_are_unique() -> None:
    names = [case.name for case in CASES]
    assert len(set(names)) == len(names) >= 150
