"""What leaves the person's device: a small, upright copy without metadata, and how its way is shown."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from tests.page.photos import GREEN, RED, photo, pick, pixel, stripes, translated
from tests.page.standin import direction, problem, uploaded_file

if TYPE_CHECKING:
    from playwright.sync_api import FilePayload, Page

    from tests.page.conftest import OpenPage
    from tests.page.standin import StandIn

SMALLER = "Send a smaller copy"


def payload(picture: Image.Image, form: str, name: str, **options: object) -> FilePayload:
    buffer = io.BytesIO()
    picture.save(buffer, form, **options)
    return {"name": name, "mimeType": f"image/{form.lower()}", "buffer": buffer.getvalue()}


def noise(width: int, height: int, channels: int = 3) -> Image.Image:
    """A picture that no format makes small."""
    values = np.random.default_rng(1).integers(0, 256, (height, width, channels), np.uint8)
    return Image.fromarray(values)


def phone_photo() -> FilePayload:
    """4000 x 3000, stored lying, to be turned by 90 degrees, with a place, a comment and a description."""
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = "secret description"
    exif.get_ifd(0x8825)[1] = "N"
    lying = stripes().resize((4000, 3000))
    return payload(lying, "JPEG", "IMG_2041.jpg", exif=exif, comment=b"secret comment", quality=95)


def sent(stand_in: StandIn) -> Image.Image:
    """The last picture that came in, as its file says."""
    return Image.open(io.BytesIO(uploaded_file(stand_in.asked("/translate")[-1])))


def test_a_phones_photo_is_sent_small_upright_and_without_metadata(page: Page, stand_in: StandIn) -> None:
    translated(page, phone_photo())
    picture = sent(stand_in)
    assert (picture.format, picture.size) == ("JPEG", (1200, 1600))
    assert not picture.getexif()
    body = stand_in.asked("/translate")[0].body
    assert len(body) < 500_000
    assert b"secret" not in body
    assert b"IMG_2041" not in body
    top = picture.convert("RGB").getpixel((600, 40))
    assert np.abs(np.subtract(top, RED)).max() < 8  # the left end of what lay is the top of what stands


def test_the_shorter_side_keeps_what_the_network_needs(page: Page, stand_in: StandIn) -> None:
    translated(page, photo(picture=stripes().resize((4000, 250))))
    assert sent(stand_in).size == (2048, 128)


def test_a_small_drawing_is_sent_pixel_for_pixel(page: Page, stand_in: StandIn) -> None:
    drawing = noise(200, 150)
    translated(page, photo(picture=drawing))
    assert np.array_equal(np.asarray(sent(stand_in).convert("RGB")), np.asarray(drawing))


def test_a_small_pngs_transparency_is_kept(page: Page, stand_in: StandIn) -> None:
    clear = stripes().convert("RGBA")
    clear.paste((0, 0, 0, 0), (0, 0, 50, 200))
    translated(page, photo(picture=clear))
    picture = sent(stand_in)
    assert (picture.format, picture.mode) == ("PNG", "RGBA")
    assert picture.getpixel((10, 10))[3] == 0
    assert picture.getpixel((150, 10)) == (*GREEN, 255)


def test_a_large_pngs_transparency_lies_over_white(page: Page, stand_in: StandIn) -> None:
    large = noise(1200, 900, 4)
    large.paste((0, 0, 0, 0), (0, 0, 600, 900))
    translated(page, photo(picture=large))
    picture = sent(stand_in)
    assert picture.format == "JPEG"
    assert min(picture.convert("RGB").getpixel((100, 100))) > 250


FOREIGN = {
    "gif": payload(stripes(), "GIF", "a.gif"),
    "bmp": payload(stripes(), "BMP", "a.bmp"),
    "avif": payload(stripes(), "AVIF", "a.avif", quality=95),
    "svg": {
        "name": "a.svg",
        "mimeType": "image/svg+xml",
        "buffer": b'<svg xmlns="http://www.w3.org/2000/svg" width="300" height="200">'
        b'<rect width="300" height="200" fill="#0f0"/></svg>',
    },
}


@pytest.mark.parametrize("kind", FOREIGN)
def test_what_only_the_browser_reads_is_converted(page: Page, stand_in: StandIn, kind: str) -> None:
    translated(page, FOREIGN[kind])
    picture = sent(stand_in)
    assert picture.format == ("JPEG" if kind == "avif" else "PNG")
    assert picture.size == (300, 200)
    assert np.abs(np.subtract(pixel(page, "#source"), GREEN)).max() < 8


def test_what_the_browser_cannot_read_is_named_by_the_server_after_its_first_bytes(
    page: Page, stand_in: StandIn
) -> None:
    words = "This is a HEIC photo; export it as JPEG."
    stand_in.instead["/translate"] = problem(415, "unsupported_format", "Not a picture we read", words)
    heic = b"\0\0\0\x18ftypheic" + bytes(4_000_000)
    pick(page, {"name": "IMG_1.HEIC", "mimeType": "image/heic", "buffer": heic})
    page.get_by_text(words).wait_for()
    assert uploaded_file(stand_in.asked("/translate")[0]) == heic[:4096]
    assert page.get_by_role("button", name=SMALLER).count() == 0
    assert page.get_by_role("button", name="Try again").count() == 0


def test_a_broken_picture_of_a_readable_format_is_sent_whole_for_the_servers_words(
    page: Page, stand_in: StandIn
) -> None:
    words = "This JPEG picture is damaged; save it again."
    stand_in.instead["/translate"] = problem(422, "undecodable", "Undecodable picture", words)
    broken = b"\xff\xd8\xff\xe0" + bytes(9000)
    pick(page, {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": broken})
    page.get_by_text(words).wait_for()
    assert uploaded_file(stand_in.asked("/translate")[0]) == broken


def slow_uplink(page: Page, bytes_per_second: int) -> None:
    cdp = page.context.new_cdp_session(page)
    cdp.send("Network.enable")
    slow = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": bytes_per_second}
    cdp.send("Network.emulateNetworkConditions", slow)


def test_an_upload_that_breaks_off_can_be_sent_smaller(page: Page, stand_in: StandIn) -> None:
    slow_uplink(page, 400_000)
    stand_in.hangs_up = True
    pick(page, payload(noise(1600, 1200), "JPEG", "a.jpg"))
    page.get_by_text("The server cannot be reached").wait_for()
    stand_in.hangs_up = False
    page.get_by_role("button", name=SMALLER).click()
    page.get_by_text("Translated in").wait_for()
    assert sent(stand_in).size == (512, 384)


def test_sending_is_shown_in_per_cent_and_apart_from_translating(page: Page, stand_in: StandIn) -> None:
    slow_uplink(page, 400_000)
    stand_in.gate.clear()
    page.evaluate(
        """() => {
            window.told = [];
            const note = (node) => window.told.push([node.id, node.textContent]);
            new MutationObserver((all) => all.forEach(({target}) => note(target)))
                .observe(document.querySelector("main"), {childList: true, subtree: true});
        }"""
    )
    pick(page, payload(noise(1600, 1200), "JPEG", "a.jpg"))
    page.locator("#working", has_text="Translating selfie to anime").wait_for()
    assert page.locator("#sent").is_hidden()
    told = page.evaluate("window.told")
    shown = [words for id_, words in told if id_ == "working"]
    spoken = [words for id_, words in told if id_ == "status"]
    assert shown[0] == "Preparing the photo …"
    assert sum("Sending the photo, " in words for words in shown) >= 3
    assert spoken == ["Preparing the photo …", "Sending the photo …", "Translating selfie to anime …"]
    stand_in.gate.set()


@pytest.mark.parametrize(
    ("status", "code"), [(408, "body_timeout"), (413, "body_too_large"), (422, "too_many_pixels")]
)
def test_what_was_too_slow_or_too_large_can_be_sent_smaller_but_never_the_same_again(
    page: Page, stand_in: StandIn, status: int, code: str
) -> None:
    stand_in.instead["/translate"] = problem(status, code, "Too much", "Send a smaller picture.")
    pick(page, phone_photo())
    page.get_by_text("Send a smaller picture.").wait_for()
    assert page.get_by_role("button", name="Try again").count() == 0
    with page.expect_response(lambda answer: "translate?" in answer.url):
        page.get_by_role("button", name=SMALLER).click()
    assert sent(stand_in).size == (384, 512)
    page.get_by_text("Send a smaller picture.").wait_for()
    assert page.locator("#failure button").count() == 0
    stand_in.instead.clear()
    page.locator("label", has=page.locator("input[value=contain]")).click()
    page.get_by_text("Translated in").wait_for()
    assert sent(stand_in).size == (384, 512)  # what did not get through is not tried again


def test_a_direction_out_of_order_is_not_asked_again(page: Page, stand_in: StandIn) -> None:
    stand_in.instead["/translate"] = problem(
        503, "direction_defunct", "Out of order", "/directions tells why."
    )
    pick(page)
    page.get_by_text("/directions tells why.").wait_for()
    assert page.locator("#failure button").count() == 0


def test_a_network_larger_than_the_usual_copy_gets_all_it_needs(
    open_page: OpenPage, stand_in: StandIn
) -> None:
    large = {"height": 2048, "width": 2048, "fixed": True}
    stand_in.directions = [direction("a2b", "a", "b", image=large)]
    translated(open_page(), payload(stripes().resize((4000, 3000)), "JPEG", "a.jpg"))
    assert sent(stand_in).size == (2731, 2048)
