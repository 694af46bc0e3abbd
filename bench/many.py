"""Measure `ugatit translate --engine ray`: pictures a second, and the memory of all its processes over time.

    python -m bench.many --pictures 20000

Small pictures and a small model of 32 px: what is measured is the way of a picture through the stages.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from bench.service import DIRECTION, write_random_bundle

_PAGE = os.sysconf("SC_PAGE_SIZE")
_MB = 1e6


class Sample(NamedTuple):
    """One moment of a run."""

    seconds: float
    done: int
    driver_bytes: int
    workers_bytes: int
    """Memory of the largest process that works on pictures, without what it shares."""
    all_bytes: int
    """Memory of all processes of the run together, without what they share."""


def main() -> None:
    """Print a line for each share of the pictures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pictures", type=int, default=20_000)
    parser.add_argument("--lines", type=int, default=10)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write_random_bundle(root / "bundles", size=32, channels=4)
        _write_pictures(root / "photos", arguments.pictures)
        print("share  pictures  seconds  driver MB  largest worker MB  all MB", flush=True)
        next_line = 1
        for sample in _run(root):
            while (
                next_line <= arguments.lines
                and sample.done >= next_line * arguments.pictures / arguments.lines
            ):
                _print(sample, arguments.pictures)
                next_line += 1


def _print(sample: Sample, pictures: int) -> None:
    sizes = (sample.driver_bytes, sample.workers_bytes, sample.all_bytes)
    driver, worker, all_ = (round(size / _MB) for size in sizes)
    share = sample.done / pictures
    print(
        f"{share:5.0%}  {sample.done:8,}  {sample.seconds:7.0f}  {driver:9}  {worker:17}  {all_:6}",
        flush=True,
    )


def _write_pictures(folder: Path, count: int) -> None:
    folder.mkdir()
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    for number in range(count):
        Image.fromarray(np.roll(pixels, number, axis=1)).save(folder / f"{number:07}.jpg")


def _run(root: Path) -> Iterator[Sample]:
    out = root / "out"
    words = ["translate", str(root / "photos"), f"--direction={DIRECTION}", f"--out={out}", "--engine=ray"]
    started = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "app", *words, f"--bundles={root / 'bundles'}"], stderr=subprocess.DEVNULL
    )
    while process.poll() is None:
        time.sleep(2)
        done = sum(1 for each in os.scandir(out) if ".overlay." not in each.name) if out.exists() else 0
        memory = _memory_of_children(process.pid)
        workers = [size for name, size in memory.values() if name.startswith("ray::")]
        driver = memory.get(process.pid, ("", 0))[1]
        total = sum(size for _, size in memory.values())
        yield Sample(time.monotonic() - started, done, driver, max(workers, default=0), total)
    if process.returncode:
        sys.exit(f"The command ended with {process.returncode}.")


def _memory_of_children(root: int) -> dict[int, tuple[str, int]]:
    """Return name and unshared memory of a process and of all below it, by their numbers."""
    parents: dict[int, int] = {}
    found: dict[int, tuple[str, int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "stat").read_text().rpartition(")")[2].split()
            resident, shared = map(int, (folder / "statm").read_text().split()[1:3])
            name = (folder / "cmdline").read_bytes().split(b"\0")[0].decode(errors="replace")
        except OSError:  # it has ended
            continue
        parents[int(folder.name)] = int(words[1])
        found[int(folder.name)] = name, (resident - shared) * _PAGE
    family = {root}
    while below := {child for child, parent in parents.items() if parent in family} - family:
        family |= below
    return {number: found[number] for number in family if number in found}


if __name__ == "__main__":
    main()
