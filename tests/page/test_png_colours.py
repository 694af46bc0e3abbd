"""Test that the service decodes a PNG's colours as Chromium does."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import numpy as np

from models.images.decode import decode
from tests.images.drawing import LIMITS
from tests.images.png_colours import COLOURED, SHOWN, colours, grey_steps

if TYPE_CHECKING:
    from playwright.sync_api import Browser

DRAW = """async (file) => {
  const bytes = Uint8Array.from(atob(file), (character) => character.charCodeAt(0));
  const image = new Image();
  image.src = URL.createObjectURL(new Blob([bytes], { type: "image/png" }));
  await image.decode();
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width: image.width, height: image.height });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(image, 0, 0);
  return Array.from(context.getImageData(0, 0, image.width, image.height).data);
}"""


def test_declared_colours_are_decoded_as_chromium_draws_them(browser: Browser) -> None:
    page = browser.new_page()
    files = [grey_steps(chunks) for chunks, _ in SHOWN.values()] + [colours(chunks) for chunks in COLOURED]
    for number, data in enumerate(files):
        ours = decode(data, limits=LIMITS).astype(int)
        drawn = np.array(page.evaluate(DRAW, base64.b64encode(data).decode())).reshape(*ours.shape[:2], 4)
        assert np.abs(ours - drawn[..., :3]).max() <= 3, number
    page.close()
