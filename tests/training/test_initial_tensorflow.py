"""Runs that start from a TensorFlow checkpoint."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from models.networks.config import ConfigError
from tests.golden.tensorflow_reading import SIZE, folder
from training.config.run_config import from_mapping, load_preset, merged
from training.importers.tensorflow import read_tensorflow
from training.methods.ugatit.kind import UGATIT
from training.methods.ugatit.method import Ugatit
from training.run.initial_weights import read_initial


def paper(**generator: Any) -> Ugatit:
    """The networks of the preset `paper` in the size of the golden checkpoints."""
    small = {
        "data": {"size": SIZE},
        "ugatit": {
            "generator": {"size": SIZE, "channels": 2, **generator},
            "global_discriminator": {"channels": 2, "layers": 5},
            "local_discriminator": {"channels": 2, "layers": 3},
        },
    }
    return Ugatit(from_mapping(merged(load_preset("paper"), small)).ugatit)


def test_run_of_the_preset_paper_starts_with_the_networks_of_the_checkpoint() -> None:
    method = paper()
    weights = read_initial(UGATIT, folder("full-sharded"), method.networks, size=SIZE)
    assert weights.keys() == method.networks.keys()
    official = read_tensorflow(folder("full-sharded"), size=SIZE)
    for name, network in {**official.generators, **official.discriminators}.items():
        method.networks[name].load_state_dict(weights[name])
        picture = torch.rand(1, 3, SIZE, SIZE) * 2 - 1
        with torch.inference_mode():
            assert torch.equal(method.networks[name].eval()(picture)[0], network(picture)[0])


def test_other_switches_are_refused_although_the_shapes_fit() -> None:
    networks = paper(light=True).networks
    with pytest.raises(ConfigError, match=r"expected genA2B with smooth_rho = false, got true; use --preset"):
        read_initial(UGATIT, folder("light-unsmoothed"), networks, size=SIZE)
    networks = paper(light=True, smooth_rho=False).networks
    assert "genA2B" in read_initial(UGATIT, folder("light-unsmoothed"), networks, size=SIZE)
    with pytest.raises(
        ConfigError, match=r"expected genA2B with light = false, got true; use --preset paper"
    ):
        read_initial(UGATIT, folder("full-sharded"), paper(light=True).networks, size=SIZE)


def test_folder_of_another_name_starts_with_the_smoothing_of_the_run(tmp_path: Path) -> None:
    shutil.copytree(folder("light-unsmoothed"), tmp_path / "weights")
    assert "genA2B" in read_initial(UGATIT, tmp_path / "weights", paper(light=True).networks, size=SIZE)
