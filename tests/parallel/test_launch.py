"""What a run computes on, and what it says where that is not there."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch

from models.networks.config import ConfigError
from tests.cli.command import ROOT, environment
from training.parallel import group
from training.parallel.launch import Devices, launched
from training.parallel.processes import Solo, in_words


@pytest.fixture
def no_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)


@pytest.fixture
def two_cuda_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)


def under_torchrun(monkeypatch: pytest.MonkeyPatch, *, devices: int, nodes: int) -> None:
    for name, value in {
        "TORCHELASTIC_RUN_ID": "run",
        "LOCAL_WORLD_SIZE": str(devices),
        "WORLD_SIZE": str(devices * nodes),
    }.items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("no_cuda")
@pytest.mark.parametrize("accelerator", ["auto", "cpu"])
def test_one_process_without_a_gpu_computes_on_the_cpu(accelerator: str) -> None:
    with launched(Devices(accelerator=accelerator)) as processes:
        assert (processes.rank, processes.count, processes.device.type) == (0, 1, "cpu")


@pytest.mark.usefixtures("two_cuda_devices")
@pytest.mark.parametrize(("accelerator", "device"), [("auto", "cuda"), ("cuda", "cuda"), ("cpu", "cpu")])
def test_a_gpu_is_taken_unless_the_cpu_is_asked_for(accelerator: str, device: str) -> None:
    with launched(Devices(accelerator=accelerator)) as processes:
        assert processes.device.type == device


@pytest.mark.usefixtures("no_cuda")
def test_a_gpu_that_is_not_there_is_a_sentence() -> None:
    with pytest.raises(ConfigError, match="no CUDA device"), launched(Devices(accelerator="cuda")):
        pass


@pytest.mark.usefixtures("two_cuda_devices")
def test_more_gpus_than_there_are_is_a_sentence() -> None:
    wanted = Devices(devices=3)
    with pytest.raises(ConfigError, match="There are 2 CUDA devices here, and 3 were"), launched(wanted):
        pass


@pytest.mark.usefixtures("no_cuda")
def test_several_machines_without_an_address_are_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MASTER_ADDR", raising=False)
    with pytest.raises(ConfigError, match="MASTER_ADDR and MASTER_PORT"), launched(Devices(nodes=2)):
        pass


@pytest.mark.parametrize("wanted", [Devices(devices=4), Devices(devices=2, nodes=3)])
def test_flags_that_contradict_torchrun_are_refused(monkeypatch: pytest.MonkeyPatch, wanted: Devices) -> None:
    under_torchrun(monkeypatch, devices=2, nodes=1)
    with pytest.raises(ConfigError, match="torchrun has started 2 processes on each of 1"), launched(wanted):
        pass


def test_torchrun_with_one_process_is_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    under_torchrun(monkeypatch, devices=1, nodes=1)
    with launched(Devices(accelerator="cpu")) as processes:
        assert processes.count == 1


def test_one_process_never_imports_what_several_need() -> None:
    look = (
        "import sys; from training.parallel.launch import Devices, launched; import training.cli\n"
        "with launched(Devices(accelerator='cpu')): sys.exit('lightning_fabric' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", look], env=environment(), cwd=ROOT).returncode == 0


def test_gradients_are_put_into_buckets_of_one_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group, "BUCKET", 10)
    gradients = [torch.zeros(size) for size in (4, 4, 4, 30, 1)] + [torch.zeros(2, dtype=torch.float64)]
    sizes = [[each.numel() for each in bucket] for bucket in group._buckets(gradients)]
    assert sizes == [[4, 4], [4], [30], [1], [2]]


@pytest.mark.parametrize(
    ("count", "local_count", "kind", "words"),
    [
        (1, 1, "cpu", "1 process, 3 threads"),
        (1, 1, "cuda", "1 process, 1 GPU"),
        (4, 4, "cuda", "4 processes on this machine, 1 GPU each"),
        (4, 2, "cpu", "4 processes on 2 machines, 3 threads each"),
    ],
)
def test_processes_are_named_with_their_machines_and_devices(
    monkeypatch: pytest.MonkeyPatch, count: int, local_count: int, kind: str, words: str
) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: 3)
    solo = Solo(torch.device(kind))
    solo.count, solo.local_count = count, local_count
    assert in_words(solo) == words
