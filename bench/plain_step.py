"""The training step as the official PyTorch code does it: what the fast one is measured against.

Every network runs once for every use of it: translations are made anew for the generators' turn, identities
and translations apart, real and fake pictures apart, and the discriminators collect gradients nobody uses.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from models.networks.generator import GeneratorOutput
from training.methods.ugatit.losses import Terms, adversarial_terms, cam_loss, discriminator_terms
from training.methods.ugatit.method import Ugatit


def plain_step(method: Ugatit, batch: Mapping[str, Tensor]) -> Terms:
    """One step on the method's own networks and optimizers; the terms, detached."""
    judging = _judge(method, batch)
    translating = _translate(method, batch)
    method.clip_rho()
    return {name: term.detach() for name, term in {**judging, **translating}.items()}


def _judge(method: Ugatit, real: Mapping[str, Tensor]) -> Terms:
    method.optimizers["discriminators"].zero_grad()
    fakes = {name: translation.image.detach() for name, translation in _translations(method, real).items()}
    terms: Terms = {}
    for name, discriminator in method.discriminators.items():
        judged = discriminator(real[name[-1]]), discriminator(fakes[name[-1]])
        terms |= discriminator_terms(name[3:], *judged)
    torch.autograd.backward(method.weighted(terms))
    method.optimizers["discriminators"].step()
    return terms


def _translate(method: Ugatit, real: Mapping[str, Tensor]) -> Terms:
    method.optimizers["generators"].zero_grad()
    to_A, to_B = method.generators["genB2A"], method.generators["genA2B"]
    translations = _translations(method, real)
    cycles = {"A": to_A(translations["B"].image).image, "B": to_B(translations["A"].image).image}
    identities = {"A": to_A(real["A"]), "B": to_B(real["B"])}
    terms: Terms = {}
    for name, discriminator in method.discriminators.items():
        terms |= adversarial_terms(name[3:], discriminator(translations[name[-1]].image))
    for domain in "AB":
        terms[f"G_cycle_{domain}"] = (cycles[domain] - real[domain]).abs().mean()
        terms[f"G_identity_{domain}"] = (identities[domain].image - real[domain]).abs().mean()
        source, target = translations[domain].cam_logit, identities[domain].cam_logit
        assert source is not None, "the official code always has a CAM"
        assert target is not None
        terms[f"G_cam_{domain}"] = cam_loss(source, target)
    torch.autograd.backward(method.weighted(terms))
    method.optimizers["generators"].step()
    return terms


def _translations(method: Ugatit, real: Mapping[str, Tensor]) -> dict[str, GeneratorOutput]:
    return {
        "A": method.generators["genB2A"](real["B"]),
        "B": method.generators["genA2B"](real["A"]),
    }
