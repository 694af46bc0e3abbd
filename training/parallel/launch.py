"""Start the processes of a run: this one alone, or several through Lightning Fabric."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch

from models.networks.config import ConfigError
from training.parallel.processes import Processes, ProcessLostError, Solo


@dataclass(frozen=True, kw_only=True)
class Devices:
    """What a run is to compute on. It is no part of the config, and may be another when a run goes on."""

    accelerator: str = "auto"
    """`cpu`, `cuda`, or `auto`: `cuda` where there is one."""
    devices: int | None = None
    """Processes on each machine, one for each device; None is one, or as many as torchrun has started."""
    nodes: int | None = None
    """Machines; None is one, or as many as torchrun runs on."""


@contextmanager
def launched(wanted: Devices) -> Iterator[Processes]:
    """The processes of a run. Under torchrun they are there already; otherwise this one starts the others.

    Each of the others runs this very command. `lightning_fabric` is imported where there are several only.

    Raises:
        ConfigError: there are fewer devices, or torchrun has started other processes than asked for.
    """
    kind = _kind(wanted.accelerator)
    devices, nodes = _counts(wanted)
    if kind == "cuda" and devices > torch.cuda.device_count():
        raise ConfigError(
            f"There are {torch.cuda.device_count()} CUDA devices here, and {devices} were asked for."
        )
    if devices * nodes == 1:
        yield Solo(torch.device(kind))
        return
    yield _several(kind, devices, nodes)
    torch.distributed.barrier()
    torch.distributed.destroy_process_group()


def _kind(accelerator: str) -> str:
    here = torch.cuda.is_available()
    if accelerator == "cuda" and not here:
        raise ConfigError(
            "There is no CUDA device that torch can use; leave --accelerator out, or make it cpu."
        )
    return "cuda" if here and accelerator != "cpu" else "cpu"


def _counts(wanted: Devices) -> tuple[int, int]:
    """Processes on each machine, and machines.

    Raises:
        ConfigError: torchrun says something else.
    """
    if not torch.distributed.is_torchelastic_launched():
        return wanted.devices or 1, wanted.nodes or 1
    devices = int(os.environ["LOCAL_WORLD_SIZE"])
    nodes = int(os.environ["WORLD_SIZE"]) // devices
    if wanted.devices not in (None, devices) or wanted.nodes not in (None, nodes):
        raise ConfigError(
            f"torchrun has started {devices} processes on each of {nodes} machines; "
            "leave --devices and --nodes to it."
        )
    return devices, nodes


def _several(kind: str, devices: int, nodes: int) -> Processes:
    from lightning_fabric import Fabric
    from lightning_fabric.plugins.environments.lightning import LightningEnvironment

    from training.parallel.group import Group

    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
    fabric = Fabric(accelerator=kind, devices=devices, num_nodes=nodes, strategy="ddp")
    environment = getattr(fabric.strategy, "cluster_environment", None)
    if nodes > 1 and isinstance(environment, LightningEnvironment) and "MASTER_ADDR" not in os.environ:
        raise ConfigError(
            f"For --nodes {nodes} each machine needs MASTER_ADDR and MASTER_PORT of the first, and its own "
            "NODE_RANK, in the environment; or start the command by torchrun."
        )
    try:
        fabric.launch()
    except RuntimeError as error:
        raise ProcessLostError(f"The processes of this run do not find each other: {error}.") from error
    return Group(fabric.device, local_count=devices)
