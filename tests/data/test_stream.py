"""Test the stream of batches."""

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from tests.data.making import CONFIG, SOME, scanned
from training.data.config import DataConfig
from training.data.errors import DataError
from training.data.scan import ScanResult
from training.data.stream import Stream


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> ScanResult:
    return scanned(tmp_path_factory.mktemp("data"))


def taken(stream: Stream, *sizes: int) -> dict[str, Tensor]:
    """Return all samples of the next batches, in order."""
    batches = [stream.next_batch(size) for size in sizes]
    return {domain: torch.cat([batch[domain] for batch in batches]) for domain in ("A", "B")}


def equal(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def reference(pictures: ScanResult, count: int, seed: int = 3) -> dict[str, Tensor]:
    """Return the samples without threads and cache, one by one."""
    with Stream(pictures, replace(CONFIG, workers=0, cache_bytes=0), seed=seed) as stream:
        return taken(stream, *[1] * count)


@pytest.mark.parametrize("workers", [0, 1, 3])
@pytest.mark.parametrize("cache_bytes", [0, 4000, 10**6])
def test_threads_cache_and_batch_size_do_not_change_samples(
    pictures: ScanResult, workers: int, cache_bytes: int
) -> None:
    config = replace(CONFIG, workers=workers, cache_bytes=cache_bytes)
    with Stream(pictures, config, seed=3) as stream:
        assert equal(taken(stream, 4, 4, 3, 9, 1, 1), reference(pictures, 22))


def test_another_seed_gives_another_order(pictures: ScanResult) -> None:
    assert not equal(reference(pictures, 10), reference(pictures, 10, seed=4))


def test_batches_are_float32_from_minus_1_to_1(pictures: ScanResult) -> None:
    with Stream(pictures, CONFIG, seed=3) as stream:
        batch = stream.next_batch(6)
    for domain in ("A", "B"):
        assert batch[domain].dtype == torch.float32
        assert batch[domain].shape == (6, 3, 16, 16)
        assert batch[domain].is_contiguous()
        levels = (batch[domain].double() + 1) * 127.5
        assert torch.allclose(levels, levels.round(), atol=1e-5)
        assert levels.min() >= 0
        assert levels.max() <= 255
        assert levels.std() > 20


def test_every_epoch_shows_each_picture_once_in_another_order(pictures: ScanResult) -> None:
    config = replace(CONFIG, resize_margin=0, flip_probability=0.0)
    with Stream(pictures, config, seed=3) as stream:
        samples = taken(stream, *[1] * 4 * 35)
    for domain, count in (("A", SOME["trainA"]), ("B", SOME["trainB"])):
        shown = [picture.numpy().tobytes() for picture in samples[domain]]
        epochs = [tuple(shown[start : start + count]) for start in range(0, 35, count)]
        assert {frozenset(epoch) for epoch in epochs} == {frozenset(shown)}
        assert len(set(shown)) == count
        assert len(set(epochs)) > 1


def test_a_picture_looks_different_in_another_epoch(pictures: ScanResult) -> None:
    samples = reference(pictures, 4 * SOME["trainA"])["A"]
    assert len({picture.numpy().tobytes() for picture in samples}) > 2 * SOME["trainA"]


@pytest.mark.parametrize("workers", [0, 2])
def test_resumed_stream_equals_an_uninterrupted_one(pictures: ScanResult, workers: int) -> None:
    config = replace(CONFIG, workers=workers, prefetch_batches=5)
    with Stream(pictures, config, seed=3) as stream:
        taken(stream, 4, 4, 1)
        state = stream.state_dict()
    assert state == {"A": 9, "B": 9}  # what was handed out, not what was prepared
    with Stream(pictures, config, seed=3) as stream:
        taken(stream, 2)  # what it prepared after these is not what is asked for
        stream.load_state_dict(state)
        resumed = taken(stream, 4, 4)
    whole = reference(pictures, 17)
    assert equal(resumed, {domain: samples[9:] for domain, samples in whole.items()})


def test_each_domain_has_its_own_cursor(pictures: ScanResult) -> None:
    with Stream(pictures, CONFIG, seed=3) as stream:
        stream.load_state_dict({"A": 2, "B": 6})
        batch = stream.next_batch(3)
        assert stream.state_dict() == {"A": 5, "B": 9}
    whole = reference(pictures, 9)
    assert equal(batch, {"A": whole["A"][2:5], "B": whole["B"][6:9]})


def test_two_processes_together_get_the_batch_of_one(pictures: ScanResult) -> None:
    with (
        Stream(pictures, CONFIG, seed=3, rank=0, world_size=2) as first,
        Stream(pictures, CONFIG, seed=3, rank=1, world_size=2) as second,
        Stream(pictures, CONFIG, seed=3) as alone,
    ):
        for _ in range(5):
            halves, whole = (first.next_batch(2), second.next_batch(2)), alone.next_batch(4)
            assert equal({name: torch.cat([half[name] for half in halves]) for name in whole}, whole)
            assert first.state_dict() == second.state_dict() == alone.state_dict()


def test_cached_pictures_are_read_once(tmp_path: Path) -> None:
    pictures = scanned(tmp_path)
    with Stream(pictures, CONFIG, seed=3) as stream:
        taken(stream, 7)  # an epoch of the larger domain
        for path in (*pictures.train["A"], *pictures.train["B"]):
            path.unlink()
        taken(stream, 7, 7)


@pytest.mark.parametrize("spoil", [Path.unlink, lambda path: path.write_bytes(b"\x89PNG\r\n\x1a\n")])
@pytest.mark.parametrize("workers", [0, 2])
def test_lost_picture_is_named_by_next_batch(
    tmp_path: Path, workers: int, spoil: Callable[[Path], object]
) -> None:
    pictures = scanned(tmp_path)
    expected = reference(pictures, 14)
    lost = pictures.train["B"][3]
    content = lost.read_bytes()
    spoil(lost)
    with Stream(pictures, replace(CONFIG, workers=workers), seed=3) as stream:
        with pytest.raises(DataError, match=r"trainB.003\.png could be read at the start and no longer can"):
            taken(stream, *[1] * 7)
        handed_out = stream.state_dict()["B"]
        lost.write_bytes(content)  # and the stream goes on where it was
        rest = taken(stream, *[1] * (14 - handed_out))
    assert equal(rest, {domain: samples[handed_out:] for domain, samples in expected.items()})


def test_close_stops_all_threads(pictures: ScanResult) -> None:
    before = set(threading.enumerate())
    with Stream(pictures, replace(CONFIG, workers=3, prefetch_batches=8), seed=3) as stream:
        stream.next_batch(16)
        assert set(threading.enumerate()) > before
    assert set(threading.enumerate()) == before


def test_close_after_a_failure_stops_all_threads(tmp_path: Path) -> None:
    pictures = scanned(tmp_path)
    for path in pictures.train["A"]:
        path.unlink()
    before = set(threading.enumerate())
    with pytest.raises(DataError), Stream(pictures, CONFIG, seed=3) as stream:
        stream.next_batch(4)
    assert set(threading.enumerate()) == before


def test_zero_workers_start_no_thread(pictures: ScanResult) -> None:
    before = set(threading.enumerate())
    with Stream(pictures, replace(CONFIG, workers=0), seed=3) as stream:
        stream.next_batch(4)
        assert set(threading.enumerate()) == before


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"size": 0}, "data.size must be at least 1, got 0."),
        ({"resize_margin": -1}, "data.resize_margin must be at least 0, got -1."),
        ({"flip_probability": 1.5}, "data.flip_probability must be between 0 and 1, got 1.5."),
    ],
)
def test_invalid_config_values_are_refused(wrong: dict[str, Any], sentence: str) -> None:
    with pytest.raises(DataError, match=sentence):
        DataConfig(**wrong)
