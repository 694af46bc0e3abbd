"""Test the list of directions and the model card."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.page.fake_service import direction
from tests.page.photos import choose

if TYPE_CHECKING:
    from tests.page.conftest import OpenPage
    from tests.page.fake_service import FakeService

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


def test_model_card_is_rendered_without_its_html(open_page: OpenPage, fake_service: FakeService) -> None:
    fake_service.directions = [direction("selfie2anime", "selfie", "anime", card=CARD)]
    page = open_page()
    page.get_by_role("link", name="Model card").click()
    assert page.get_by_text("Research and demonstration only").is_visible()
    assert page.locator("#card").inner_html() == "".join(CARD_AS_SHOWN)


def test_two_models_of_the_same_domains_show_their_names(
    open_page: OpenPage, fake_service: FakeService
) -> None:
    fake_service.directions = [direction("small", "selfie", "anime"), direction("large", "selfie", "anime")]
    page = open_page()
    assert page.locator("#directions span").all_inner_texts() == [
        "selfie → anime · small",
        "selfie → anime · large",
    ]


def test_address_chooses_the_direction_and_reloading_keeps_it(open_page: OpenPage) -> None:
    page = open_page(query="?direction=anime2selfie")
    page.get_by_role("heading", name="Anime in. Selfie out.").wait_for()
    choose(page, "selfie2anime")
    page.get_by_role("heading", name="Selfie in. Anime out.").wait_for()
    page.reload()
    page.get_by_role("heading", name="Selfie in. Anime out.").wait_for()
    assert page.url.endswith("?direction=selfie2anime")
