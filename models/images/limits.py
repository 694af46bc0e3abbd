"""The limits on a picture's size."""

from dataclasses import dataclass

from models.images.errors import TooManyPixels


@dataclass(frozen=True, kw_only=True)
class PictureLimits:
    """Limits on the size in a file's header; a picture exactly at a limit is accepted."""

    max_pixels: int = 50_000_000
    """Width times height. A decoded pixel takes 3 to 8 bytes: 50 megapixels take a few hundred megabytes."""

    max_side_pixels: int = 16_384
    """The longer side. No camera exceeds it; a picture of 1 x 50,000,000 pixels is not a photo."""

    def check(self, width: int, height: int) -> None:
        """Raise `TooManyPixels` if a picture of this size is too large."""
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
