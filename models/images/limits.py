"""How large a picture may be."""

from dataclasses import dataclass

from models.images.errors import TooManyPixels


@dataclass(frozen=True, kw_only=True)
class PictureLimits:
    """Bounds on what a file's header may announce; a picture exactly at a bound is taken."""

    max_pixels: int = 50_000_000
    """Width times height. A decoded pixel costs 3 to 8 bytes: 50 megapixels are a few hundred megabytes."""

    max_side_pixels: int = 16_384
    """The longer side. No camera exceeds it; a 1 x 50,000,000 picture is no photo."""

    def check(self, width: int, height: int) -> None:
        """Raise `TooManyPixels` where a picture of this size is too large."""
        if width * height > self.max_pixels:
            raise TooManyPixels(
                f"The picture has {width * height:,} pixels ({width} x {height}), "
                f"at most {self.max_pixels:,} are allowed; send a smaller one."
            )
        if max(width, height) > self.max_side_pixels:
            raise TooManyPixels(
                f"The picture's longer side is {max(width, height):,} pixels ({width} x {height}), "
                f"at most {self.max_side_pixels:,} are allowed; send a smaller one."
            )
