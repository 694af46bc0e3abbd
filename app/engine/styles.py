"""Make the style codes of a translation."""

from __future__ import annotations

from collections.abc import Sequence

from app.engine.runtime.session import Pixels, StyleCodes
from app.engine.scheduling.admission import Permit
from app.engine.serving import ServingVersion
from app.engine.style_choice import StyleChoice
from app.engine.translation import Style
from models.bundle.style_codes import draw_style


async def style_codes(
    choice: StyleChoice | None, reference: Pixels | None, translator: ServingVersion, permit: Permit
) -> Sequence[StyleCodes | None]:
    """Return the code `[d]` of each style that a photo is translated in; None for a generator without styles.

    Args:
        choice: the styles; None for a direction without.
        reference: the picture `[H, W, 3]` whose style is taken; None for the styles of seeds.
        translator: encodes the reference.
        permit: of the request.

    Raises:
        StyleEncoderDefunct: the style encoder does not work.
    """
    if choice is None:
        return [None]
    if reference is not None:
        return [await translator.encode_style(reference, permit)]
    assert translator.bundle is not None
    assert translator.bundle.manifest.style is not None
    dimension = translator.bundle.manifest.style.dimension
    return [draw_style(seed, dimension) for seed in choice.seeds]


def styles_of(choice: StyleChoice) -> list[Style]:
    """Return the styles of a translation as its answer names them."""
    if choice.reference is not None:
        return [Style(None)]
    return [Style(seed) for seed in choice.seeds]
