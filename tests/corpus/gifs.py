"""GIF files: still, animated, with every block, and damaged ones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from PIL import Image

from tests.animations import gif_of_many_frames, gif_that_claims
from tests.corpus.case import Case
from tests.images.drawing import file, gradient

UNDECODABLE: Final = (422, "undecodable")
_STILL: Final = file(gradient(40, 56), "GIF")


def cases() -> Iterator[Case]:
    """Yield all cases, each declared to be a PNG."""
    turned = Image.fromarray(gradient(40, 56)[::-1])
    animated = file(Image.fromarray(gradient(40, 56)), "GIF", save_all=True, append_images=[turned])
    yield Case("gif", _STILL)
    yield Case("gif-animated", animated)
    yield Case("gif-with-a-long-comment", _with(b"\x21\xfe" + b"\xff" * 256 * 4000 + b"\0"))
    yield Case("gif-with-zeros-between-blocks", _with(bytes(500)))
    yield Case("gif-without-trailer", _STILL[:-1])
    yield Case("gif-with-bytes-after-its-end", _STILL + bytes(1000))
    yield Case("gif-animated-cut-in-its-second-frame", animated[: len(animated) // 2 + 200])
    yield Case("gif-of-10000-frames", gif_of_many_frames(10_000), (422, "too_many_frames"))
    yield Case("gif-of-60000-x-1", gif_that_claims(60_000, 1), (422, "too_many_pixels"))
    yield Case("gif-of-0-x-0", gif_that_claims(0, 0))
    for length in (6, 12, 13, 200, 790):
        yield Case(f"gif-of-{length}-bytes", _STILL[:length], UNDECODABLE)


def _with(blocks: bytes) -> bytes:
    """The still picture with blocks before its image."""
    image = _STILL.rindex(b"\x2c\0\0\0\0\x38\0\x28\0")
    return _STILL[:image] + blocks + _STILL[image:]
