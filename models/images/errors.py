"""Errors of pictures that were received.

The class names describe the picture, so they do not end in `Error`.
"""

import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from PIL.Image import DecompressionBombError


class PictureError(ValueError):
    """A picture that cannot be accepted. The message is one sentence for the person who sent it."""


class UnsupportedFormat(PictureError):  # noqa: N818
    """The bytes are not JPEG, PNG, WebP or GIF."""


class BrokenPicture(PictureError):  # noqa: N818
    """The bytes begin like a JPEG, PNG, WebP or GIF, but cannot be decoded."""


class TooManyPixels(PictureError):  # noqa: N818
    """The size in the header is larger than allowed; no pixel was decoded."""


class TooManyFrames(PictureError):  # noqa: N818
    """The animation has more frames than allowed; none was decoded."""


# What Pillow's decoders raise for damaged files; each decoder raises its own types. MemoryError is raised for
# a header with a size that no machine has memory for.
_DECODER_ERRORS = (
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
def decoder_errors_as_broken_picture(name: str) -> Iterator[None]:
    """Raise `BrokenPicture` for every error that a decoder raises on damaged bytes.

    Use this only around calls of a decoder, so that it hides no errors of our own code.
    """
    try:
        yield
    except PictureError:
        raise
    except DecompressionBombError as failure:  # only WebP's decoder has a limit of its own
        raise TooManyPixels(
            "The picture has more pixels than its decoder takes; send a smaller one."
        ) from failure
    except _DECODER_ERRORS as failure:
        raise BrokenPicture(
            f"This {name} picture is damaged or incomplete and cannot be decoded; save or export it again."
        ) from failure
