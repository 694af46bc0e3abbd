"""The training step as the official PyTorch code computes it: the reference for speed and for losses.

Every use of a network is a forward pass of its own. Translations are computed again for the generators'
update, identities and translations separately, real and fake pictures separately, and the discriminators
accumulate gradients that no update uses.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from models.networks.generator import GeneratorOutput
from training.methods.learner import Terms
from training.methods.ugatit.losses import adversarial_terms, cam_loss, discriminator_terms, l1_loss
from training.methods.ugatit.method import Ugatit
from training.methods.ugatit.rho import clip_rho


def official_step(method: Ugatit, batch: Mapping[str, Tensor]) -> Terms:
    """Run one step on the method's own networks and optimizers; return the loss terms, detached.

    Args:
        method: the networks and optimizers, which change.
        batch: `A` and `B`, each `[N, 3, S, S]` in [-1, 1].
    """
    discriminator_losses = _update_discriminators(method, batch)
    generator_losses = _update_generators(method, batch)
    clip_rho(method.generators)
    return {name: term.detach() for name, term in {**discriminator_losses, **generator_losses}.items()}


def _update_discriminators(method: Ugatit, real: Mapping[str, Tensor]) -> Terms:
    method.optimizers["discriminators"].zero_grad()
    fakes = {domain: output.image.detach() for domain, output in _translations(method, real).items()}
    terms: Terms = {}
    for name, discriminator in method.discriminators.items():
        outputs = discriminator(real[name[-1]]), discriminator(fakes[name[-1]])
        terms |= discriminator_terms(name[3:], *outputs)
    torch.autograd.backward(method.weighted_sum(terms))
    method.optimizers["discriminators"].step()
    return terms


def _update_generators(method: Ugatit, real: Mapping[str, Tensor]) -> Terms:
    method.optimizers["generators"].zero_grad()
    to_A, to_B = method.generators["genB2A"], method.generators["genA2B"]
    translations = _translations(method, real)
    cycles = {"A": to_A(translations["B"].image).image, "B": to_B(translations["A"].image).image}
    identities = {"A": to_A(real["A"]), "B": to_B(real["B"])}
    terms: Terms = {}
    for name, discriminator in method.discriminators.items():
        terms |= adversarial_terms(name[3:], discriminator(translations[name[-1]].image))
    for domain in "AB":
        terms[f"G_cycle_{domain}"] = l1_loss(cycles[domain], real[domain])
        terms[f"G_identity_{domain}"] = l1_loss(identities[domain].image, real[domain])
        source, target = translations[domain].cam_logit, identities[domain].cam_logit
        assert source is not None, "the official code always has a CAM"
        assert target is not None
        terms[f"G_cam_{domain}"] = cam_loss(source, target)
    torch.autograd.backward(method.weighted_sum(terms))
    method.optimizers["generators"].step()
    return terms


def _translations(method: Ugatit, real: Mapping[str, Tensor]) -> dict[str, GeneratorOutput]:
    """Return the translations by the domain that they should look like."""
    return {
        "A": method.generators["genB2A"](real["B"]),
        "B": method.generators["genA2B"](real["A"]),
    }
