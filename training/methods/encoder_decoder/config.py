"""The config that UNIT and MUNIT share: discriminators and optimizers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from models.networks.config import ConfigError
from models.networks.unit import ScalesConfig
from training.methods.progress import Progress


@dataclass(frozen=True, kw_only=True)
class EncoderDecoderConfig:
    """Discriminators and optimizers; the defaults are the official code's."""

    discriminator: ScalesConfig = field(default_factory=ScalesConfig)
    learning_rate: float = 1e-4
    """Adam's learning rate of all networks before it halves."""
    halvings: int = 10
    """The number of equal parts of a run at whose ends the learning rate halves; 0 keeps it. The official
    code halves it every 100,000 of 1,000,000 steps."""
    betas: tuple[float, float] = (0.5, 0.999)
    """The decay rates of Adam's two moments."""
    weight_decay: float = 1e-4
    """This times a weight is added to its gradient before Adam's moments."""

    def __post_init__(self) -> None:
        if not (self.learning_rate > 0 and self.weight_decay >= 0 and self.halvings >= 0):
            raise ConfigError("learning_rate must be above 0, weight_decay and halvings at least 0.")
        if not all(0 <= beta < 1 for beta in self.betas):
            raise ConfigError(f"betas must be at least 0 and below 1, got {self.betas}.")

    def refuse_size(self, size: int) -> None:
        """Check that the networks take pictures of so many pixels.

        Raises:
            ConfigError: they do not.
        """
        smallest = self.discriminator.smallest_size
        if size % 4 or size < smallest:
            raise ConfigError(
                f"data.size must be a multiple of 4 and at least {smallest} for {self.discriminator.scales} "
                f"scales of {self.discriminator.layers} layers, got {size}."
            )

    def learning_rate_at(self, progress: Progress) -> float:
        """Return the learning rate of a step.

        The official code counts a step before it makes it, so the rate halves one step early.
        """
        return self.learning_rate * 0.5 ** (progress.step * self.halvings // progress.total)


def widened(channels: int) -> dict[str, Any]:
    """Return the changes of a config section for so many base channels."""
    return {name: {"channels": channels} for name in ("generator", "discriminator")}


def fitted_scales(method: str) -> Callable[[Mapping[str, Any], int], tuple[dict[str, Any], list[str]]]:
    """Return the function that takes away scales until pictures of so many pixels are large enough."""

    def fitted(section: Mapping[str, Any], size: int) -> tuple[dict[str, Any], list[str]]:
        layers, scales = section["discriminator"]["layers"], section["discriminator"]["scales"]
        if not isinstance(layers, int) or not isinstance(scales, int):
            return {}, []  # the config refuses them
        fitting = size.bit_length() - layers
        if fitting >= scales or fitting < 1:
            return {}, []
        remark = (
            f"{method}.discriminator.scales is {scales}, which is too many for {size} px: this plan uses "
            f"{fitting}, the most that fit; add --set {method}.discriminator.scales={fitting}."
        )
        return {"discriminator": {"scales": fitting}}, [remark]

    return fitted
