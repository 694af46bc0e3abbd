"""Draw what a translation answers: of its first crop alone, or of the whole photo with all of its crops."""

from __future__ import annotations

from app.engine.animation_rendering import render_frames, render_pasted_frames
from app.engine.render_options import Base, EncodedPicture, RenderOptions, View
from app.engine.rendering import picture_size, render_attention, render_picture
from app.engine.scene_rendering import render_pasted, render_scene_attention
from app.engine.translation import FoundMap, TranslationResult
from models.images.limits import PictureLimits


def draw_translation(
    translation: TranslationResult,
    photo: bytes,
    limits: PictureLimits,
    options: RenderOptions,
    size: int | None = None,
) -> EncodedPicture:
    """Return the translated picture, encoded.

    Args:
        translation: what to show.
        photo: the bytes of the photo's file, into which crops are put back.
        limits: on the photo's size.
        options: the format and its quality.
        size: the longer side in pixels; the network's or the whole photo's own by default.
    """
    entry, timing = translation.entry, translation.timing
    if entry.scene is not None:
        render = render_pasted if timing is None else render_pasted_frames
        return render(entry, photo, limits, options, size)
    exact = picture_size(entry, translation.shown_size, size) if size is not None else None
    if timing is not None:
        return render_frames(entry, timing, options, exact)
    return render_picture(entry, options, exact)


def draw_attention(
    found: FoundMap,
    options: RenderOptions,
    *,
    view: View = "overlay",
    base: Base = "source",
    size: int | None = None,
    legend: bool = False,
) -> EncodedPicture:
    """Return a heat map in colours, encoded; the arguments are those of `render_attention`."""
    entry, declared = found.entry, found.declared
    if entry.scene is not None:
        return render_scene_attention(
            entry, declared, found.maps, options, view=view, base=base, size=size, legend=legend
        )
    return render_attention(
        entry, declared, found.values, options, view=view, base=base, size=size, legend=legend
    )


def generator_map(translation: TranslationResult) -> FoundMap | None:
    """Return the generator's whole heat map of a translation; None for a model without one.

    Of an animation it is the first frame's.
    """
    entry = translation.entry.of_frame(0)
    declared = entry.find("generator")
    if declared is None:
        return None
    return FoundMap(entry, declared, [crop.maps[declared.name] for crop in entry.crops])
