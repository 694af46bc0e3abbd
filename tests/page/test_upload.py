"""Test the upload: a small, upright copy without metadata, and its progress."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from tests.page.fake_service import direction, problem, uploaded_file
from tests.page.photos import GREEN, RED, photo, pick, pixel, stripes, translated

if TYPE_CHECKING:
    from playwright.sync_api import FilePayload, Page

    from tests.page.conftest import OpenPage
    from tests.page.fake_service import FakeService

SMALLER = "Send a smaller copy"


def picture_file(picture: Image.Image, form: str, name: str, **options: object) -> FilePayload:
    buffer = io.BytesIO()
    picture.save(buffer, form, **options)
    return {"name": name, "mimeType": f"image/{form.lower()}", "buffer": buffer.getvalue()}


def noise(width: int, height: int, channels: int = 3) -> Image.Image:
    """Return a picture of noise, which no format compresses."""
    values = np.random.default_rng(1).integers(0, 256, (height, width, channels), np.uint8)
    return Image.fromarray(values)


def phone_photo() -> FilePayload:
    """Return a JPEG of 4000 x 3000 with a rotation by 90 degrees, a place, a comment and a description."""
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = "secret description"
    exif.get_ifd(0x8825)[1] = "N"
    landscape = stripes().resize((4000, 3000))
    return picture_file(landscape, "JPEG", "IMG_2041.jpg", exif=exif, comment=b"secret comment", quality=95)


def last_upload(fake_service: FakeService) -> Image.Image:
    """Return the last uploaded picture."""
    return Image.open(io.BytesIO(uploaded_file(fake_service.received("/translate")[-1])))


def test_phone_photo_is_sent_small_upright_and_without_metadata(
    page: Page, fake_service: FakeService
) -> None:
    translated(page, phone_photo())
    picture = last_upload(fake_service)
    assert (picture.format, picture.size) == ("JPEG", (1200, 1600))
    assert not picture.getexif()
    body = fake_service.received("/translate")[0].body
    assert len(body) < 500_000
    assert b"secret" not in body
    assert b"IMG_2041" not in body
    top = picture.convert("RGB").getpixel((600, 40))
    assert np.abs(np.subtract(top, RED)).max() < 8  # the stored left end is the upright top


def test_shorter_side_is_at_least_the_networks_size(page: Page, fake_service: FakeService) -> None:
    translated(page, photo(picture=stripes().resize((4000, 250))))
    assert last_upload(fake_service).size == (2048, 128)


def test_small_png_is_sent_without_loss(page: Page, fake_service: FakeService) -> None:
    drawing = noise(200, 150)
    translated(page, photo(picture=drawing))
    assert np.array_equal(np.asarray(last_upload(fake_service).convert("RGB")), np.asarray(drawing))


def test_transparency_of_a_small_png_is_kept(page: Page, fake_service: FakeService) -> None:
    clear = stripes().convert("RGBA")
    clear.paste((0, 0, 0, 0), (0, 0, 50, 200))
    translated(page, photo(picture=clear))
    picture = last_upload(fake_service)
    assert (picture.format, picture.mode) == ("PNG", "RGBA")
    assert picture.getpixel((10, 10))[3] == 0
    assert picture.getpixel((150, 10)) == (*GREEN, 255)


def test_transparency_of_a_large_png_becomes_white(page: Page, fake_service: FakeService) -> None:
    large = noise(1200, 900, 4)
    large.paste((0, 0, 0, 0), (0, 0, 600, 900))
    translated(page, photo(picture=large))
    picture = last_upload(fake_service)
    assert picture.format == "JPEG"
    assert min(picture.convert("RGB").getpixel((100, 100))) > 250


FOREIGN = {
    "gif": picture_file(stripes(), "GIF", "a.gif"),
    "bmp": picture_file(stripes(), "BMP", "a.bmp"),
    "avif": picture_file(stripes(), "AVIF", "a.avif", quality=95),
    "svg": {
        "name": "a.svg",
        "mimeType": "image/svg+xml",
        "buffer": b'<svg xmlns="http://www.w3.org/2000/svg" width="300" height="200">'
        b'<rect width="300" height="200" fill="#0f0"/></svg>',
    },
}


@pytest.mark.parametrize("kind", FOREIGN)
def test_format_that_only_the_browser_reads_is_converted(
    page: Page, fake_service: FakeService, kind: str
) -> None:
    translated(page, FOREIGN[kind])
    picture = last_upload(fake_service)
    assert picture.format == ("JPEG" if kind == "avif" else "PNG")
    assert picture.size == (300, 200)
    assert np.abs(np.subtract(pixel(page, "#source"), GREEN)).max() < 8


def test_unreadable_format_is_named_by_the_server_from_its_first_bytes(
    page: Page, fake_service: FakeService
) -> None:
    words = "This is a HEIC photo; export it as JPEG."
    fake_service.instead["/translate"] = problem(415, "unsupported_format", "Not a picture we read", words)
    heic = b"\0\0\0\x18ftypheic" + bytes(4_000_000)
    pick(page, {"name": "IMG_1.HEIC", "mimeType": "image/heic", "buffer": heic})
    page.get_by_text(words).wait_for()
    assert uploaded_file(fake_service.received("/translate")[0]) == heic[:4096]
    assert page.get_by_role("button", name=SMALLER).count() == 0
    assert page.get_by_role("button", name="Try again").count() == 0


def test_broken_picture_of_a_served_format_is_sent_unchanged(page: Page, fake_service: FakeService) -> None:
    words = "This JPEG picture is damaged; save it again."
    fake_service.instead["/translate"] = problem(422, "undecodable", "Undecodable picture", words)
    broken = b"\xff\xd8\xff\xe0" + bytes(9000)
    pick(page, {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": broken})
    page.get_by_text(words).wait_for()
    assert uploaded_file(fake_service.received("/translate")[0]) == broken


def slow_uplink(page: Page, bytes_per_second: int) -> None:
    """Limit the page's upload rate."""
    cdp = page.context.new_cdp_session(page)
    cdp.send("Network.enable")
    slow = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": bytes_per_second}
    cdp.send("Network.emulateNetworkConditions", slow)


