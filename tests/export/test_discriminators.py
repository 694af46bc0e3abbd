"""The exported discriminators compute the same functions as the networks."""

import pytest
import torch

from models.bundle.declarations import PARTS, Network, map_name
from models.networks.config import ConfigError, DiscriminatorConfig, GeneratorConfig
from models.networks.discriminator import Discriminator
from models.networks.generator import Generator
from tests.golden.reading import checkpoint
from training.export.bundles import prepare_bundle
from training.export.parity import ParityError, cpu_session
from training.importers.pytorch import read_official
from training.methods.ugatit.discriminator_graph import export_discriminators
from training.methods.ugatit.discriminator_parity import DiscriminatorPair, check_discriminators
from training.methods.ugatit.translators import translator


@pytest.mark.parametrize("variant", ["light", "full"])
def test_both_exported_discriminators_match_torch(variant: str) -> None:
    networks = {
        name: network.double()
        for name, network in read_official(checkpoint(variant), size=128).discriminators.items()
    }
    model = export_discriminators(networks["disLB"], networks["disGB"], size=128, dynamic=True)
    assert check_discriminators(model, networks["disLB"], networks["disGB"], size=128) < 1e-4
    names = {output.name for output in cpu_session(model).get_outputs()}
    kinds: tuple[Network, ...] = ("local", "global")
    maps = {map_name(network, part) for network in kinds for part in PARTS}
    logits = {f"{field}_{network}" for field in ("logit", "cam_logit") for network in kinds}
    assert names == maps | logits
    with pytest.raises(ParityError, match="nothing was written"):
        check_discriminators(model, networks["disLA"], networks["disGA"], size=128)


def test_discriminators_without_a_cam_are_refused() -> None:
    config = DiscriminatorConfig(channels=2, layers=4, cam=False)
    pair = DiscriminatorPair(Discriminator(config), Discriminator(config))
    generator = Generator(GeneratorConfig(size=16, channels=4, blocks=1, light=True))
    with pytest.raises(ConfigError, match="needs a CAM to show its attention"):
        prepare_bundle("cat2dog", translator(generator, discriminators=pair), discriminators=True)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"shared_cam": True}, id="shared"),
        pytest.param({"raw_cam_weight": True}, id="raw weight"),
        pytest.param({"shared_cam": True, "raw_cam_weight": True}, id="shared raw weight"),
    ],
)
def test_discriminators_of_every_cam_are_exported_with_the_parts_of_their_attention(
    changes: dict[str, bool],
) -> None:
    torch.manual_seed(3)
    local, global_ = (
        Discriminator(DiscriminatorConfig(channels=4, layers=layers, **changes)).double().eval()
        for layers in (3, 4)
    )
    model = export_discriminators(local, global_, size=32, dynamic=True)
    assert check_discriminators(model, local, global_, size=32) < 1e-4
