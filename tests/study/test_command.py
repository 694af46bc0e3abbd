"""Test `ugatit study` as a process: what it refuses, what it prints, and that votes survive a kill."""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from app.cli import main
from app.study.pictures import find_sources
from tests.cli.command import environment, signals_delivered, ugatit
from tests.study.making import Participant, open_study, write_models, write_pictures
from tests.tiny_bundle import write_tiny_bundle


@contextmanager
def holding(*arguments: str | Path) -> Iterator[tuple[subprocess.Popen[str], Any]]:
    """Run `ugatit study`; yield the process and a function that sends requests."""
    with signals_delivered():
        process = subprocess.Popen(
            [sys.executable, "-m", "app", "study", *map(str, arguments)],
            env=environment(UGATIT_PORT="0"),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
    try:
        assert process.stdout is not None
        address = re.search(r"http://([\w.:]+)", process.stdout.readline())
        assert address is not None, process.communicate()[1]

        def ask(method: str, path: str, body: str | None) -> tuple[int, bytes]:
            with closing(http.client.HTTPConnection(address[1], timeout=60)) as connection:
                connection.request(method, path, body)
                answer = connection.getresponse()
                return answer.status, answer.read()

        yield process, ask
    finally:
        process.kill()
        process.communicate()


def test_votes_survive_a_kill_and_the_participant_continues(tmp_path: Path) -> None:
    arguments = (*write_models(tmp_path / "models"), "--data", write_pictures(tmp_path / "pictures"))
    database = tmp_path / "study.db"
    with holding(*arguments, "--db", database) as (process, ask):
        participant = Participant(ask)
        shown = participant.models(2)
        for place in (1, 2, 3):
            participant.vote(place, place)
        process.send_signal(signal.SIGKILL)
        process.wait(60)
    with holding(*arguments, "--db", database) as (process, ask):
        participant.ask = ask
        assert participant.read(f"participants/{participant.token}") == {"pictures": 5, "votes": 3, "next": 4}
        assert participant.models(2) == shown
        assert participant.read(f"participants/{participant.token}/pictures/3")["choice"] == 3
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_results_are_printed_and_written_as_csv_while_the_study_runs(tmp_path: Path) -> None:
    study = open_study(tmp_path)
    token = study.begin()
    study.vote(token, 1, 2)
    table_file, votes_file = tmp_path / "t.csv", tmp_path / "v.csv"
    done = ugatit("study", "results", tmp_path / "study.db", "--csv", table_file, "--votes", votes_file)
    assert (done.returncode, done.stderr) == (0, "")
    assert "1 votes of 1 participants on 5 pictures" in done.stdout
    assert "one-sided: p = 0.333" in done.stdout
    table = table_file.read_text().splitlines()
    assert len(table) == 4
    assert table[1].split(",")[3:5] == ["1", "1.0"]
    assert votes_file.read_text().splitlines()[1].startswith("1,")


def test_mistake_of_a_study_with_a_json_log_is_json_but_results_stay_plain() -> None:
    json_log = {"UGATIT_LOG_FORMAT": "json"}
    mistake = ugatit("study", "one", "--data", "p", "--db", "new.db", **json_log)
    assert "compares 2 to 9 bundles" in json.loads(mistake.stderr)["message"]
    assert ugatit("study", "results", "nowhere.db", **json_log).stderr.startswith("ugatit: ")


@pytest.fixture
def refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Return a function that runs the command in this process, which must refuse and write nothing."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("UGATIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("UGATIT_PROVIDER", "cpu")
    monkeypatch.setenv("UGATIT_PORT", "0")
    monkeypatch.setattr("app.http.monitoring.logs.configure_logging", lambda *_: None)
    open_study(tmp_path / "other").close()
    models = write_models(tmp_path / "m")
    write_tiny_bundle(tmp_path / "m", "dog2cat")
    write_pictures(tmp_path / "p")
    write_pictures(tmp_path / "horse2zebra" / "testA")
    write_pictures(tmp_path / "dog2cat" / "testA")
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.db").write_text("not a database, but long enough to be read as the header of one" * 9)
    with closing(sqlite3.connect(tmp_path / "program.db")) as connection:
        connection.execute("CREATE TABLE things (name)")
    shutil.copytree(models[0], tmp_path / "copy" / "cat2dog")

    def run(arguments: str) -> str:
        before = {path: path.stat().st_size for path in tmp_path.rglob("*")}
        monkeypatch.setattr(sys, "argv", ["ugatit", "study", *arguments.split()])
        with pytest.raises(SystemExit) as left:
            main()
        assert left.value.code == 2
        assert {path: path.stat().st_size for path in tmp_path.rglob("*")} == before
        error = capsys.readouterr().err
        assert error.count("\n") == 1, error
        return error

    return run


ALL = "m/dark/cat2dog m/middle/cat2dog"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("m/dark/cat2dog --data p --db new.db", "compares 2 to 9 bundles, got 1"),
        ("m/dark/cat2dog m/dark/cat2dog --data p --db new.db", "is given twice"),
        ("m/dark/cat2dog copy/cat2dog --data p --db new.db", "hold the same bundle"),
        ("m/dark/cat2dog m/dog2cat --data p --db new.db", "must have one direction"),
        (f"{ALL} --data empty --db new.db", "empty holds no readable pictures"),
        (f"{ALL} --data nowhere --db new.db", "nowhere is not a folder"),
        (f"{ALL} --data horse2zebra --db new.db", "says other domains"),
        (f"{ALL} --data horse2zebra --a2b horse2zebra --db new.db", "names other domains"),
        (f"{ALL} --data dog2cat --db new.db", "testB holds no readable pictures"),
        (f"{ALL} --data p --db other/study.db", "holds a study of other bundles"),
        (f"{ALL} --data p --db text.db", "cannot be used as a study's database"),
        (f"{ALL} --data p --db program.db", "is the database of another program"),
        (f"{ALL} --data p --db p", "--db needs a file, and p is a folder"),
        (f"{ALL} --data p --db nowhere/new.db", "--db needs an existing folder"),
        (f"{ALL} --data p", "--db"),
        (f"p {ALL} --data p --db new.db", "manifest.json"),
        ("results nowhere.db", "nowhere.db is not a file"),
        ("results text.db", "cannot be used as a study's database"),
        ("results program.db", "is the database of another program"),
        ("results other/study.db --csv p", "p is a folder"),
        ("", "BUNDLE..."),
    ],
)
def test_mistakes_are_one_sentence_and_write_nothing(refused: Any, arguments: str, sentence: str) -> None:
    assert sentence in refused(arguments)


def test_domain_is_found_by_the_name_of_the_data_set_or_a2b(tmp_path: Path) -> None:
    write_pictures(tmp_path / "dog2cat" / "testB", 2)
    write_pictures(tmp_path / "dog2cat" / "testA", 3)
    found = find_sources(tmp_path / "dog2cat", "cat", "dog", None, None)
    assert [picture.path.parent.name for picture in found.pictures] == ["testB"] * 2
    found = find_sources(tmp_path / "dog2cat", "cat", "dog", "cat2dog", 2)
    assert [picture.name for picture in found.pictures] == ["0.png", "1.png"]


def test_unreadable_and_equal_pictures_are_left_out_and_named(tmp_path: Path) -> None:
    pictures = write_pictures(tmp_path / "p", 2)
    shutil.copy(pictures / "0.png", pictures / "2.png")
    (pictures / "3.png").write_bytes(b"no picture")
    found = find_sources(pictures, "cat", "dog", None, None)
    assert [picture.name for picture in found.pictures] == ["0.png", "1.png"]
    assert "2.png: it equals" in found.remarks[0]
    assert "3.png: " in found.remarks[1]
