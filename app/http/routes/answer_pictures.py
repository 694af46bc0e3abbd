"""Render the pictures of a translation's answer."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from typing import Final

from app.engine.drawing import draw_attention, generator_map
from app.engine.render_options import EncodedPicture, RenderOptions
from app.engine.translation import TranslationResult
from app.http.routes.context import Context

_STYLED_SIDE: Final = 1024
"""The longest side of a picture in one of several styles: each answer has up to 16 of them."""


async def render_styles(
    translation: TranslationResult,
    photo: bytes,
    options: RenderOptions,
    context: Context,
    *,
    size: int | None,
    client: str,
) -> list[EncodedPicture]:
    """Return the encoded picture in each further style of a translation; see `render_answer`."""
    return [
        (await render_answer(each, photo, options, context, size=size, overlay=False, client=client))[0]
        for each in translation.in_each_style()[1:]
    ]


def styled_size(translation: TranslationResult, size: int | None) -> int | None:
    """Return the longer side of a translation's pictures in several styles, from the wanted one."""
    larger = translation.entry.scene is not None or max(translation.entry.translation.shape) > _STYLED_SIDE
    wanted = _STYLED_SIDE if size is None and larger else size
    return wanted if wanted is None else min(wanted, _STYLED_SIDE)


async def render_answer(
    translation: TranslationResult,
    photo: bytes,
    options: RenderOptions,
    context: Context,
    *,
    size: int | None,
    overlay: bool,
    client: str,
) -> tuple[EncodedPicture, EncodedPicture | None]:
    """Return the encoded picture, and the overlay if wanted and available; render both in parallel.

    Args:
        translation: what to show.
        photo: the bytes of the photo's file, into which crops are put back.
        options: format and colours.
        context: of the application; it limits how many pictures are enlarged at once.
        size: the longer side of the picture in pixels; its own by default.
        overlay: whether an overlay is wanted.
        client: who asks; whole photos of the waiting clients are drawn in turn.
    """
    size = min(size, context.settings.answer_side_pixels) if size is not None else None
    enlarged = size is not None and translation.entry.scene is None
    found = generator_map(translation)
    async with context.resizing if enlarged else nullcontext():
        picture = context.engine.draw(translation, photo, options, size, client=client)
        if not overlay or found is None:
            return await picture, None
        return await asyncio.gather(picture, asyncio.to_thread(draw_attention, found, options))
