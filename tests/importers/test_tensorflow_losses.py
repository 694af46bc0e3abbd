"""Loss terms, the L2 loss and gradients of the networks of TensorFlow checkpoints equal the official ones."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
import torch
from torch import Tensor, nn

from tests.golden.baselines_reading import gradient_norm
from tests.golden.tensorflow_reading import (
    GRADIENT_TOLERANCE,
    LOSS_TOLERANCE,
    WITH_LOSSES,
    arrays,
    config,
    golden_folder,
    losses,
)
from training.importers.tensorflow import read_tensorflow
from training.methods.initialization import parameter_groups
from training.methods.ugatit.config import UgatitConfig
from training.methods.ugatit.method import DOMAINS, Ugatit

pytestmark = [pytest.mark.golden, pytest.mark.parametrize("variant", WITH_LOSSES)]


def official(variant: str) -> Ugatit:
    """Return the method with the golden weights in evaluation mode."""
    networks = read_tensorflow(golden_folder(variant), size=config(variant)["img_size"])
    method = Ugatit(
        UgatitConfig(
            generator=networks.generators["genA2B"].config,
            global_discriminator=networks.discriminators["disGA"].config,
            local_discriminator=networks.discriminators["disLA"].config,
            weight_decay_on="kernels",
        )
    )
    for name, network in {**networks.generators, **networks.discriminators}.items():
        method.networks[name].load_state_dict(network.state_dict())
        method.networks[name].eval()
    return method


def l2_loss(method: Ugatit, networks: Iterable[nn.Module]) -> Tensor:
    """Return the loss whose gradient is the weight decay."""
    kernels = parameter_groups(networks, "kernels")[0]["params"]
    return method.config.weight_decay / 2 * torch.stack([(each**2).sum() for each in kernels]).sum()


def test_losses_and_gradients_equal_the_golden_ones(variant: str) -> None:
    method, golden = official(variant), arrays(variant, "vectors")
    real = {domain: torch.from_numpy(golden[f"real_{domain}"]) for domain in DOMAINS}
    translations, identities = method.translate_both(real)
    fakes = {domain: translations[domain].image.detach() for domain in DOMAINS}

    terms = method.discriminator_objective(real, fakes)
    regularization = l2_loss(method, method.discriminators.values())
    total = method.weighted_sum(terms) + regularization
    total.backward()
    found = {**terms, "D_regularization": regularization, "Discriminator_loss": total}
    found |= {f"grad_norm.{name}": gradient_norm(each) for name, each in method.discriminators.items()}

    terms = method.generator_objective(real, translations=translations, identities=identities)
    regularization = l2_loss(method, method.generators.values())
    total = method.weighted_sum(terms) + regularization
    total.backward()
    found |= {**terms, "G_regularization": regularization, "Generator_loss": total}
    found |= {f"grad_norm.{name}": gradient_norm(each) for name, each in method.generators.items()}

    expected = losses(variant)
    sums = {f"{part}_total_{domain}" for part in ("D", "G_adv", "G") for domain in DOMAINS}
    assert found.keys() | sums == expected.keys()
    for name, value in found.items():
        tolerance = GRADIENT_TOLERANCE if name.startswith("grad_norm") else LOSS_TOLERANCE
        number = float(torch.as_tensor(value).detach())
        assert number == pytest.approx(expected[name], rel=tolerance), name
