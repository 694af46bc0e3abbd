"""Recall, false finds and time of face detectors on composed photos.

python -m bench.faces FACES BACKGROUNDS [--scenes 60 --rounds 5 --json]

FACES and BACKGROUNDS are folders of pictures: aligned faces that fill a square, and anything without faces.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from rich.console import Console
from rich.table import Table

from bench.face_contenders import Detect, contenders
from bench.face_scenes import Scene, SceneMaker, TrueFace
from bench.harness import machine
from models.faces.face import FaceBox

_SAME: Final = 0.4
"""A find is a face if both boxes share this much of their union: detectors differ in how tight they draw."""
_TWELVE_MEGAPIXELS: Final = (4000, 3000)


@dataclass
class Tally:
    """What one detector found."""

    true: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    finds: int = 0
    """In the scenes with faces."""
    false: int = 0
    """Of these, those that are no face or a face that was found already."""
    in_empty: int = 0
    """Finds in pictures without faces."""
    seconds: list[float] = field(default_factory=list)
    """Processor time for photos of 12 megapixels."""


def main() -> None:
    """Measure and print."""
    arguments = _arguments()
    maker = SceneMaker(_pictures(arguments.faces), _pictures(arguments.backgrounds), arguments.seed)
    detectors = contenders()
    tallies = {name: Tally() for name in detectors}
    for number in range(arguments.scenes):
        scene, empty = maker.scene(number), maker.empty(number)
        for name, detect in detectors.items():
            _count(tallies[name], scene, detect(scene.pixels))
            tallies[name].in_empty += len(detect(empty))
    for number in range(arguments.rounds):
        photo = _enlarged(maker.scene(number).pixels)
        for name, detect in detectors.items():
            tallies[name].seconds.append(_fastest(detect, photo))
    _report(tallies, arguments)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("faces", type=Path)
    parser.add_argument("backgrounds", type=Path)
    parser.add_argument("--scenes", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=5, help="photos of 12 megapixels to time")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser.parse_args()


def _pictures(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in {".jpg", ".jpeg", ".png"})


def _count(tally: Tally, scene: Scene, finds: Sequence[FaceBox]) -> None:
    left = list(finds)
    for face in scene.faces:
        tally.true[face.kind] += 1
        best = max(left, key=lambda box: _shared(box, face, scene.pixels), default=None)
        if best is not None and _shared(best, face, scene.pixels) >= _SAME:
            tally.found[face.kind] += 1
            left.remove(best)
    tally.finds += len(finds)
    tally.false += len(left)


def _shared(box: FaceBox, face: TrueFace, pixels: NDArray[np.uint8]) -> float:
    """Return the shared area over the union, with the whole face or with its part inside the photo."""
    height, width = pixels.shape[:2]
    return max(
        _overlap(box, face.box), _overlap(_inside(box, height, width), _inside(face.box, height, width))
    )


def _inside(box: FaceBox, height: int, width: int) -> FaceBox:
    left, top = max(0.0, box.x), max(0.0, box.y)
    right, bottom = min(width, box.x + box.width), min(height, box.y + box.height)
    return FaceBox(left, top, right - left, bottom - top)


def _overlap(one: FaceBox, other: FaceBox) -> float:
    width = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
    height = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
    shared = max(0.0, width) * max(0.0, height)
    return shared / (one.width * one.height + other.width * other.height - shared)


def _enlarged(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(Image.fromarray(pixels).resize(_TWELVE_MEGAPIXELS, Image.Resampling.BICUBIC))


def _fastest(detect: Detect, photo: NDArray[np.uint8]) -> float:
    """Return the least processor time of three runs: other work on the machine only adds to it."""
    times = []
    for _ in range(3):
        start = time.process_time()
        detect(photo)
        times.append(time.process_time() - start)
    return min(times)


def _report(tallies: dict[str, Tally], arguments: argparse.Namespace) -> None:
    kinds = sorted({kind for tally in tallies.values() for kind in tally.true})
    rows = {name: _row(tally, kinds, arguments.scenes) for name, tally in tallies.items()}
    if arguments.json:
        print(json.dumps({"machine": machine(), "detectors": rows}, ensure_ascii=False))
        return
    table = Table(title=f"{arguments.scenes} photos of faces, {arguments.scenes} without")
    table.add_column("")
    for name in rows:
        table.add_column(name, justify="right")
    for key in next(iter(rows.values())):
        table.add_row(key, *(str(row[key]) for row in rows.values()))
    Console().print(table)


def _row(tally: Tally, kinds: Sequence[str], scenes: int) -> dict[str, Any]:
    recalls = {
        f"recall, {kind} ({tally.true[kind]})": f"{tally.found[kind] / tally.true[kind]:.1%}"
        for kind in kinds
    }
    times = np.array(tally.seconds) * 1000
    return {
        **recalls,
        "false finds": f"{tally.false / max(1, tally.finds):.1%}",
        f"finds in {scenes} photos without faces": tally.in_empty,
        "12 megapixels, ms of one core": f"{np.median(times):.0f}" if len(times) else "",
    }


if __name__ == "__main__":
    main()