def test_interrupted_upload_can_be_sent_smaller(page: Page, fake_service: FakeService) -> None:
    slow_uplink(page, 400_000)
    fake_service.disconnects = True
    pick(page, picture_file(noise(1600, 1200), "JPEG", "a.jpg"))
    page.get_by_text("The server cannot be reached").wait_for()
    fake_service.disconnects = False
    page.get_by_role("button", name=SMALLER).click()
    page.get_by_text("Translated in").wait_for()
    assert last_upload(fake_service).size == (512, 384)


def test_upload_progress_is_shown_in_per_cent_before_translating(
    page: Page, fake_service: FakeService
) -> None:
    slow_uplink(page, 400_000)
    fake_service.gate.clear()
    page.evaluate(
        """() => {
            window.changes = [];
            const note = (node) => window.changes.push([node.id, node.textContent]);
            new MutationObserver((all) => all.forEach(({target}) => note(target)))
                .observe(document.querySelector("main"), {childList: true, subtree: true});
        }"""
    )
    pick(page, picture_file(noise(1600, 1200), "JPEG", "a.jpg"))
    page.locator("#working", has_text="Translating selfie to anime").wait_for()
    assert page.locator("#sent").is_hidden()
    changes = page.evaluate("window.changes")
    shown = [words for id_, words in changes if id_ == "working"]
    spoken = [words for id_, words in changes if id_ == "status"]
    assert shown[0] == "Preparing the photo …"
    assert sum("Sending the photo, " in words for words in shown) >= 3
    assert spoken == ["Preparing the photo …", "Sending the photo …", "Translating selfie to anime …"]
    fake_service.gate.set()


@pytest.mark.parametrize(
    ("status", "code"), [(408, "body_timeout"), (413, "body_too_large"), (422, "too_many_pixels")]
)
def test_too_slow_or_too_large_upload_can_only_be_sent_smaller(
    page: Page, fake_service: FakeService, status: int, code: str
) -> None:
    fake_service.instead["/translate"] = problem(status, code, "Too much", "Send a smaller picture.")
    pick(page, phone_photo())
    page.get_by_text("Send a smaller picture.").wait_for()
    assert page.get_by_role("button", name="Try again").count() == 0
    with page.expect_response(lambda answer: "translate?" in answer.url):
        page.get_by_role("button", name=SMALLER).click()
    assert last_upload(fake_service).size == (384, 512)
    page.get_by_text("Send a smaller picture.").wait_for()
    assert page.locator("#failure button").count() == 0
    fake_service.instead.clear()
    page.locator("label", has=page.locator("input[value=contain]")).click()
    page.get_by_text("Translated in").wait_for()
    assert last_upload(fake_service).size == (384, 512)  # the larger copy is not sent again


def test_defunct_model_offers_no_retry(page: Page, fake_service: FakeService) -> None:
    for code in ("direction_defunct", "network_defunct", "style_encoder_defunct"):
        fake_service.instead["/translate"] = problem(503, code, "Out of order", f"See the reason: {code}.")
        pick(page)
        page.get_by_text(f"See the reason: {code}.").wait_for()
        assert page.locator("#failure button").count() == 0


def test_large_network_gets_a_larger_copy(open_page: OpenPage, fake_service: FakeService) -> None:
    large = {"height": 2048, "width": 2048, "fixed": True}
    fake_service.directions = [direction("a2b", "a", "b", image=large)]
    translated(open_page(), picture_file(stripes().resize((4000, 3000)), "JPEG", "a.jpg"))
    assert last_upload(fake_service).size == (2731, 2048)
