"""Styles of a direction: of a seed, of a reference, and several of one photo."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest

from app.engine.directions.direction_state import State
from app.engine.errors import NoReferences, NoStyles, StyleEncoderDefunct
from app.engine.planning import PhotoRequest
from app.engine.store.entry import Entry
from app.engine.style_choice import StyleChoice
from models.bundle.canary import smooth_picture
from models.bundle.style_codes import draw_style
from models.images.errors import TooManyPixels, UnsupportedFormat
from tests.engine.conftest import MakeEngine
from tests.fake_engine import FAKE_SIZE, FAKE_STYLE, FakeModel, fake_outputs, write_fake_bundle
from tests.photos import encoded

OF_SEED_0 = [0.34939056634902954, -0.47307834029197693, 1.332201600074768, -0.2582801878452301]
"""The first numbers of its code, which no version may change."""

pytestmark = pytest.mark.anyio

PICTURE = smooth_picture(FAKE_SIZE, FAKE_SIZE, seed=7)
PHOTO = encoded(PICTURE)


def styled(**choice: object) -> PhotoRequest:
    return PhotoRequest(style=StyleChoice(**choice))  # type: ignore[arg-type]


def in_style(code: np.ndarray) -> np.ndarray:
    """Return what the fake model makes of the picture in a style."""
    return fake_outputs(PICTURE[None], code[None].astype(np.float32))["image"][0]


def assert_in_style(entry: Entry, seed: int) -> None:
    assert np.array_equal(entry.translation, in_style(draw_style(seed, FAKE_STYLE)))


def test_seed_draws_the_same_code_for_ever() -> None:
    np.testing.assert_array_equal(draw_style(0, 4), np.array(OF_SEED_0, np.float32))
    assert np.array_equal(draw_style(0, 8)[:4], draw_style(0, 4))
    assert draw_style(0, 4).dtype == np.float32


def test_codes_are_drawn_from_the_standard_normal_distribution() -> None:
    numbers = np.concatenate([draw_style(seed, 8) for seed in range(2_000)])
    assert abs(numbers.mean()) < 0.03
    assert abs(numbers.std() - 1) < 0.03
    assert abs((np.abs(numbers) < 1).mean() - 0.6827) < 0.01


@pytest.fixture
def bundles(tmp_path: Path) -> Path:
    write_fake_bundle(tmp_path / "bundles", styles=True)
    return tmp_path / "bundles"


@pytest.mark.usefixtures("bundles")
async def test_style_of_seed_0_is_the_default(make_engine: MakeEngine) -> None:
    engine = await make_engine()
    default = await engine.translate("cat2dog", PHOTO)
    chosen = await engine.translate("cat2dog", PHOTO, styled(seed=3))
    assert default.style == (0,)
    assert_in_style(default.entry, 0)
    assert chosen.style == (3,)
    assert_in_style(chosen.entry, 3)


@pytest.mark.usefixtures("bundles")
async def test_reference_gives_its_own_style(make_engine: MakeEngine) -> None:
    engine = await make_engine()
    red = np.zeros((48, 64, 3), np.uint8)
    red[..., 0] = 255
    translation = await engine.translate("cat2dog", PHOTO, styled(reference=encoded(red)))
    assert translation.style == (None,)
    assert np.array_equal(translation.entry.translation, in_style(np.array([1, 0, 0])))


@pytest.mark.usefixtures("bundles")
async def test_several_styles_take_one_permit_and_run_together(
    make_engine: MakeEngine, model: FakeModel
) -> None:
    engine = await make_engine(batch_sizes=[1, 2, 4])
    model.hold()
    work = asyncio.create_task(engine.translate("cat2dog", PHOTO, styled(seed=5, styles=4)))
    await asyncio.to_thread(model.entered.acquire)
    assert engine.registry["cat2dog"].admission.held == 4
    model.release()
    translation = await work
    assert model.batches == [4]
    each = translation.in_each_style()
    assert [one.style for one in each] == [(5,), (6,), (7,), (8,)]
    for one in each:
        assert one.style is not None
        assert one.style.seed is not None
        assert_in_style(one.entry, one.style.seed)
    assert engine.registry["cat2dog"].admission.held == 0


@pytest.mark.usefixtures("bundles")
async def test_requests_of_different_styles_share_a_run(make_engine: MakeEngine, model: FakeModel) -> None:
    engine = await make_engine(batch_sizes=[1, 2, 4], batch_wait_ms=1000)
    translations = await asyncio.gather(
        *(engine.translate("cat2dog", PHOTO, styled(seed=seed)) for seed in range(4))
    )
    assert model.batches == [4]
    for seed, translation in enumerate(translations):
        assert_in_style(translation.entry, seed)


async def test_direction_without_styles_takes_none(make_engine: MakeEngine) -> None:
    engine = await make_engine()
    assert (await engine.translate("cat2dog", PHOTO)).style is None
    for choice in (styled(seed=1), styled(styles=2), styled(reference=PHOTO)):
        with pytest.raises(NoStyles, match="cat2dog has no styles"):
            await engine.translate("cat2dog", PHOTO, choice)


async def test_bundle_without_style_encoder_takes_no_reference(
    make_engine: MakeEngine, tmp_path: Path
) -> None:
    write_fake_bundle(tmp_path / "bundles", styles=True, references=False)
    engine = await make_engine()
    assert not engine.registry["cat2dog"].status().references
    with pytest.raises(NoReferences, match="style=1"):
        await engine.translate("cat2dog", PHOTO, styled(reference=PHOTO))


@pytest.mark.usefixtures("bundles")
async def test_reference_has_the_limits_of_a_photo(make_engine: MakeEngine) -> None:
    engine = await make_engine(max_pixels=40 * 40)
    with pytest.raises(UnsupportedFormat, match="The reference cannot be used: "):
        await engine.translate("cat2dog", PHOTO, styled(reference=b"GIF? no"))
    with pytest.raises(TooManyPixels, match="The reference cannot be used: "):
        await engine.translate("cat2dog", PHOTO, styled(reference=encoded(smooth_picture(64, 64, seed=1))))


@pytest.mark.usefixtures("bundles")
async def test_broken_style_encoder_leaves_seeds_working(make_engine: MakeEngine, model: FakeModel) -> None:
    engine = await make_engine()
    await engine.translate("cat2dog", PHOTO, styled(reference=PHOTO))  # opens the style encoder
    direction = engine.registry["cat2dog"]
    assert direction.status().references
    model.failures = 2
    with pytest.raises(StyleEncoderDefunct, match="by a seed"):
        await engine.translate("cat2dog", PHOTO, styled(reference=PHOTO))
    assert direction.state is State.DEGRADED
    assert "Its style encoder does not work" in str(direction.reason)
    assert not direction.status().references
    assert (await engine.translate("cat2dog", PHOTO, styled(seed=2))).style == (2,)


@pytest.mark.usefixtures("bundles")
async def test_reload_serves_the_styles_of_the_new_version(make_engine: MakeEngine, bundles: Path) -> None:
    engine = await make_engine()
    await engine.translate("cat2dog", PHOTO, styled(reference=PHOTO))
    write_fake_bundle(bundles, styles=True, references=False, card=b"# Another\n")
    await engine.registry["cat2dog"].load()
    assert (await engine.translate("cat2dog", PHOTO, styled(seed=1))).style == (1,)
    with pytest.raises(NoReferences):
        await engine.translate("cat2dog", PHOTO, styled(reference=PHOTO))
