"""Every file of the corpus gets its exact answer, and never a 500."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from tests.client import URL, in_process
from tests.corpus import forms, jpegs, pngs, strangers, webps
from tests.corpus.case import Case
from tests.http.problems import problem

CASES = [case for group in (jpegs, pngs, webps, strangers, forms) for case in group.cases()]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with in_process(tmp_path_factory.mktemp("bundles") / "bundles") as client:
        yield client


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_odd_file_gets_its_exact_answer(client: TestClient, case: Case) -> None:
    headers = {"Content-Type": case.content_type} if case.content_type else {}
    response = client.post(URL, content=case.body, headers=headers)
    status, code = case.fate
    if code:
        problem(response, status, code)
    else:
        assert response.status_code == status, response.text
        assert response.json()["image"]["width"] == 32


def test_the_corpus_is_large_and_names_nothing_twice() -> None:
    names = [case.name for case in CASES]
    assert len(set(names)) == len(names) >= 150
