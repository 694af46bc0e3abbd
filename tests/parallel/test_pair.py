"""Two processes learn what one does from both their pictures, and never wait for one that is gone."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.cli.command import ROOT, environment
from tests.parallel.pair import PICTURES, STEPS
from tests.training.small import batch, small, weights


class Pair:
    """What both processes said, by its first word, and what the second saw when the first was killed."""

    def __init__(self, folder: Path) -> None:
        self.weights = folder / "weights.pt"
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = str(server.getsockname()[1])
        self.processes = [self._start(rank, port) for rank in range(2)]
        self.said: list[dict[str, list[Any]]] = [{}, {}]
        for rank, process in enumerate(self.processes):
            self._listen(rank, process, until="asked")
        self.processes[1].kill()
        out, _ = self.processes[0].communicate(timeout=300)
        self._note(0, out)
        self.processes[1].communicate()

    def _start(self, rank: int, port: str) -> subprocess.Popen[str]:
        where = {"LOCAL_RANK": str(rank), "NODE_RANK": "0", "WORLD_SIZE": "2"}
        return subprocess.Popen(
            [sys.executable, "-m", "tests.parallel.pair", str(self.weights)],
            env=environment(MASTER_ADDR="127.0.0.1", MASTER_PORT=port, **where),
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def _listen(self, rank: int, process: subprocess.Popen[str], *, until: str) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            self._note(rank, line)
            if until in json.loads(line):
                return

    def _note(self, rank: int, lines: str) -> None:
        for line in lines.splitlines():
            for word, value in json.loads(line).items():
                self.said[rank].setdefault(word, []).append(value)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return Pair(tmp_path_factory.mktemp("pair"))


def test_two_processes_learn_what_one_learns_from_twice_the_batch(pair: Pair) -> None:
    alone = small(seed=0)
    for number in range(STEPS):
        terms = alone.step(batch(PICTURES, seed=number), progress=0.0)
        for said in pair.said:
            assert said["terms"][number] == pytest.approx(
                {name: float(term) for name, term in terms.items()}, rel=1e-9
            )
    torch.testing.assert_close(torch.load(pair.weights), weights(alone), rtol=1e-7, atol=1e-9)


def test_both_have_the_same_bits_the_vectors_of_the_spectral_norm_too(pair: Pair) -> None:
    first, second = pair.said
    assert first["digest"] == second["digest"]
    assert first["terms"] == second["terms"]


def test_an_update_that_is_not_finite_in_one_is_skipped_in_both(pair: Pair) -> None:
    first, second = pair.said
    assert first["skipped"] == second["skipped"]
    nan, overflow = first["skipped"]
    assert "D_adv_GB" in nan["discriminators"]
    assert "G_cycle_B" in nan["generators"]
    assert overflow == {"discriminators": ["gradients"], "generators": ["gradients"]}
    assert first["changed"] == second["changed"] == [False, False]


def test_the_first_that_fails_tells_and_the_others_end_with_it(pair: Pair) -> None:
    assert pair.said[0]["together"] == [["TroubleElsewhere", ""], ["ValueError", "process 0 failed"]]
    assert pair.said[1]["together"] == [["ValueError", "process 1 failed"], ["TroubleElsewhere", ""]]


def test_what_one_is_asked_is_asked_of_all(pair: Pair) -> None:
    assert [said["asked"] for said in pair.said] == [[[True, False]]] * 2


def test_a_killed_process_ends_the_others_with_a_sentence(pair: Pair) -> None:
    assert pair.said[0]["lost"] == [
        "Another process of this run has ended or cannot be reached, so this one ends too; "
        "go on with ugatit-train resume."
    ]
    assert pair.processes[0].returncode == 2
