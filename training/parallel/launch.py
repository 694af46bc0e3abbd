"""Start the processes of a run: only this one, or several through Lightning Fabric."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch

from models.networks.config import ConfigError
from training.parallel.processes import Processes, ProcessLostError, SingleProcess


@dataclass(frozen=True, kw_only=True)
class Devices:
    """The devices of a run. They are not part of the config: a resumed run may use other devices."""

    accelerator: str = "auto"
    """`cpu`, `cuda`, or `auto`: `cuda` if torch can use a CUDA device, else `cpu`."""
    devices: int | None = None
    """The number of processes on each machine, one per device; None is 1, or torchrun's number."""
    nodes: int | None = None
    """The number of machines; None is 1, or torchrun's number."""


@contextmanager
def launch(wanted: Devices) -> Iterator[Processes]:
    """Provide the processes of a run. Without torchrun, this process starts the others with its own command.

    `lightning_fabric` is imported only for several processes, because it takes seconds.

    Raises:
        ConfigError: there are fewer devices, or torchrun has started another number of processes.
        ProcessLostError: the processes could not connect to each other.
    """
    kind = _kind(wanted.accelerator)
    devices, nodes = _counts(wanted)
    if kind == "cuda" and devices > torch.cuda.device_count():
        raise ConfigError(
            f"--devices must be at most {torch.cuda.device_count()}, the number of CUDA devices here, "
            f"got {devices}."
        )
    if devices * nodes == 1:
        yield SingleProcess(torch.device(kind))
        return
    yield _several(kind, devices, nodes)
    torch.distributed.barrier()
    torch.distributed.destroy_process_group()


def _kind(accelerator: str) -> str:
    available = torch.cuda.is_available()
    if accelerator == "cuda" and not available:
        raise ConfigError(
            "--accelerator cuda needs a CUDA device that torch can use, found none; remove it, or use cpu."
        )
    return "cuda" if available and accelerator != "cpu" else "cpu"


def _counts(wanted: Devices) -> tuple[int, int]:
    """Return the number of processes on each machine, and the number of machines.

    Raises:
        ConfigError: torchrun has started another number.
    """
    if not torch.distributed.is_torchelastic_launched():
        return wanted.devices or 1, wanted.nodes or 1
    devices = int(os.environ["LOCAL_WORLD_SIZE"])
    nodes = int(os.environ["WORLD_SIZE"]) // devices
    if wanted.devices not in (None, devices) or wanted.nodes not in (None, nodes):
        raise ConfigError(
            f"--devices and --nodes must match torchrun, which has started {devices} processes on each of "
            f"{nodes} machines; remove them."
        )
    return devices, nodes


def _several(kind: str, devices: int, nodes: int) -> Processes:
    from lightning_fabric import Fabric
    from lightning_fabric.plugins.environments.lightning import LightningEnvironment

    from training.parallel.process_group import ProcessGroup

    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
    fabric = Fabric(accelerator=kind, devices=devices, num_nodes=nodes, strategy="ddp")
    environment = getattr(fabric.strategy, "cluster_environment", None)
    if nodes > 1 and isinstance(environment, LightningEnvironment) and "MASTER_ADDR" not in os.environ:
        raise ConfigError(
            f"--nodes {nodes} needs MASTER_ADDR and MASTER_PORT of the first machine, and each machine's own "
            "NODE_RANK, in the environment; set them, or start the command with torchrun."
        )
    try:
        fabric.launch()
    except RuntimeError as error:
        raise ProcessLostError(
            f"The processes of this run could not connect to each other: {error}; check the network, "
            "MASTER_ADDR and MASTER_PORT."
        ) from error
    return ProcessGroup(fabric.device, local_count=devices)
