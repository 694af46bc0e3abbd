"""Render the pictures of a translation's answer."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext

from app.engine.render_options import EncodedPicture, RenderOptions
from app.engine.rendering import picture_size, render_attention, render_picture
from app.engine.scene_rendering import render_pasted, render_scene_attention
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
    limit = context.settings.answer_side_pixels
    size = min(size, limit) if size is not None else None
    large = size is not None or translation.entry.scene is not None
    async with context.resizing if large else nullcontext():
        picture = asyncio.to_thread(_picture, translation, photo, options, context, size)
        if not overlay or translation.entry.find("generator") is None:
            return await picture, None
        return await asyncio.gather(picture, asyncio.to_thread(_overlay, translation, options))


def _picture(
    translation: TranslationResult, photo: bytes, options: RenderOptions, context: Context, size: int | None
) -> EncodedPicture:
    entry = translation.entry
    if entry.scene is not None:
        return render_pasted(entry, photo, context.engine.picture_limits, options, size)
    exact = picture_size(entry, translation.shown_size, size) if size is not None else None
    return render_picture(entry, options, exact)


def _overlay(translation: TranslationResult, options: RenderOptions) -> EncodedPicture:
    entry = translation.entry
    declared = entry.find("generator")
    assert declared is not None, "the caller asks for it first"
    if entry.scene is not None:
        maps = [crop.maps[declared.name] for crop in entry.crops]
        return render_scene_attention(entry, declared, maps, options)
    return render_attention(entry, declared, entry.maps[declared.name], options)
