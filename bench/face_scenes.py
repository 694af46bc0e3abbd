"""Compose photos of several faces from pictures of one face each, with the true box of every face."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageOps

from models.faces.face import FaceBox

Kind = Literal["whole, up to 25°", "whole, 25 to 40°", "dark", "cut", "under 48 px"]

# How the face lies in an aligned picture: the median of 860 pictures, in which single faces differ by 5 %.
_HEIGHT, _CENTRE_X, _CENTRE_Y, _ASPECT = 0.861, 0.494, 0.534, 0.75
_SIDE: Final = 1600
_TRIES: Final = 60
_SIZES: Final = (20, 400)
_ENOUGH: Final = 48


class TrueFace(NamedTuple):
    """A face of a scene: its box, which may reach beyond the edge, and what makes it hard."""

    box: FaceBox
    kind: Kind
    turned_degrees: float


class Scene(NamedTuple):
    """A composed photo, uint8 [H, W, 3], and all its faces."""

    pixels: NDArray[np.uint8]
    faces: list[TrueFace]


@dataclass(frozen=True)
class SceneMaker:
    """Composes scenes; a scene is a function of the pictures, the seed and its number.

    The pictures of faces must be square and aligned: the true box follows from the alignment, not from any
    detector's answer for the picture.
    """

    faces: Sequence[Path]
    backgrounds: Sequence[Path]
    seed: int = 0

    def scene(self, number: int) -> Scene:
        """Return scene `number`: 1 to 12 faces on a background; every fourth is dark."""
        random = np.random.default_rng([self.seed, number])
        height, width = _shape(random)
        canvas = self.background(random, height, width)
        dark = number % 4 == 3
        found: list[TrueFace] = []
        for _ in range(random.integers(1, 13)):
            face = self._paste(canvas, found, random, dark=dark)
            if face is not None:
                found.append(face)
        pixels = np.asarray(canvas)
        return Scene(_darkened(pixels, random) if dark else pixels, found)

    def empty(self, number: int) -> NDArray[np.uint8]:
        """Return a background without faces."""
        random = np.random.default_rng([self.seed, number, 1])
        return np.asarray(self.background(random, *_shape(random)))

    def background(self, random: np.random.Generator, height: int, width: int) -> Image.Image:
        """Return one picture that covers everything, or a mosaic of several."""
        canvas = Image.new("RGB", (width, height))
        columns = int(random.integers(1, 5))
        side = math.ceil(width / columns)
        for left in range(0, width, side):
            for top in range(0, height, side):
                tile = _opened(_drawn(self.backgrounds, random))
                canvas.paste(ImageOps.fit(tile, (side, side), Image.Resampling.BICUBIC), (left, top))
        return canvas

    def _paste(
        self, canvas: Image.Image, others: list[TrueFace], random: np.random.Generator, *, dark: bool
    ) -> TrueFace | None:
        """Paste one face where it overlaps no other; return None where no place was found."""
        size = float(np.exp(random.uniform(*np.log(_SIZES))))
        turned = float(
            random.uniform(-25, 25)
            if random.random() < 0.6
            else random.choice([-1, 1]) * random.uniform(25, 40)
        )
        cut = not dark and size >= _ENOUGH and random.random() < 0.2
        patch = _patch(_opened(_drawn(self.faces, random)), size, turned, random)
        for _ in range(_TRIES):
            box = _cut_place(canvas.size, size, random) if cut else _place(canvas.size, size, random)
            if not any(_near(box, other.box) for other in others):
                x, y = _centre_in_patch(patch, size, turned)
                canvas.paste(patch, (round(box.centre.x - x), round(box.centre.y - y)), patch)
                return TrueFace(box, _kind(size, turned, dark=dark, cut=cut), turned)
        return None


def _kind(size: float, turned: float, *, dark: bool, cut: bool) -> Kind:
    if size < _ENOUGH:
        return "under 48 px"
    if dark:
        return "dark"
    if cut:
        return "cut"
    return "whole, up to 25°" if abs(turned) <= 25 else "whole, 25 to 40°"


def _shape(random: np.random.Generator) -> tuple[int, int]:
    shorter = round(_SIDE / random.choice([1.0, 4 / 3, 3 / 2, 16 / 9]))
    return (shorter, _SIDE) if random.random() < 0.5 else (_SIDE, shorter)


def _drawn(paths: Sequence[Path], random: np.random.Generator) -> Path:
    return paths[int(random.integers(len(paths)))]


def _opened(path: Path) -> Image.Image:
    with Image.open(path) as picture:
        return picture.convert("RGB")


def _patch(picture: Image.Image, size: float, turned: float, random: np.random.Generator) -> Image.Image:
    """Return a turned face of height `size` with its mask as alpha: an oval, or the whole square."""
    if random.random() < 0.5:
        picture = ImageOps.mirror(picture)
    side = max(8, round(size / _HEIGHT))
    picture = picture.resize((side, side), Image.Resampling.LANCZOS)
    picture.putalpha(_mask(side, oval=random.random() < 0.7))
    return picture.rotate(-turned, Image.Resampling.BICUBIC, expand=True)


def _mask(side: int, *, oval: bool) -> Image.Image:
    mask = Image.new("L", (side, side))
    margin = max(1, side // 32)
    place = (margin, margin, side - margin - 1, side - margin - 1)
    draw = ImageDraw.Draw(mask)
    (draw.ellipse if oval else draw.rectangle)(place, fill=255)
    return mask.filter(ImageFilter.GaussianBlur(margin / 2))


def _centre_in_patch(patch: Image.Image, size: float, turned: float) -> tuple[float, float]:
    """Return where the face's centre is in the turned patch."""
    side = size / _HEIGHT
    x, y = (_CENTRE_X - 0.5) * side, (_CENTRE_Y - 0.5) * side
    cosine, sine = math.cos(math.radians(turned)), math.sin(math.radians(turned))
    return patch.width / 2 + x * cosine - y * sine, patch.height / 2 + x * sine + y * cosine


def _box(x: float, y: float, size: float) -> FaceBox:
    width = size * _ASPECT
    return FaceBox(x - width / 2, y - size / 2, width, size)


def _place(shape: tuple[int, int], size: float, random: np.random.Generator) -> FaceBox:
    margin = 0.62 * size
    x, y = (float(random.uniform(margin, max(margin + 1, side - margin))) for side in shape)
    return _box(x, y, size)


def _cut_place(shape: tuple[int, int], size: float, random: np.random.Generator) -> FaceBox:
    """Return a place at an edge that cuts off a tenth to a third of the face."""
    box = _place(shape, size, random)
    share = float(random.uniform(0.1, 0.33))
    x, y = box.centre
    match int(random.integers(4)):
        case 0:
            x = box.width * (0.5 - share)
        case 1:
            x = shape[0] - box.width * (0.5 - share)
        case 2:
            y = size * (0.5 - share)
        case _:
            y = shape[1] - size * (0.5 - share)
    return _box(x, y, size)


def _near(box: FaceBox, other: FaceBox) -> bool:
    distance = math.hypot(box.centre.x - other.centre.x, box.centre.y - other.centre.y)
    return distance < 0.8 * (box.height + other.height)


def _darkened(pixels: NDArray[np.uint8], random: np.random.Generator) -> NDArray[np.uint8]:
    """Return the scene with 15 to 40 % of its light and a sensor's noise."""
    light = pixels * np.float32(random.uniform(0.15, 0.4))
    noise = random.normal(0, 3, pixels.shape).astype(np.float32)
    levels: NDArray[np.float32] = light + noise
    return np.clip(levels, 0, 255).astype(np.uint8)
