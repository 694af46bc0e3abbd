"""Test a study over HTTP: what participants can do, what they cannot learn, and the service's limits."""

from __future__ import annotations

import json
import random
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.http.middleware.safe_headers import SAFE_HEADERS
from app.http.study.app import create_study_app
from app.http.study.work import StudyWork
from app.settings.settings import Settings
from app.study.database import reading_database
from app.study.results import results_of
from tests.study.making import Participant, open_study


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    with study_client(tmp_path) as client:
        yield client


def study_client(folder: Path, *, pictures: int = 5, **settings: Any) -> TestClient:
    app = create_study_app(Settings(**settings), open_study(folder, pictures=pictures), StudyWork())
    return TestClient(app, raise_server_exceptions=False)


def asking(client: TestClient) -> Any:
    def ask(method: str, path: str, body: str | None) -> tuple[int, bytes]:
        answer = client.request(method, path, content=body)
        return answer.status_code, answer.content

    return ask


def begin(client: TestClient) -> str:
    return str(client.post("/participants").json()["participant"])


def test_a_hundred_participants_with_a_known_preference_have_the_expected_result(tmp_path: Path) -> None:
    preferred = ["middle"] * 100 + ["bright"] * 60 + ["dark"] * 40
    random.Random(0).shuffle(preferred)
    with study_client(tmp_path, pictures=2) as client:
        for number in range(100):
            Participant(asking(client)).answer_all(preferred[2 * number : 2 * number + 2])
    with reading_database(tmp_path / "study.db") as database:
        results = results_of(database)
    assert [(row.place, row.model, row.votes, row.share) for row in results.rows] == [
        (1, "middle-cat2dog", 100, 0.5),
        (2, "bright-cat2dog", 60, 0.3),
        (3, "dark-cat2dog", 40, 0.2),
    ]
    # Computed independently: by the formula as published, and as a sum of log-gamma functions.
    assert results.rows[0].interval == pytest.approx((0.4313608596, 0.5686391404))
    assert results.first is not None
    assert results.first.p == pytest.approx(8.411717930e-07, rel=1e-9, abs=0)
    assert (results.participants, results.complete, results.fewest, results.most) == (100, 100, 100, 100)


def test_participants_vote_at_once_and_none_is_lost(client: TestClient, tmp_path: Path) -> None:
    everyone = [Participant(asking(client)) for _ in range(8)]
    threads = [threading.Thread(target=each.answer_all, args=(["dark"] * 5,)) for each in everyone]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with closing(sqlite3.connect(tmp_path / "study.db")) as connection:
        assert connection.execute("SELECT count(*) FROM votes").fetchone() == (40,)


def test_nothing_that_is_sent_names_a_model(client: TestClient) -> None:
    token = begin(client)
    client.put(f"/participants/{token}/pictures/1/vote", content='{"choice": 2}')
    own = f"/participants/{token}"
    answers = [
        client.get(path) for path in ("/", "/study", own, f"{own}/pictures/1", f"{own}/pictures/1/source.jpg")
    ]
    answers += [client.get(f"{own}/pictures/1/choices/{choice}.jpg") for choice in (1, 2, 3)]
    for answer in answers:
        assert answer.status_code == 200
        sent = str(answer.headers).encode() + answer.content
        assert not any(name in sent for name in (b"bright", b"middle", b"cat2dog", b"generator"))
    varying = ("x-request-id", "date")
    heads = [{k: v for k, v in answer.headers.items() if k not in varying} for answer in answers[-3:]]
    assert heads[0] == heads[1] == heads[2]


def test_order_is_the_same_when_the_page_is_loaded_again(client: TestClient) -> None:
    participant = Participant(asking(client))
    assert [participant.models(place) for place in (1, 2, 3)] == [
        participant.models(place) for place in (1, 2, 3)
    ]


def test_second_vote_replaces_the_first_and_is_counted_once(client: TestClient) -> None:
    token = begin(client)
    for choice in (1, 3):
        answer = client.put(f"/participants/{token}/pictures/4/vote", content=json.dumps({"choice": choice}))
        assert answer.json() == {"pictures": 5, "votes": 1, "next": 1}
    assert client.get(f"/participants/{token}/pictures/4").json() == {"choices": 3, "choice": 3}


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("GET", "/participants/nobody", None, 404, "unknown_participant"),
        ("PUT", "/participants/nobody/pictures/1/vote", '{"choice": 1}', 404, "unknown_participant"),
        ("GET", "/participants/TOKEN/pictures/6", None, 404, "unknown_picture"),
        ("GET", "/participants/TOKEN/pictures/1/choices/0.jpg", None, 422, "invalid_option"),
        ("PUT", "/participants/TOKEN/pictures/1/vote", '{"choice": 4}', 422, "invalid_option"),
        ("PUT", "/participants/TOKEN/pictures/1/vote", '{"choice": "1"}', 422, "invalid_vote"),
        ("PUT", "/participants/TOKEN/pictures/1/vote", '{"choice": true}', 422, "invalid_vote"),
        ("PUT", "/participants/TOKEN/pictures/1/vote", "[" * 3000, 422, "invalid_vote"),
        ("PUT", "/participants/TOKEN/pictures/1/vote", "", 422, "invalid_vote"),
        ("PUT", "/participants/TOKEN/pictures/1/vote", " " * 9000, 413, "body_too_large"),
        ("GET", "/participants/TOKEN/pictures/1/vote", None, 405, "method_not_allowed"),
        ("GET", "/docs", None, 404, "not_found"),
        ("GET", "/openapi.json", None, 404, "not_found"),
    ],
)
def test_refusals_are_problems(
    client: TestClient, method: str, path: str, body: str | None, status: int, code: str
) -> None:
    answer = client.request(method, path.replace("TOKEN", begin(client)), content=body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-request-id"] == answer.json()["request_id"]


def test_every_answer_has_the_security_headers(client: TestClient) -> None:
    for path in ("/", "/study", "/nowhere", "/assets/study.js", "/page/page.css"):
        headers = client.get(path).headers
        assert {name: headers[name] for name in SAFE_HEADERS} == SAFE_HEADERS


def test_rate_limit_of_the_service_holds(tmp_path: Path) -> None:
    with study_client(tmp_path, rate_per_minute=1, rate_burst=2) as client:
        answers = [client.post("/participants") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [201, 201, 429]
    assert int(answers[2].headers["retry-after"]) > 0


def test_vote_that_cannot_be_written_is_a_problem_and_not_counted(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    token = begin(client)

    def full() -> str:
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patch:
        patch.setattr("app.study.database._now", full)
        answer = client.put(f"/participants/{token}/pictures/1/vote", content='{"choice": 1}')
    assert (answer.status_code, answer.json()["code"]) == (503, "study_unavailable")
    assert str(tmp_path) not in answer.text
    assert client.get(f"/participants/{token}").json()["votes"] == 0
    assert client.put(f"/participants/{token}/pictures/1/vote", content='{"choice": 1}').status_code == 200
