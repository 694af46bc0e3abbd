"""Pack the whole state of a run into a checkpoint, and restore it bit for bit."""

from __future__ import annotations

from typing import Final

from pydantic import JsonValue
from torch import Tensor

from training.checkpoint.content import Checkpoint, Packed, join_groups, split_group
from training.checkpoint.optimizer import pack_optimizer, unpack_optimizer
from training.checkpoint.randomness import random_state, restore_random_state
from training.config.run_config import RunConfig, from_mapping
from training.data.stream import Stream
from training.methods.method import Method
from training.methods.running_average import RunningAverage
from training.run.initial_weights import refuse_mismatch, trained_weights

EXTRA: Final = "extra"
"""The group of what a method needs beside networks and optimizers; a method without it has no group."""


def pack(
    step: int, method: Method, stream: Stream, average: RunningAverage | None, config: JsonValue
) -> Checkpoint:
    """Return the state after `step` steps. Its tensors are not copies: save them before the next step."""
    optimizers = {name: pack_optimizer(optimizer) for name, optimizer in method.optimizers.items()}
    random = random_state()
    tensors: dict[str, dict[str, Tensor]] = {
        "networks": join_groups({name: net.state_dict() for name, net in method.networks.items()}),
        "optimizers": join_groups({name: packed.tensors for name, packed in optimizers.items()}),
        "random": random.tensors,
    }
    extra = method.extra_state()
    if extra.tensors:
        tensors[EXTRA] = extra.tensors
    if average is not None:
        tensors["average"] = join_groups({name: net.state_dict() for name, net in average.networks.items()})
    scalars: dict[str, JsonValue] = {
        "optimizers": {name: packed.scalars for name, packed in optimizers.items()},
        "random": random.scalars,
        "data": dict(stream.state_dict()),
        "skips": {name: dict(counts) for name, counts in method.learner.state_dict().items()},
        "config": config,
    }
    if extra.scalars:
        scalars[EXTRA] = extra.scalars
    return Checkpoint(step, tensors, scalars)


def restore(checkpoint: Checkpoint, method: Method, stream: Stream, average: RunningAverage | None) -> None:
    """Restore a state into a run with the same networks and optimizers.

    If the checkpoint has no running average, the average starts from the current weights.

    Raises:
        ConfigError: the config was changed to other networks.
        CheckpointError: the config was changed to other optimizers.
    """
    tensors, scalars = checkpoint.tensors, checkpoint.scalars
    for name, network in method.networks.items():
        found = split_group(tensors["networks"], name)
        refuse_mismatch(f"The checkpoint of step {checkpoint.step}", name, found, network.state_dict())
        network.load_state_dict(found)
    packed = scalars["optimizers"]
    assert isinstance(packed, dict)
    for name, optimizer in method.optimizers.items():
        rest = packed[name]
        assert isinstance(rest, dict)
        unpack_optimizer(optimizer, Packed(split_group(tensors["optimizers"], name), rest))
    if average is not None:
        for name, network in average.networks.items():
            network.load_state_dict(trained_weights(checkpoint, name))
    skips = scalars.get("skips", {})  # checkpoints of earlier versions have none
    assert isinstance(skips, dict)
    method.learner.load_state_dict({name: _counts(counts) for name, counts in skips.items()})
    extra = scalars.get(EXTRA, {})
    assert isinstance(extra, dict)
    method.load_extra_state(Packed(tensors.get(EXTRA, {}), extra))
    data, random = scalars["data"], scalars["random"]
    assert isinstance(random, dict)
    stream.load_state_dict(_counts(data))
    restore_random_state(Packed(tensors["random"], random))


def _counts(values: JsonValue) -> dict[str, int]:
    assert isinstance(values, dict)
    return {name: int(str(value)) for name, value in values.items()}


def saved_config(checkpoint: Checkpoint) -> RunConfig:
    """Return the config that a checkpoint was saved under; config.json may have been edited since."""
    saved = checkpoint.scalars["config"]
    assert isinstance(saved, dict)
    return from_mapping(saved)
