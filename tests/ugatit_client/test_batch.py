"""Many photos in one call of the sync and the async client."""

from __future__ import annotations

from typing import Any

import pytest

from tests.photos import photo, pixels_of
from ugatit_client import FileTranslation, InvalidRequest, UnknownDirection, UnsupportedMediaType
from ugatit_client.batch import Batch, FileAnswer
from ugatit_client.errors import ProblemError, problem_of

PHOTOS = [photo(seed=seed) for seed in range(3)]
DONE = FileTranslation(id="a", media_type="image/png", data=b"picture")


def busy(seconds: int) -> ProblemError:
    return problem_of(503, {"retry-after": str(seconds)}, b'{"code": "queue_full", "detail": "Full."}')


def test_photos_are_answered_in_order_and_one_that_is_no_picture_has_its_problem(client: Any) -> None:
    answers = client.translate_batch([PHOTOS[0], b"no picture", *PHOTOS[1:]], "cat2dog", files_per_request=3)
    refused = answers.pop(1)
    assert isinstance(refused, UnsupportedMediaType)
    assert (refused.status, refused.code) == (415, "unsupported_format")
    for sent, answer in zip(PHOTOS, answers, strict=True):
        assert answer.media_type == "image/png"
        assert (pixels_of(answer.data) == 255 - pixels_of(sent)).all()
        assert client.attention(answer.id).data


def test_options_hold_for_all_photos_and_no_photos_need_no_request(client: Any) -> None:
    (answer,) = client.translate_batch(iter(PHOTOS[:1]), "cat2dog", format="webp", size=16, face="auto")
    assert (answer.media_type, answer.faces_found) == ("image/webp", 0)
    assert pixels_of(answer.data).shape == (16, 16, 3)
    assert client.translate_batch([], "nothing") == []


def test_refusal_of_the_whole_request_is_raised(client: Any) -> None:
    with pytest.raises(UnknownDirection):
        client.translate_batch(PHOTOS, "cat2cow")
    with pytest.raises(InvalidRequest) as raised:
        client.translate_batch([PHOTOS[0]] * 17, "cat2dog", files_per_request=17)
    assert raised.value.code == "too_many_files"
    with pytest.raises(ValueError, match="files_per_request must be above 0, got 0"):
        client.translate_batch(PHOTOS, "cat2dog", files_per_request=0)


def sent_in(batch: Batch) -> int | None:
    """Return how many photos the next request of a batch has; None without one."""
    call = batch.next_call()
    return None if call is None else (call.content or b"").count(b'name="file"')


def test_busy_files_are_sent_again_together_after_the_longest_time() -> None:
    batch = Batch([b"x"] * 5, "cat2dog", {}, deadline_seconds=60, files_per_request=2, clock=lambda: 0.0)
    rounds: list[list[FileAnswer]] = [[DONE, busy(2)], [busy(7), DONE], [DONE]]
    pauses = []
    for answers in rounds:
        assert sent_in(batch) == len(answers)
        pauses.append(batch.take(answers))
    assert pauses[:2] == [0, 0]
    assert 7 <= pauses[2] < 9
    assert sent_in(batch) == 2
    assert batch.take([DONE, DONE]) == 0
    assert sent_in(batch) is None
    assert batch.answers == [DONE] * 5


def test_busy_file_keeps_its_problem_if_the_deadline_is_nearer() -> None:
    batch = Batch([b"x"], "cat2dog", {}, deadline_seconds=3, clock=lambda: 0.0)
    assert sent_in(batch) == 1
    refused = busy(5)
    assert batch.take([refused]) == 0
    assert sent_in(batch) is None
    assert batch.answers == [refused]


def test_large_photos_are_spread_over_requests() -> None:
    large = bytes(9_000_000)
    batch = Batch([large] * 3, "cat2dog", {}, deadline_seconds=60)
    assert [sent_in(batch), sent_in(batch), sent_in(batch), sent_in(batch)] == [1, 1, 1, None]
