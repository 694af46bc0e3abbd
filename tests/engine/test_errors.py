"""The errors of the engine can be sent to another process."""

from __future__ import annotations

import pickle
from collections.abc import Iterator

import pytest

from app.engine import errors
from app.engine.errors import EngineError

EXAMPLES = [
    errors.AttentionGone(),
    errors.Cancelled(),
    errors.DeadlineExceeded(2.5),
    errors.DirectionDefunct("cat2dog"),
    errors.Draining(),
    errors.FairShare("You hold your fair share.", 3),
    errors.Loading("The direction cat2dog is still loading.", 5),
    errors.NetworkDefunct("cat2dog", "discriminators", "request the generator's heat map"),
    errors.NoFaceFound("No face was found."),
    errors.NoNativeFit("fit=native is turned off."),
    errors.NoReferences("cat2dog"),
    errors.NoStyles("cat2dog"),
    errors.NoSuchFrame(3, 2),
    errors.NoOpposite("cat2dog", "dog2cat"),
    errors.NoSuchFace(2, 1),
    errors.NoSuchNetwork("cat2dog", "local"),
    errors.NoSuchPart("cat2dog", "local", "average"),
    errors.QueueFull("The queue is full.", 2),
    errors.StoreUnavailable(),
    errors.StyleEncoderDefunct("cat2dog"),
    errors.UnknownDirection("cat2cow", ["cat2dog"]),
]


def leaves(kind: type[EngineError]) -> Iterator[type[EngineError]]:
    """Yield the errors that are raised: those without subclasses."""
    if not kind.__subclasses__():
        yield kind
    for each in kind.__subclasses__():
        yield from leaves(each)


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: type(error).__name__)
def test_a_pickled_error_keeps_its_type_message_and_retry_time(error: EngineError) -> None:
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), str(copy), copy.__dict__) == (type(error), str(error), error.__dict__)


def test_every_error_of_the_engine_is_an_example() -> None:
    own = {kind for kind in leaves(EngineError) if kind.__module__ == errors.__name__}
    assert {type(each) for each in EXAMPLES} == own
