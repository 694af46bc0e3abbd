"""Requests of several faces in the engine: cancelled, beside other clients, and as values."""

from __future__ import annotations

import asyncio
import pickle

import numpy as np
import pytest

from app.engine.errors import NoFaceFound
from app.engine.face_choice import FaceChoice
from app.engine.local_engine import LocalEngine
from app.engine.planning import PhotoRequest
from app.engine.translation import TranslationResult
from tests.engine.conftest import MakeEngine, entered, until
from tests.faces.scenes import scene
from tests.fake_engine import FakeModel
from tests.photos import encoded, photo

pytestmark = pytest.mark.anyio

FOUR = encoded(scene((130, 120), (480, 120), (130, 360), (480, 360), side=140))
ALL = PhotoRequest(face=FaceChoice("all"))


def translating(engine: LocalEngine, client: str = "") -> asyncio.Task[TranslationResult]:
    return asyncio.create_task(engine.translate("cat2dog", FOUR, ALL, client=client))


async def test_faces_of_one_photo_run_in_one_batch(make_engine: MakeEngine, model: FakeModel) -> None:
    engine = await make_engine(batch_sizes=[1, 2, 4, 8])
    translation = await translating(engine)
    assert model.batches == [4]
    assert translation.batch == 4


async def test_a_client_that_leaves_takes_all_its_faces_out_of_the_queue(
    make_engine: MakeEngine, model: FakeModel
) -> None:
    engine = await make_engine()
    model.hold()
    task = translating(engine)
    await entered(model)
    assert engine.registry["cat2dog"].admission.held == 4
    assert engine.registry["cat2dog"].queued == 3
    task.cancel()
    await until(lambda: engine.registry["cat2dog"].admission.held == 0)
    assert engine.registry["cat2dog"].queued == 0
    await engine.translate("cat2dog", photo())
    assert model.batches == [1, 1]


async def test_another_client_is_served_between_the_faces_of_a_photo(
    make_engine: MakeEngine, model: FakeModel
) -> None:
    engine = await make_engine()
    model.hold()
    faces = translating(engine, "crowd")
    await entered(model)
    other = asyncio.create_task(engine.translate("cat2dog", photo(), client="other"))
    await until(lambda: engine.registry["cat2dog"].queued == 4)
    model.release()
    await other
    assert not faces.done()
    assert len((await faces).entry.crops) == 4


async def test_a_refusal_for_want_of_a_face_returns_its_permit(make_engine: MakeEngine) -> None:
    engine = await make_engine()
    with pytest.raises(NoFaceFound):
        await engine.translate("cat2dog", photo(200, 200), ALL)
    assert engine.registry["cat2dog"].admission.held == 0


async def test_a_translation_of_faces_is_a_value_that_can_be_sent_to_another_process(
    make_engine: MakeEngine,
) -> None:
    engine = await make_engine()
    translation = await translating(engine)
    again = pickle.loads(pickle.dumps(translation))
    assert again.faces == translation.faces
    assert again.quality == translation.quality
    assert np.array_equal(again.entry.scene.pixels, translation.entry.scene.pixels)
    assert pickle.loads(pickle.dumps(ALL)) == ALL
