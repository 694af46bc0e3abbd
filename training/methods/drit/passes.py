"""The passes of a DRIT step through its encoders and generator."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from models.networks.drit.encoders import Attribute

Draw = Callable[[torch.Size], Tensor]
"""Returns standard normal numbers of a shape."""
Pair = dict[str, Tensor]
"""Tensors by domain."""


class Networks(NamedTuple):
    """The networks of a step as functions of tensors and a domain."""

    content: Callable[[Tensor, str], Tensor]
    attribute: Callable[[Tensor, str], Attribute]
    generate: Callable[[Tensor, Tensor, str], Tensor]


class Passes(NamedTuple):
    """What the passes of a step return, by domain."""

    encoded: Pair  # pictures whose content and attribute are encoded, [B, 3, S, S]
    random: Pair  # pictures that only discriminators see, [B, 3, S, S]
    content: Pair  # with noise, [B, 4c, S/4, S/4]
    attribute: Mapping[str, Attribute]
    code: Tensor  # drawn attributes, the same for both domains, [B, d]
    other_code: Tensor | None  # a second draw, for mode seeking
    fake: Pair  # content of the other domain, attribute of this one
    own: Pair  # content and attribute of one picture
    fake_random: Pair  # content of the other domain, drawn attribute
    fake_other: Pair  # the same with the second draw; empty without
    recon: Pair  # content and attribute of both fakes: the first pictures again


def draw(shape: torch.Size) -> Tensor:
    """Return standard normal numbers of torch's global generator on the CPU, which every checkpoint holds."""
    return torch.randn(shape, device="cpu")


def split_pictures(batch: Mapping[str, Tensor], domains: tuple[str, str]) -> tuple[Pair, Pair]:
    """Return the pictures to encode and those for random attributes: the halves of a batch."""
    halves = {domain: batch[domain].chunk(2) for domain in domains}
    return {name: both[0] for name, both in halves.items()}, {name: both[1] for name, both in halves.items()}


def encode_contents(
    pictures: Mapping[str, Tensor], networks: Networks, domains: tuple[str, str], draw: Draw
) -> Pair:
    """Return the contents of pictures of both domains, with the noise of training."""
    contents = {domain: networks.content(pictures[domain], domain) for domain in domains}
    return {domain: _noisy(contents[domain], draw) for domain in domains}


def run_passes(
    encoded: Pair,
    random: Pair,
    networks: Networks,
    domains: tuple[str, str],
    draw: Draw,
    *,
    style: int,
    mode_seeking: bool,
) -> Passes:
    """Exchange the attributes of both domains' pictures twice, and decode drawn attributes.

    The draws are, in order: the noise of both contents, the noise of both attributes (mode concat), the drawn
    attributes, and the noise of the fakes' contents and attributes.
    """
    first, second = domains
    other = {first: second, second: first}
    content = encode_contents(encoded, networks, domains, draw)
    attribute = {domain: networks.attribute(encoded[domain], domain) for domain in domains}
    codes = {domain: _sample(attribute[domain], draw) for domain in domains}
    shape = torch.Size([len(encoded[first]), style])
    drawn = _like(draw(shape), content[first])
    drawn_again = _like(draw(shape), content[first]) if mode_seeking else None
    fake, own, fake_random, fake_other = Pair(), Pair(), Pair(), Pair()
    for domain in domains:
        foreign = content[other[domain]]
        contents, used = [foreign, content[domain], foreign], [codes[domain], codes[domain], drawn]
        if drawn_again is not None:
            contents, used = [*contents, foreign], [*used, drawn_again]
        decoded = networks.generate(torch.cat(contents), torch.cat(used), domain).chunk(len(used))
        fake[domain], own[domain], fake_random[domain] = decoded[:3]
        if drawn_again is not None:
            fake_other[domain] = decoded[3]
    fake_content = encode_contents(fake, networks, domains, draw)
    fake_codes = {domain: _sample(networks.attribute(fake[domain], domain), draw) for domain in domains}
    recon = {
        domain: networks.generate(fake_content[other[domain]], fake_codes[domain], domain)
        for domain in domains
    }
    return Passes(
        encoded,
        random,
        content,
        attribute,
        drawn,
        drawn_again,
        fake,
        own,
        fake_random,
        fake_other,
        recon,
    )


def _noisy(content: Tensor, draw: Draw) -> Tensor:
    return content + _like(draw(content.shape), content)


def _sample(attribute: Attribute, draw: Draw) -> Tensor:
    """Return an attribute drawn from its distribution; itself, if it has none."""
    if attribute.log_variance is None:
        return attribute.mean
    deviation = (attribute.log_variance / 2).exp()
    return attribute.mean + deviation * _like(draw(deviation.shape), deviation)


def _like(values: Tensor, other: Tensor) -> Tensor:
    return values.to(other.device, other.dtype)
