"""Styles by the sync and the async client."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.fake_engine import write_fake_bundle
from tests.photos import photo, pixels_of
from ugatit_client import InvalidRequest

PHOTO = photo()


@pytest.fixture
def bundles(tmp_path: Path) -> None:
    write_fake_bundle(tmp_path / "bundles", styles=True)


@pytest.mark.usefixtures("bundles")
def test_style_is_chosen_by_a_seed_or_by_a_reference(client: Any, tmp_path: Path) -> None:
    styles = client.directions()["cat2dog"].styles
    assert (styles.reference, styles.default_seed) == (True, 0)
    chosen = client.translate(PHOTO, "cat2dog", style=5)
    assert chosen.style.seed == 5
    several = client.translate(PHOTO, "cat2dog", style=4, styles=2)
    assert [each.seed for each in several.styles] == [4, 5]
    assert (pixels_of(several.styles[1].image.data) == pixels_of(chosen.image.data)).all()

    (tmp_path / "reference.png").write_bytes(photo(seed=9))
    like = client.translate(PHOTO, "cat2dog", reference=tmp_path / "reference.png")
    assert like.style.seed is None
    assert like.image.data != chosen.image.data
    with pytest.raises(InvalidRequest, match="reference"):
        client.translate(PHOTO, "cat2dog", reference=PHOTO, style=1)
