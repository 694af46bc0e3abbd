"""Generated photos, and helpers that read what the page shows."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING

from PIL import Image

if TYPE_CHECKING:
    from playwright.sync_api import FilePayload, Page

RED, GREEN, BLUE, MAGENTA = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 0, 255)


def stripes() -> Image.Image:
    """Return a picture of 300 x 200: 50 px of red at the left, 50 px of blue at the right, else green."""
    picture = Image.new("RGB", (300, 200), GREEN)
    picture.paste(RED, (0, 0, 50, 200))
    picture.paste(BLUE, (250, 0, 300, 200))
    return picture


def photo(name: str = "holiday.png", picture: Image.Image | None = None) -> FilePayload:
    """Return a PNG file for a file input."""
    buffer = io.BytesIO()
    (picture or stripes()).save(buffer, "PNG")
    return {"name": name, "mimeType": "image/png", "buffer": buffer.getvalue()}


def rotated_photo() -> FilePayload:
    """Return a JPEG of 300 x 200 whose EXIF orientation turns it to 200 x 300."""
    buffer = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees clockwise to view
    stripes().save(buffer, "JPEG", exif=exif, quality=95)
    return {"name": "portrait.jpg", "mimeType": "image/jpeg", "buffer": buffer.getvalue()}


def pick(page: Page, file: FilePayload | None = None) -> None:
    """Pick a photo without waiting for the result."""
    page.set_input_files("#file", file or photo())


def translated(page: Page, file: FilePayload | None = None) -> Page:
    """Pick a photo and wait until its translation is shown."""
    pick(page, file)
    page.locator("main[data-state=result] #translation[src^=blob]").wait_for()
    page.get_by_text("Translated in").wait_for()
    return page


def transfer(page: Page, event: str, file: FilePayload | None) -> None:
    """Fire a `drop` or `paste` event with a file, or with text only."""
    data = {"event": event, "text": "no file", "name": "", "type": "", "bytes": ""}
    if file is not None:
        data |= {"name": file["name"], "type": file["mimeType"]}
        data |= {"bytes": base64.b64encode(file["buffer"]).decode()}
    page.evaluate(
        """({event, name, type, bytes, text}) => {
            const transfer = new DataTransfer();
            const content = Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0));
            if (name) transfer.items.add(new File([content], name, {type}));
            else transfer.setData("text/plain", text);
            const init = {bubbles: true, cancelable: true, dataTransfer: transfer, clipboardData: transfer};
            const Carrier = event === "drop" ? DragEvent : ClipboardEvent;
            document.body.dispatchEvent(new Carrier(event, init));
        }""",
        data,
    )


def pixel(page: Page, selector: str, x: float = 0.5, y: float = 0.5) -> tuple[int, int, int]:
    """Return the colour of a shown picture or canvas; x and y are shares of its width and height, 0 to 1."""
    colour = page.locator(selector).evaluate(
        """async (shown, [x, y]) => {
            if (shown.decode) await shown.decode();
            const [width, height] = [shown.naturalWidth ?? shown.width, shown.naturalHeight ?? shown.height];
            const canvas = Object.assign(document.createElement("canvas"), {width, height});
            const context = canvas.getContext("2d");
            context.drawImage(shown, 0, 0);
            return [...context.getImageData(x * (width - 1), y * (height - 1), 1, 1).data].slice(0, 3);
        }""",
        [x, y],
    )
    red, green, blue = colour
    return red, green, blue


def seam(page: Page) -> float:
    """Return the seam's position in per cent of the frame's width."""
    share: float = page.locator(".seamline").evaluate(
        """(line) => {
            const [seam, frame] = [line, line.parentElement].map((node) => node.getBoundingClientRect());
            return ((seam.left + seam.width / 2 - frame.left) / frame.width) * 100;
        }"""
    )
    return round(share, 1)


def choose(page: Page, value: str) -> None:
    """Choose the radio button with this value by a click on its label."""
    page.locator("label", has=page.locator(f"input[value='{value}']")).click()
