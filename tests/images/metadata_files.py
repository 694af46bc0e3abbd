"""Picture files with metadata in every place of a format, each with a canary."""

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from tests.images.drawing import file, gradient, swapped_profile

CANARY = b"CANARY-51.4779N"
XMP = b"<x:xmpmeta><place>" + CANARY + b"</place></x:xmpmeta>"


def _located() -> bytes:
    """Return an EXIF block with a GPS position and a maker's name."""
    noted = Image.Exif()
    noted[0x010F] = CANARY.decode()
    noted.get_ifd(0x8825)[0x001D] = CANARY.decode()
    return noted.tobytes()


def with_metadata(kind: str) -> bytes:
    """Return a picture file with metadata in every place of its format."""
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
