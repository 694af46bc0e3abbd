"""The limits on a picture's size and number of frames."""

from dataclasses import dataclass

from models.images.errors import TooManyFrames, TooManyPixels


@dataclass(frozen=True, kw_only=True)
class PictureLimits:
    """Limits on the size in a file's header; a picture exactly at a limit is accepted."""

    max_pixels: int = 50_000_000
    """Width times height. A decoded pixel takes 3 to 8 bytes: 50 megapixels take a few hundred megabytes."""

    max_side_pixels: int = 16_384
    """The longer side. No camera exceeds it; a picture of 1 x 50,000,000 pixels is not a photo."""

    max_frames: int = 200
    """Of an animation."""

    max_animation_pixels: int = 50_000_000
    """Width times height times frames: every frame is decoded on the whole canvas."""

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

    def check_frames(self, frames: int, width: int, height: int) -> None:
        """Raise `TooManyFrames` or `TooManyPixels` if an animation of frames of this size is too long."""
        self.check(width, height)
        if frames > self.max_frames:
            raise TooManyFrames(
                f"The animation has {frames:,} frames, at most {self.max_frames:,} are allowed; send a "
                "shorter one, or use frames=first to translate only its first frame."
            )
        if frames * width * height > self.max_animation_pixels:
            raise TooManyPixels(
                f"The animation has {frames * width * height:,} pixels ({frames} frames of {width} x "
                f"{height}), at most {self.max_animation_pixels:,} are allowed; send a smaller or shorter "
                "one, or use frames=first to translate only its first frame."
            )
