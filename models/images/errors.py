"""What can be wrong with a picture that somebody sent.

The names say what the picture is, as a sentence to its sender would; hence no `Error` at their ends.
"""

import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from PIL.Image import DecompressionBombError


class PictureError(ValueError):
    """A picture that cannot be taken; its text is one sentence for the person who sent it."""


class UnsupportedFormat(PictureError):  # noqa: N818
    """The bytes are no JPEG, PNG or WebP."""


class BrokenPicture(PictureError):  # noqa: N818
    """The bytes begin like a JPEG, PNG or WebP, but cannot be decoded."""


class TooManyPixels(PictureError):  # noqa: N818
    """The header announces a larger picture than is allowed; no pixel was decoded."""


# What Pillow lets through when a file is damaged: its decoders were written over twenty years by many hands,
# and each has its own idea of an error. MemoryError is a header that promises what no machine has.
_DAMAGE = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    struct.error,
    zlib.error,
    IndexError,
    KeyError,
    TypeError,
    OverflowError,
    MemoryError,
)


@contextmanager
def damage_as_broken_picture(name: str) -> Iterator[None]:
    """Turn whatever a decoder says about damaged bytes into one sentence.

    Put nothing inside but a call of the decoder: our own mistakes must stay visible.
    """
    try:
        yield
    except PictureError:
        raise
    except DecompressionBombError as failure:  # WebP's decoder alone, for who allows more than it does
        raise TooManyPixels(
            "The picture has more pixels than its decoder takes; send a smaller one."
        ) from failure
    except _DAMAGE as failure:
        raise BrokenPicture(
            f"This {name} picture is damaged or incomplete and cannot be decoded; save or export it again."
        ) from failure
