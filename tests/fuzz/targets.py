"""The common part of the fuzzing targets: seeds in a folder, libFuzzer's options, the loop."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

import atheris


def fuzz(one_input: Callable[[bytes], None], seeds: Iterable[bytes], options: Iterable[str] = ()) -> None:
    """Feed a target until `-runs` are over; what it raises ends the process, and libFuzzer writes the input.

    The command line's arguments are libFuzzer's: `-runs=100000 -seed=7 FOLDER`.
    """
    with tempfile.TemporaryDirectory() as folder:
        for number, seed in enumerate(seeds):
            (Path(folder) / f"{number:03}").write_bytes(seed)
        # One input may take ten seconds at the very most, and memory for fifty megapixels.
        bounds = ["-timeout=10", "-rss_limit_mb=3000", "-max_len=8192", "-verbosity=1", *options]
        atheris.Setup([sys.argv[0], *bounds, *sys.argv[1:], folder], one_input)
        atheris.Fuzz()


def check_sentence(refusal: Exception) -> None:
    """Check that a refusal is one short line for people."""
    sentence = str(refusal)
    assert sentence.endswith(".")
    assert "\n" not in sentence
    assert len(sentence) < 1000
