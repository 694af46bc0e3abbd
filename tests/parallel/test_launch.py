"""The devices and processes of a run, and the errors when they are not available."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch

from models.networks.config import ConfigError
from tests.cli.command import ROOT, environment
from training.parallel import process_group
from training.parallel.launch import Devices, launch
from training.parallel.processes import SingleProcess, describe_processes


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
def test_without_a_gpu_a_run_uses_the_cpu(accelerator: str) -> None:
    with launch(Devices(accelerator=accelerator)) as processes:
        assert (processes.rank, processes.count, processes.device.type) == (0, 1, "cpu")


@pytest.mark.usefixtures("two_cuda_devices")
@pytest.mark.parametrize(("accelerator", "device"), [("auto", "cuda"), ("cuda", "cuda"), ("cpu", "cpu")])
def test_a_gpu_is_used_unless_the_cpu_is_selected(accelerator: str, device: str) -> None:
    with launch(Devices(accelerator=accelerator)) as processes:
        assert processes.device.type == device


@pytest.mark.usefixtures("no_cuda")
def test_cuda_without_a_gpu_is_refused() -> None:
    with (
        pytest.raises(ConfigError, match="found none; remove it, or use cpu"),
        launch(Devices(accelerator="cuda")),
    ):
        pass


@pytest.mark.usefixtures("two_cuda_devices")
def test_more_devices_than_gpus_are_refused() -> None:
    wanted = Devices(devices=3)
    with (
        pytest.raises(ConfigError, match="at most 2, the number of CUDA devices here, got 3"),
        launch(wanted),
    ):
        pass


@pytest.mark.usefixtures("no_cuda")
def test_several_machines_without_an_address_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MASTER_ADDR", raising=False)
    with pytest.raises(ConfigError, match="MASTER_ADDR and MASTER_PORT"), launch(Devices(nodes=2)):
        pass


@pytest.mark.parametrize("wanted", [Devices(devices=4), Devices(devices=2, nodes=3)])
def test_flags_that_contradict_torchrun_are_refused(monkeypatch: pytest.MonkeyPatch, wanted: Devices) -> None:
    under_torchrun(monkeypatch, devices=2, nodes=1)
    with (
        pytest.raises(ConfigError, match="must match torchrun, which has started 2 processes on each of 1"),
        launch(wanted),
    ):
        pass


def test_torchrun_with_one_process_runs_a_single_process(monkeypatch: pytest.MonkeyPatch) -> None:
    under_torchrun(monkeypatch, devices=1, nodes=1)
    with launch(Devices(accelerator="cpu")) as processes:
        assert processes.count == 1


def test_a_single_process_does_not_import_lightning_fabric() -> None:
    code = (
        "import sys; from training.parallel.launch import Devices, launch; import training.cli\n"
        "with launch(Devices(accelerator='cpu')): sys.exit('lightning_fabric' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], env=environment(), cwd=ROOT).returncode == 0


def test_each_bucket_holds_gradients_of_one_dtype(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_group, "BUCKET", 10)
    gradients = [torch.zeros(size) for size in (4, 4, 4, 30, 1)] + [torch.zeros(2, dtype=torch.float64)]
    sizes = [[each.numel() for each in bucket] for bucket in process_group._buckets(gradients)]
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
def test_processes_are_described_with_machines_and_devices(
    monkeypatch: pytest.MonkeyPatch, count: int, local_count: int, kind: str, words: str
) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: 3)
    process = SingleProcess(torch.device(kind))
    process.count, process.local_count = count, local_count
    assert describe_processes(process) == words
