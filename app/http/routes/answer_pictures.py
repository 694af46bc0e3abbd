"""Render the pictures of a translation's answer."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext

from app.engine.drawing import draw_attention, draw_translation, generator_map
from app.engine.render_options import EncodedPicture, RenderOptions
from app.engine.translation import TranslationResult
from app.http.routes.context import Context


async def render_answer(
    translation: TranslationResult,
    photo: bytes,
    options: RenderOptions,
    context: Context,
    *,
    size: int | None,
    overlay: bool,
) -> tuple[EncodedPicture, EncodedPicture | None]:
    """Return the encoded picture, and the overlay if wanted and available; render both in parallel.

    Args:
        translation: what to show.
        photo: the bytes of the photo's file, into which crops are put back.
        options: format and colours.
        context: of the application; it limits how many large pictures are rendered at once.
        size: the longer side of the picture in pixels; its own by default.
        overlay: whether an overlay is wanted.
    """
    size = min(size, context.settings.answer_side_pixels) if size is not None else None
    large = size is not None or translation.entry.scene is not None
    limits = context.engine.picture_limits
    found = generator_map(translation)
    async with context.resizing if large else nullcontext():
        picture = asyncio.to_thread(draw_translation, translation, photo, limits, options, size)
        if not overlay or found is None:
            return await picture, None
        return await asyncio.gather(picture, asyncio.to_thread(draw_attention, found, options))
