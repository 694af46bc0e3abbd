"""The errors of the engine can be sent to another process."""

from __future__ import annotations

import pickle

import pytest

from app.engine.errors import (
    AttentionGone,
    DeadlineExceeded,
    DirectionDefunct,
    Draining,
    EngineError,
    FairShare,
    NetworkDefunct,
    NoSuchNetwork,
    NoSuchPart,
    StoreUnavailable,
    UnknownDirection,
)


@pytest.mark.parametrize(
    "error",
    [
        AttentionGone(),
        DeadlineExceeded(2.5),
        DirectionDefunct("cat2dog"),
        Draining(),
        FairShare("The queue is full.", 3),
        NetworkDefunct("cat2dog"),
        NoSuchNetwork("cat2dog", "local"),
        NoSuchPart("cat2dog", "local", "average"),
        StoreUnavailable(),
        UnknownDirection("cat2cow", ["cat2dog"]),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_pickled_error_keeps_its_type_message_and_retry_time(error: EngineError) -> None:
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), str(copy), copy.__dict__) == (type(error), str(error), error.__dict__)
