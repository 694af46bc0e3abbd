"""A small study: three models whose translations differ in brightness, and a way to answer it over HTTP."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from PIL import Image

from app.engine.runtime.runtime import open_runtime
from app.engine.runtime.session import OpenModel
from app.settings.settings import Settings
from app.study.models import read_models
from app.study.pictures import find_sources
from app.study.prepare import Plan, prepare
from app.study.study import Study
from models.bundle.canary import smooth_picture
from tests.tiny_bundle import write_tiny_bundle

BRIGHTNESS = {"dark": 0.4, "middle": 0.7, "bright": 1.0}
"""The brightness of each model's translations, by which a participant recognises a model."""

Ask = Callable[..., tuple[int, bytes]]
"""Sends method, path and body; returns status and body."""


def write_models(folder: Path, direction: str = "cat2dog") -> list[Path]:
    """Write three bundles of one direction."""
    return [
        write_tiny_bundle(folder / name, direction, brightness=brightness)
        for name, brightness in BRIGHTNESS.items()
    ]


def write_pictures(folder: Path, count: int = 5, *, size: int = 40) -> Path:
    """Write pictures of a low level, so that every negative has its model's brightness."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        picture = (smooth_picture(size, size, seed=number) // 4).astype(np.uint8)
        Image.fromarray(picture).save(folder / f"{number}.png")
    return folder


def plan_of(models: list[Path], pictures: Path, question: str | None = None) -> Plan:
    """Return the plan that the command makes."""
    read = read_models(models)
    found = find_sources(pictures, read[0].source, read[0].target, None, None)
    return Plan(read, found.pictures, question)


def open_model() -> OpenModel:
    """Return how models are opened on the CPU."""
    return open_runtime(Settings(provider="cpu")).open


def open_study(folder: Path, *, pictures: int = 5) -> Study:
    """Return a prepared study in `folder / study.db`, with its bundles and pictures beside it."""
    plan = plan_of(write_models(folder / "models"), write_pictures(folder / "pictures", pictures))
    (folder / "study.db").write_bytes(_prepared(pictures))
    return Study(prepare(folder / "study.db", plan, open_model, lambda *_: None))


@cache
def _prepared(pictures: int) -> bytes:
    """Return the database of a study that nobody has begun, which is translated once for all tests."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        plan = plan_of(write_models(folder / "models"), write_pictures(folder / "pictures", pictures))
        prepare(folder / "study.db", plan, open_model, lambda *_: None).close()
        return (folder / "study.db").read_bytes()


def recognise(jpeg: bytes) -> str:
    """Return the model that made a translation, by its brightness."""
    level = float(np.asarray(Image.open(io.BytesIO(jpeg))).mean()) / 224
    return min(BRIGHTNESS, key=lambda name: abs(BRIGHTNESS[name] - level))


class Participant:
    """A simulated participant, who knows only what the HTTP interface sends."""

    def __init__(self, ask: Ask) -> None:
        """Begin a study; `ask` sends a request."""
        self.ask = ask
        self.token = str(self.read("participants", "POST")["participant"])

    def read(self, path: str, method: str = "GET", body: Any = None) -> dict[str, Any]:
        """Send a request that must succeed; return its JSON."""
        status, answer = self.ask(method, f"/{path}", None if body is None else json.dumps(body))
        assert status in (200, 201), answer
        return dict(json.loads(answer))

    def models(self, place: int) -> list[str]:
        """Return the models of a picture in the order in which this participant sees them."""
        count = self.read(f"participants/{self.token}/pictures/{place}")["choices"]
        paths = (f"/participants/{self.token}/pictures/{place}/choices/{n}.jpg" for n in range(1, count + 1))
        return [recognise(self.ask("GET", path, None)[1]) for path in paths]

    def vote(self, place: int, choice: int) -> dict[str, Any]:
        """Vote; return the progress."""
        return self.read(f"participants/{self.token}/pictures/{place}/vote", "PUT", {"choice": choice})

    def answer_all(self, wanted: Sequence[str]) -> None:
        """Vote on every picture, in the order shown, for these models."""
        place = self.read(f"participants/{self.token}")["next"]
        for model in wanted:
            place = self.vote(place, self._find(place, model))["next"]
        assert place is None

    def _find(self, place: int, model: str) -> int:
        """Return the choice that shows a model's translation."""
        paths = (f"/participants/{self.token}/pictures/{place}/choices/{number}.jpg" for number in (1, 2, 3))
        return next(
            number
            for number, path in enumerate(paths, start=1)
            if recognise(self.ask("GET", path, None)[1]) == model
        )
