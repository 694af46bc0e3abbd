"""One training step gives the update of the official code's step."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor

from bench.official_step import official_step
from models.networks.config import DiscriminatorConfig, GeneratorConfig, Normalization
from training.methods.progress import TYPICAL, Progress
from training.methods.ugatit.config import UgatitConfig
from training.methods.ugatit.method import Ugatit


def small(**generator: object) -> Ugatit:
    torch.manual_seed(3)
    sizes = {"size": 32, "channels": 4, "blocks": 1, "light": True, **generator}
    return Ugatit(
        UgatitConfig(
            generator=GeneratorConfig(**sizes),  # type: ignore[arg-type]
            global_discriminator=DiscriminatorConfig(channels=4, layers=4),
            local_discriminator=DiscriminatorConfig(channels=4, layers=3),
        )
    )


def batch(count: int = 2) -> dict[str, Tensor]:
    random = torch.Generator().manual_seed(1)
    return {domain: torch.rand(count, 3, 32, 32, generator=random) * 2 - 1 for domain in "AB"}


def test_the_step_gives_the_losses_and_update_of_the_official_step() -> None:
    ours = small()
    for discriminator in ours.discriminators.values():
        discriminator.eval()  # no power iteration, which advances with every forward pass
    official = copy.deepcopy(ours)
    found, expected = ours.step(batch(), TYPICAL), official_step(official, batch())
    assert found.keys() == expected.keys()
    for name, term in expected.items():
        torch.testing.assert_close(found[name], term, rtol=1e-4, atol=1e-6, msg=name)
    # Adam's first step is the sign of the gradient times the learning rate. Rounding decides the sign of a
    # gradient near 0, so the test compares the share of parameters that moved in the same direction.
    for name, network in official.networks.items():
        wanted = torch.cat([p.detach().flatten() for p in network.parameters()])
        values = torch.cat([p.detach().flatten() for p in ours.networks[name].parameters()])
        assert ((values - wanted).abs() < 1e-6).float().mean() > 0.999, name


@pytest.mark.parametrize("cam", [True, False])
@pytest.mark.parametrize("normalization", ["adalin", "in", "ln", "adain", "gn"])
def test_every_ablation_updates_all_networks(normalization: Normalization, cam: bool) -> None:
    method = small(normalization=normalization, cam=cam)
    before = {name: copy.deepcopy(network.state_dict()) for name, network in method.networks.items()}
    terms = method.step(batch(), TYPICAL)
    assert all(torch.isfinite(term) for term in terms.values())
    assert ("G_cam_A" in terms) is cam
    for name, network in method.networks.items():
        assert any(not torch.equal(value, before[name][key]) for key, value in network.state_dict().items())


def test_rho_stays_between_zero_and_one() -> None:
    method = small()
    with torch.no_grad():
        for name, parameter in method.generators["genA2B"].named_parameters():
            if name.endswith("rho"):
                parameter.fill_(1.5 if "decoder" in name else -0.5)
    method.step(batch(), TYPICAL)
    for name, parameter in method.generators["genA2B"].named_parameters():
        if name.endswith("rho"):
            assert 0 <= parameter.min() <= parameter.max() <= 1, name


@pytest.mark.parametrize(("progress", "share"), [(0.0, 1.0), (0.5, 1.0), (0.75, 0.5), (1.0, 0.0)])
def test_the_learning_rate_is_constant_then_falls_to_zero(progress: float, share: float) -> None:
    method = small()
    method.step(batch(1), Progress(round(1_000_000 * progress), 1_000_000, 1_000))
    rates = [group["lr"] for optimizer in method.optimizers.values() for group in optimizer.param_groups]
    assert rates == pytest.approx([1e-4 * share] * 2)


def test_the_generators_update_adds_no_gradient_to_the_discriminators() -> None:
    method = small()
    discriminators_only = copy.deepcopy(method)
    translations, _ = discriminators_only.translate_both(batch())
    fakes = {domain: translation.image.detach() for domain, translation in translations.items()}
    torch.autograd.backward(
        discriminators_only.weighted_sum(discriminators_only.discriminator_objective(batch(), fakes))
    )
    method.step(batch(), TYPICAL)
    for name, discriminator in discriminators_only.discriminators.items():
        learned = dict(method.discriminators[name].named_parameters())
        for key, parameter in discriminator.named_parameters():
            assert learned[key].requires_grad
            if parameter.grad is not None:
                torch.testing.assert_close(learned[key].grad, parameter.grad)
