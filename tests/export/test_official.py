"""`ugatit-train export --official`: the layout of the official PyTorch code, bit for bit."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
import torch

from models.networks.config import ConfigError, DiscriminatorConfig, GeneratorConfig
from models.networks.discriminator import Discriminator
from models.networks.generator import Generator
from tests.golden.reading import VARIANTS, config, params
from tests.training.command import SMALL, data_set, typed
from training.importers.pytorch import read_official
from training.methods.ugatit.official_file import to_official


@pytest.mark.golden
@pytest.mark.parametrize("variant", VARIANTS)
def test_official_checkpoint_survives_a_round_trip_bit_for_bit(variant: str) -> None:
    file = params(variant)
    official = torch.load(file, weights_only=True)
    read = read_official(file, size=config(variant)["img_size"])
    written = torch.load(io.BytesIO(to_official(read.generators, read.discriminators)), weights_only=True)
    assert written.keys() == official.keys()
    for network, state in official.items():
        assert written[network].keys() == state.keys()
        assert all(torch.equal(written[network][name], state[name]) for name in state)


def test_run_is_written_and_read_again(tmp_path: Path) -> None:
    run, file = tmp_path / "run", tmp_path / "out" / "params.pt"
    data = data_set(tmp_path / "data")
    others = ("--set=ugatit.weights.feature=1", "--set=ugatit.weights.nce=1")  # networks that it leaves out
    assert typed("fit", "--data", data, "--out", run, "--steps=1", *SMALL, *others)[0] == 0
    code, out, error = typed("export", run, "--official", file)
    assert (code, error) == (0, "")
    assert "Wrote the networks of step 1" in out
    again = read_official(file, size=32)
    assert again.generators["genA2B"].config.channels == 4
    assert again.discriminators.keys() == {"disGA", "disGB", "disLA", "disLB"}


def test_networks_with_other_switches_are_refused_by_name() -> None:
    generator = Generator(GeneratorConfig(size=16, channels=2, light=True, smooth_rho=True, biases=True))
    discriminator = Discriminator(DiscriminatorConfig(channels=2, layers=3, uneven_padding=True))
    with pytest.raises(ConfigError) as caught:
        to_official({"genA2B": generator}, {"disGA": discriminator})
    for switch in (
        "discriminator.uneven_padding = true",
        "generator.biases = true",
        "generator.smooth_rho = true",
    ):
        assert switch in str(caught.value)


def test_official_file_and_bundles_are_not_written_at_once(tmp_path: Path) -> None:
    code, _, error = typed("export", tmp_path, "--official", tmp_path / "x.pt", "--a2b", "cat2dog")
    assert code == 2
    assert "--official writes no bundles" in error
