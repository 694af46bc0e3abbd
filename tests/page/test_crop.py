"""Frame a part of a photo by hand: what the frame shows is what the network gets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.page.fake_service import direction, found_face, uploaded_picture
from tests.page.photos import BLUE, GREEN, RED, choose, photo, pixel, rotated_photo, stripes, translated

if TYPE_CHECKING:
    from PIL import Image
    from playwright.sync_api import Page

    from tests.page.conftest import OpenPage
    from tests.page.fake_service import FakeService


def open_editor(page: Page) -> None:
    """Open the editor of the shown photo."""
    choose(page, "hand")
    page.locator("main[data-state=framing]").wait_for()


def press(page: Page, key: str, times: int = 1) -> None:
    """Press a key several times while the photo has the focus."""
    page.locator("#crop").focus()
    for _ in range(times):
        page.keyboard.press(key)


def translate_part(page: Page, fake_service: FakeService) -> Image.Image:
    """Translate what the frame shows; return the picture that was sent."""
    page.get_by_role("button", name="Translate this part").click()
    page.locator("main[data-state=result]").wait_for()
    page.get_by_text("Translated in").wait_for()
    options = fake_service.received("/translate")[-1].query
    assert (options["face"], options["fit"], "paste" in options) == ("none", "cover", False)
    return uploaded_picture(fake_service.received("/translate")[-1])


def near(one: tuple[int, ...], other: tuple[int, ...]) -> bool:
    """Return whether two colours are the same but for the losses of JPEG and of scaling."""
    return all(abs(a - b) < 40 for a, b in zip(one, other, strict=True))


def test_keys_move_zoom_and_reset_the_part_and_it_is_sent(page: Page, fake_service: FakeService) -> None:
    translated(page)
    open_editor(page)
    assert page.evaluate("document.activeElement.id") == "crop"
    assert page.get_by_text("200 × 200 px of the photo.").is_visible()
    assert near(pixel(page, "#crop", 0.02), GREEN)
    press(page, "ArrowLeft", 12)
    assert near(pixel(page, "#crop", 0.1), RED)
    press(page, "+", 8)
    assert page.locator("#crop-zoom").input_value() > "1"
    shown = [pixel(page, "#crop", x, y) for x, y in ((0.1, 0.5), (0.5, 0.1), (0.9, 0.9))]
    sent = translate_part(page, fake_service)
    side = sent.width
    assert sent.size == (side, side)
    assert 80 < side < 110  # 200 px over 1.1 to the 8th power; every pixel of the photo is kept
    found = [sent.getpixel((x * (side - 1), y * (side - 1))) for x, y in ((0.1, 0.5), (0.5, 0.1), (0.9, 0.9))]
    assert all(near(one, other) for one, other in zip(shown, found, strict=True))
    assert page.get_by_text("The part of this photo that you framed.").is_visible()
    assert page.locator("input[name=fit][value=hand]").is_checked()

    choose(page, "cover")  # so that the editor can be opened again
    page.get_by_text("Translated in").wait_for()
    open_editor(page)
    press(page, "ArrowRight", 20)
    assert near(pixel(page, "#crop", 0.95), BLUE)
    press(page, "0")
    assert near(pixel(page, "#crop", 0.95), GREEN)
    press(page, "ArrowRight", 20)
    page.get_by_role("button", name="Reset").click()
    assert near(pixel(page, "#crop", 0.95), GREEN)


def test_mouse_drags_the_photo_and_the_wheel_zooms_at_the_pointer(page: Page) -> None:
    translated(page)
    open_editor(page)
    box = page.locator("#crop").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 100, box["y"] + 100)
    page.mouse.down()
    page.mouse.move(box["x"] + 100 + box["width"] / 4, box["y"] + 100, steps=3)
    page.mouse.up()
    assert near(pixel(page, "#crop", 0.1), RED)  # moved by 50 of the photo's pixels
    page.mouse.move(box["x"] + 2, box["y"] + box["height"] / 2)
    page.mouse.wheel(0, -1500)
    page.get_by_text("25 × 25 px of the photo.").wait_for()
    assert near(pixel(page, "#crop", 0.5), RED)  # the left edge stayed below the pointer
    page.mouse.wheel(0, 3000)
    page.get_by_text("200 × 200 px of the photo.").wait_for()


PINCH = """(canvas) => {
    const box = canvas.getBoundingClientRect();
    const fire = (type, pointerId, x) => canvas.dispatchEvent(new PointerEvent(type, {
        pointerId, pointerType: "touch", button: type === "pointermove" ? -1 : 0, bubbles: true,
        clientX: box.left + x * box.width, clientY: box.top + box.height / 2,
    }));
    canvas.setPointerCapture = () => {};
    fire("pointerdown", 1, 0.4);
    fire("pointerdown", 2, 0.6);
    fire("pointermove", 1, 0.3);
    fire("pointermove", 2, 0.7);
    fire("pointerup", 1, 0.3);
    fire("pointerup", 2, 0.7);
}"""


def test_two_fingers_zoom(open_page: OpenPage) -> None:
    page = translated(open_page(viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True))
    open_editor(page)
    page.locator("#crop").evaluate(PINCH)
    page.get_by_text("100 × 100 px of the photo.").wait_for()


def test_turned_photo_is_framed_upright_at_its_full_resolution(page: Page, fake_service: FakeService) -> None:
    translated(page, rotated_photo())
    open_editor(page)
    assert near(pixel(page, "#crop"), GREEN)
    press(page, "ArrowUp", 20)
    assert near(pixel(page, "#crop", 0.5, 0.1), RED)
    assert near(translate_part(page, fake_service).getpixel((100, 10)), RED)


def test_editor_of_a_translated_face_begins_at_the_face(
    open_page: OpenPage, fake_service: FakeService
) -> None:
    fake_service.directions = [direction("selfie2anime", "selfie", "anime", framing="face")]
    fake_service.faces = [found_face(200, 20, 100)]
    page = translated(open_page(), photo(picture=stripes().resize((600, 200))))
    open_editor(page)
    assert page.get_by_text("200 × 200 px of the photo.").is_visible()
    page.get_by_role("button", name="Cancel").click()
    page.locator("main[data-state=result]").wait_for()
    assert page.locator("input[name=fit][value=face]").is_checked()
    assert len(fake_service.received("/translate")) == 1


def test_photo_that_is_being_translated_can_be_framed(page: Page, fake_service: FakeService) -> None:
    fake_service.gate.clear()
    page.set_input_files("#file", photo())
    page.locator("#working", has_text="Translating").wait_for()
    open_editor(page)
    fake_service.gate.set()
    page.wait_for_timeout(200)
    assert page.locator("main").get_attribute("data-state") == "framing"
    page.get_by_role("button", name="Cancel").click()
    page.get_by_text("Translated in").wait_for()


@pytest.mark.parametrize("name", ["notes.heic"])
def test_photo_that_the_browser_cannot_show_is_not_framed(page: Page, name: str) -> None:
    page.set_input_files("#file", {"name": name, "mimeType": "image/heic", "buffer": b"\0\0\0\x18ftypheic"})
    page.locator("main[data-state=error]").wait_for()
    choose(page, "hand")
    page.get_by_text("cannot show this photo").wait_for()
