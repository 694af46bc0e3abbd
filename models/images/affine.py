"""Places in pictures, and the affine maps between them."""

from __future__ import annotations

from typing import NamedTuple, Self


class Point(NamedTuple):
    """A place in a picture, in pixels from its left upper corner."""

    x: float
    y: float


class Affine(NamedTuple):
    """The map (x, y) -> (a x + b y + c, d x + e y + f), in the order that Pillow's `transform` takes.

    Pillow takes the map from places in the result to places in the source: give it the `inverse` of a map
    into a frame to cut that frame out of a photo.
    """

    a: float
    b: float
    c: float
    d: float
    e: float
    f: float

    def apply(self, point: Point) -> Point:
        """Return where the map moves a point."""
        return Point(
            self.a * point.x + self.b * point.y + self.c, self.d * point.x + self.e * point.y + self.f
        )

    @property
    def is_upright(self) -> bool:
        """Whether it only scales and moves."""
        return self.b == self.d == 0

    @property
    def is_flat(self) -> bool:
        """Whether it maps everything onto one line, and so has no inverse."""
        return self.a * self.e == self.b * self.d

    def inverse(self) -> Self:
        """Return the map back; the map must not be flat."""
        scale = 1 / (self.a * self.e - self.b * self.d)
        a, b, d, e = self.e * scale, -self.b * scale, -self.d * scale, self.a * scale
        return type(self)(a, b, -(a * self.c + b * self.f), d, e, -(d * self.c + e * self.f))

    def after(self, first: Affine) -> Self:
        """Return the map that applies `first`, then this one."""
        return type(self)(
            self.a * first.a + self.b * first.d,
            self.a * first.b + self.b * first.e,
            self.a * first.c + self.b * first.f + self.c,
            self.d * first.a + self.e * first.d,
            self.d * first.b + self.e * first.e,
            self.d * first.c + self.e * first.f + self.f,
        )

    @property
    def scale(self) -> tuple[float, float]:
        """How many pixels of the result a pixel of the source is wide, and high."""
        return (self.a**2 + self.d**2) ** 0.5, (self.b**2 + self.e**2) ** 0.5


def scaling(x: float, y: float) -> Affine:
    """Return the map that multiplies both coordinates."""
    return Affine(x, 0, 0, 0, y, 0)
