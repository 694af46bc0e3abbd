"""Phones, dark rooms, calm people, strict servers: the page behaves for all of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.page.photos import choose, pick, translated
from tests.page.standin import direction, problem

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.page.conftest import OpenPage
    from tests.page.standin import StandIn

PHONE = {"width": 360, "height": 740}


LONG_NAMES = direction("long", "photographofalandscape" * 2, "watercolourpainting" * 2)


def too_wide(page: Page) -> int:
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def test_a_phone_never_scrolls_sideways(open_page: OpenPage, stand_in: StandIn) -> None:
    stand_in.directions = [LONG_NAMES, direction("selfie2anime", "selfie", "anime")]
    phone = open_page(viewport=PHONE, is_mobile=True, has_touch=True)
    widths = {"empty": too_wide(phone)}
    translated(phone)
    choose(phone, "generator")
    phone.locator("#heat[src^=blob]").wait_for()
    phone.locator("#about summary").click()
    widths["result"] = too_wide(phone)
    stand_in.instead["/translate"] = problem(422, "code", "T" * 80, "d" * 200)
    pick(phone)
    phone.get_by_text("d" * 200).wait_for()
    widths["error"] = too_wide(phone)
    assert widths == {"empty": 0, "result": 0, "error": 0}


def test_long_names_on_the_picture_leave_each_other_room(open_page: OpenPage, stand_in: StandIn) -> None:
    stand_in.directions = [LONG_NAMES]
    phone = translated(open_page(viewport=PHONE, is_mobile=True, has_touch=True))
    left, right = (phone.locator(one).bounding_box() for one in ("#show-source", "#show-translation"))
    assert left is not None
    assert right is not None
    assert left["x"] + left["width"] < right["x"]


def test_every_button_is_large_enough_for_a_thumb(open_page: OpenPage) -> None:
    phone = translated(open_page(viewport=PHONE, is_mobile=True, has_touch=True))
    choose(phone, "generator")
    phone.locator("#heat[src^=blob]").wait_for()
    boxes = [
        one.bounding_box() for one in phone.locator("button:visible, label > span:visible, select").all()
    ]
    assert len(boxes) > 10
    assert min(box["height"] for box in boxes if box) >= 44


def luminance(colour: str) -> float:
    parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(page: Page, selector: str) -> float:
    """The WCAG contrast of an element's text to the nearest painted background behind it."""
    colours = page.locator(selector).first.evaluate(
        """(node) => {
            const paint = (at) => getComputedStyle(at).backgroundColor;
            let behind = node;
            while (paint(behind) === "rgba(0, 0, 0, 0)") behind = behind.parentElement;
            return [getComputedStyle(node).color, paint(behind)];
        }"""
    )
    dark, light = sorted(luminance(colour) for colour in colours)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_are_readable_in_light_and_dark(open_page: OpenPage, scheme: str) -> None:
    page = translated(open_page(color_scheme=scheme))
    shown = ["h1", ".privacy span", "#belief-words", "#attention-words", "#status", ".primary:visible"]
    shown += [
        "#fit input:checked + span",
        "#fit input:not(:checked) + span",
        "#directions input:checked + span",
    ]
    assert {selector: contrast(page, selector) for selector in shown if contrast(page, selector) < 4.5} == {}
    assert (luminance(page.evaluate("getComputedStyle(document.body).backgroundColor")) > 0.5) == (
        scheme == "light"
    )


@pytest.mark.parametrize(("motion", "still"), [("reduce", True), ("no-preference", False)])
def test_nothing_moves_for_people_who_asked_for_stillness(
    open_page: OpenPage, stand_in: StandIn, motion: str, still: bool
) -> None:
    page = open_page(reduced_motion=motion)
    assert (page.evaluate("document.getAnimations().length") == 0) == still
    stand_in.gate.clear()
    pick(page)
    page.get_by_role("button", name="Stop").wait_for()
    assert (page.evaluate("document.getAnimations().length") == 0) == still


