"""Load the trained networks of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from torch import nn

from training.checkpoint.choose import load_chosen
from training.export.translator import Translator
from training.methods.kind import MethodKind
from training.run.initial_weights import refuse_mismatch, trained_weights
from training.run.state import saved_config
from training.run_folder.folder import RunFolder


class Trained(NamedTuple):
    """The networks of one checkpoint of a run."""

    step: int
    kind: MethodKind
    networks: Mapping[str, nn.Module]
    """All networks by name, in evaluation mode."""
    translators: Sequence[Translator]
    config_sha256: str
    """Of the config that the checkpoint was saved under."""
    lacks: Sequence[str]
    """A sentence on each part of the method that the run does without."""


def load_trained(
    run: RunFolder, *, raw: bool = False, step: int | None = None, best: bool = False
) -> Trained:
    """Return the networks of a run's newest checkpoint that verifies, or those of a chosen checkpoint.

    Args:
        run: the run.
        raw: return the raw weights of the generators, even if the run keeps their running average.
        step: choose the checkpoint of this step.
        best: choose the best checkpoint.

    Raises:
        RunError: the folder is not a run.
        CheckpointError: there is no such checkpoint, or it cannot be used.
        ConfigError: the config was changed to other networks.
    """
    config, _, _ = run.read()
    checkpoint = load_chosen(run.checkpoints, step=step, best=best)
    method = config.make_method()
    for name, network in method.networks.items():
        found = trained_weights(checkpoint, name, raw=raw)
        refuse_mismatch(f"The checkpoint of step {checkpoint.step}", name, found, network.state_dict())
        network.load_state_dict(found)
        network.eval()
    saved = saved_config(checkpoint)
    return Trained(
        checkpoint.step,
        config.kind,
        method.networks,
        method.translators(),
        saved.sha256,
        saved.kind.lacks(saved.method_config),
    )
