"""Translate a translation back: find the opposite direction, and run it."""

from __future__ import annotations

from app.engine.directions.direction_status import BundleInfo
from app.engine.errors import NoOpposite, UnknownDirection
from app.engine.reconstruction import Reconstruction, back_input, compare, opposite_of, version_as_run
from app.engine.scheduling.admission import Permit
from app.engine.scheduling.batcher import Inference, ModelInput
from app.engine.serving import Directions, ServingDirection, ServingVersion
from app.engine.style_choice import chosen_style
from app.engine.styles import style_codes
from models.bundle.manifest import ImageSize
from models.images.frame import Frame


def opposite_direction(directions: Directions, bundle: BundleInfo) -> ServingDirection:
    """Return the direction from a bundle's target to its source.

    Raises:
        NoOpposite, Loading, DirectionDefunct: none serves.
    """
    name = opposite_of(bundle.manifest)
    try:
        opposite = directions[name]
    except UnknownDirection:
        raise NoOpposite(bundle.manifest.direction, name) from None
    opposite.require_ready()
    return opposite


async def reconstruct(
    source: Frame, translated: Inference, size: ImageSize, permit: Permit, opposite: ServingVersion
) -> tuple[Reconstruction, float]:
    """Return the reconstruction of a frame by the opposite direction, and the seconds that it waited.

    Args:
        source: the frame.
        translated: what its own direction made of it.
        size: of its own direction's network.
        permit: of the request, in the opposite direction.
        opposite: the version that serves there.
    """
    bundle = opposite.bundle
    assert bundle is not None
    pixels = back_input(translated.outputs["image"], size, bundle.manifest.image)
    style = chosen_style(None, bundle.manifest.direction, bundle.manifest)
    (code,) = await style_codes(style, None, opposite, permit)
    (back,) = await opposite.generate([ModelInput(pixels, code)], permit)
    version = version_as_run(bundle.version, opposite.execution)
    return compare(source, back.outputs["image"], version), back.queue_seconds
