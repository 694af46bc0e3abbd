"""CartoonGAN as commands and configs see it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from training.data.derived import DerivedSet
from training.methods.cartoongan.config import CartoonganConfig, CartoonganWeights
from training.methods.cartoongan.importing import import_official
from training.methods.cartoongan.method import SMOOTHED, Cartoongan
from training.methods.cartoongan.smooth_edges import smooth_edges
from training.methods.cartoongan.translators import CARTOONS, NAME, TITLE
from training.methods.data_needs import DataNeeds
from training.methods.image_pool import pool_bytes
from training.methods.kind import Changes, FileOption, MethodKind
from training.methods.loss_families import LossFamily

_FAMILIES: Final = {
    "G_content": LossFamily(
        "Content", "L1 between VGG19's features of a photo and of its cartoon", "content"
    ),
    "G_adv": LossFamily(
        "Generator, adversarial", "distance of the discriminator's answers to fakes from real", "adversarial"
    ),
    "D_real": LossFamily("Discriminator, cartoons", "distance of its answers to cartoons from real"),
    "D_fake": LossFamily("Discriminator, translations", "distance of its answers to fakes from fake"),
    "D_smoothed": LossFamily(
        "Discriminator, blurred edges", "distance of its answers to cartoons with blurred edges from fake"
    ),
}
_NEEDS: Final = DataNeeds(
    derived=(DerivedSet(name=SMOOTHED, domain=CARTOONS, number=2, derive=smooth_edges),)
)


def _widened(channels: int) -> Changes:
    return {"generator": {"channels": channels}, "discriminator": {"channels": max(1, channels // 2)}}


def _lacks(config: CartoonganConfig) -> tuple[str, ...]:
    if config.weights.content:
        return ()
    return (
        "CartoonGAN trains without its content term and its initial phase: cartoongan.weights.content is 0. "
        "With a file of VGG19's weights, set it and cartoongan.vgg_weights.",
    )


def _with_vgg(path: str) -> Changes:
    return {"vgg_weights": path, "weights": {"content": CartoonganWeights().content}}


CARTOONGAN: Final = MethodKind(
    name=NAME,
    title=TITLE,
    config=CartoonganConfig,
    build=Cartoongan,
    directions=(("A", "B"),),
    presets=Path(__file__).parent / "presets",
    preset="author",
    needs=lambda _: _NEEDS,
    score="none",
    score_words="a checkpoint has no score: there is no way back to a photo",
    families=_FAMILIES,
    widened=_widened,
    lacks=_lacks,
    extra_bytes=lambda config, size: pool_bytes(config.pool, size=size),
    files={
        "vgg_weights": FileOption(
            "VGG19's weights in torchvision's layout, for CartoonGAN's content term.", _with_vgg
        )
    },
    import_official=import_official,
)