def test_the_keyboard_reaches_every_control_and_shows_where_it_is(page: Page) -> None:
    translated(page)
    choose(page, "generator")
    page.locator("#heat[src^=blob]").wait_for()
    page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
    reached = set()
    for _ in range(30):
        page.keyboard.press("Tab")
        here = page.evaluate("document.activeElement.id || document.activeElement.name || ''")
        reached.add(here)
    wanted = {
        "direction",
        "split",
        "show-source",
        "show-translation",
        "download",
        "network",
        "opacity",
        "colormap",
    }
    assert reached >= wanted | {"download-overlay", "fit"}
    page.locator("#split").focus()
    assert page.locator(".grip").evaluate("(grip) => getComputedStyle(grip).outlineStyle") == "solid"


def test_progress_and_result_are_announced(page: Page, stand_in: StandIn) -> None:
    status = page.get_by_role("status")
    stand_in.gate.clear()
    pick(page)
    page.get_by_role("status").filter(has_text="Translating selfie to anime").wait_for(state="attached")
    stand_in.gate.set()
    status.filter(has_text="Translated in 0.41 s.").wait_for()
    assert status.get_attribute("aria-live") == "polite"


def test_the_page_says_where_photos_go(page: Page) -> None:
    assert page.get_by_text("Your photo goes to this server and nowhere else.").is_visible()


CARD = """# The *model*

Trained on **824** faces, see [the paper](https://example.org/p), not [this](javascript:0).
Second line.

## Figures

| KID | n |
|---|---|
| 11.6 | 100 |

| | |
|---|---|
| size | 128 px |

1. one
2. two

- odd `eyes`
  and hair

```
<b>code</b>
```

---

<img src=x onerror=alert(1)><script>alert(1)</script>"""
CARD_AS_SHOWN = [
    "<h3>The <em>model</em></h3>",
    "<p>Trained on <strong>824</strong> faces, see ",
    '<a href="https://example.org/p" target="_blank" rel="noopener noreferrer">the paper</a>, ',
    "not [this](javascript:0). Second line.</p>",
    "<h4>Figures</h4>",
    "<table><tbody><tr><th>KID</th><th>n</th></tr><tr><td>11.6</td><td>100</td></tr></tbody></table>",
    "<table><tbody><tr><td>size</td><td>128 px</td></tr></tbody></table>",
    "<ol><li>one</li><li>two</li></ol>",
    "<ul><li>odd <code>eyes</code> and hair</li></ul>",
    "<pre><code>&lt;b&gt;code&lt;/b&gt;</code></pre>",
    "<hr>",
    "<p>&lt;img src=x onerror=alert(1)&gt;&lt;script&gt;alert(1)&lt;/script&gt;</p>",
]


def test_the_model_card_can_be_read_and_brings_no_markup(open_page: OpenPage, stand_in: StandIn) -> None:
    stand_in.directions = [direction("selfie2anime", "selfie", "anime", card=CARD)]
    page = open_page()
    page.get_by_role("link", name="Model card").click()
    assert page.get_by_text("Research and demonstration only").is_visible()
    assert page.locator("#card").inner_html() == "".join(CARD_AS_SHOWN)


def test_two_models_for_the_same_two_domains_are_told_apart(open_page: OpenPage, stand_in: StandIn) -> None:
    stand_in.directions = [direction("small", "selfie", "anime"), direction("large", "selfie", "anime")]
    page = open_page()
    assert page.locator("#directions span").all_inner_texts() == [
        "selfie → anime · small",
        "selfie → anime · large",
    ]


def test_an_address_names_a_direction_and_reloading_keeps_it(open_page: OpenPage) -> None:
    page = open_page(query="?direction=anime2selfie")
    page.get_by_role("heading", name="Anime in. Selfie out.").wait_for()
    choose(page, "selfie2anime")
    page.get_by_role("heading", name="Selfie in. Anime out.").wait_for()
    page.reload()
    page.get_by_role("heading", name="Selfie in. Anime out.").wait_for()
    assert page.url.endswith("?direction=selfie2anime")
