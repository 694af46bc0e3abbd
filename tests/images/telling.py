"""Pictures that carry everything a format can carry, and a canary in each place."""

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from tests.images.drawing import file, gradient, swapped_profile

CANARY = b"CANARY-51.4779N"
XMP = b"<x:xmpmeta><place>" + CANARY + b"</place></x:xmpmeta>"


def _located() -> bytes:
    """An EXIF block with a GPS position, a maker's name and a thumbnail's worth of remarks."""
    noted = Image.Exif()
    noted[0x010F] = CANARY.decode()
    noted.get_ifd(0x8825)[0x001D] = CANARY.decode()
    return noted.tobytes()


def telling(kind: str) -> bytes:
    """A file that carries everything a format can carry."""
    text = PngInfo()
    text.add_text("Comment", CANARY.decode())
    text.add_text("Title", CANARY.decode(), zip=True)
    text.add_itxt("XML:com.adobe.xmp", XMP.decode())
    options = {
        "JPEG": {"comment": CANARY, "xmp": XMP},
        "PNG": {"pnginfo": text},
        "WEBP": {"xmp": XMP},
    }[kind]
    profile = swapped_profile() + CANARY
    return file(gradient(64, 96), kind, exif=_located(), icc_profile=profile, **options)
