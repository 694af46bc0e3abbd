"""Two processes give the update of one with both batches, and end when one of them is killed."""

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
from training.methods.progress import TYPICAL


class Pair:
    """Two processes, their printed results by key, and the end of process 0 after process 1 is killed."""

    def __init__(self, folder: Path) -> None:
        self.weights = folder / "weights.pt"
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = str(server.getsockname()[1])
        self.processes = [self._start(rank, port) for rank in range(2)]
        self.results: list[dict[str, list[Any]]] = [{}, {}]
        for rank, process in enumerate(self.processes):
            self._listen(rank, process, until="flags")
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
            for key, value in json.loads(line).items():
                self.results[rank].setdefault(key, []).append(value)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return Pair(tmp_path_factory.mktemp("pair"))


def test_two_processes_give_the_update_of_one_with_twice_the_batch(pair: Pair) -> None:
    alone = small(seed=0)
    for number in range(STEPS):
        terms = alone.step(batch(PICTURES, seed=number), TYPICAL)
        for results in pair.results:
            assert results["terms"][number] == pytest.approx(
                {name: float(term) for name, term in terms.items()}, rel=1e-9
            )
    torch.testing.assert_close(torch.load(pair.weights), weights(alone), rtol=1e-7, atol=1e-9)


def test_both_processes_have_the_same_weights_and_buffers_bit_for_bit(pair: Pair) -> None:
    first, second = pair.results
    assert first["digest"] == second["digest"]
    assert first["terms"] == second["terms"]


def test_an_update_that_is_not_finite_in_one_process_is_skipped_in_both(pair: Pair) -> None:
    first, second = pair.results
    assert first["skipped"] == second["skipped"]
    nan, overflow = first["skipped"]
    assert "D_adv_GB" in nan["discriminators"]
    assert "G_cycle_B" in nan["generators"]
    assert overflow == {"discriminators": ["gradients"], "generators": ["gradients"]}
    assert first["changed"] == second["changed"] == [False, False]


def test_the_first_failing_process_raises_its_error_and_the_others_end(pair: Pair) -> None:
    assert pair.results[0]["failed"] == [["OtherProcessError", ""], ["ValueError", "process 0 failed"]]
    assert pair.results[1]["failed"] == [["ValueError", "process 1 failed"], ["OtherProcessError", ""]]


def test_a_flag_of_one_process_reaches_all(pair: Pair) -> None:
    assert [results["flags"] for results in pair.results] == [[[True, False]]] * 2


def test_a_killed_process_ends_the_others_with_one_sentence(pair: Pair) -> None:
    assert pair.results[0]["lost"] == [
        "Another process of this run has ended or cannot be reached, so this process ends too; "
        "continue the run with ugatit-train resume."
    ]
    assert pair.processes[0].returncode == 2
