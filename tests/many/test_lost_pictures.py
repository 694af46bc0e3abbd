"""Pictures whose process ended are tried once more, each alone; then they are named. No Ray is started."""

from __future__ import annotations

import importlib.util
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from app.engine.render_options import RenderOptions
from app.many.items import Item
from app.many.stages import Outcome, Work
from app.settings.settings import Settings
from app.translate_plan import Plan
from models.bundle.directory import read_bundle
from tests.tiny_bundle import write_tiny_bundle

pytestmark = [
    pytest.mark.filterwarnings("ignore"),  # Ray's own
    pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="ray is not installed"),
]

ITEMS = [Item(f"{number}.png", f"out/{number}.png", {}, 0) for number in range(10)]


class FakeStages:
    """Loses the killers, and in the first try all pictures after them."""

    def __init__(self, *killers: str, unwritable: str | None = None) -> None:
        self.killers = killers
        self.unwritable = unwritable
        self.runs: list[tuple[bool, list[str]]] = []

    def run(
        self, _work: Work, items: Sequence[Item], _translators: object, *, alone: bool
    ) -> Iterator[Outcome]:
        names = [item.source for item in items]
        self.runs.append((alone, names))
        for name in names:
            if name in self.killers and not alone:
                return
            if name not in self.killers:
                yield Outcome(name, unwritable=self.unwritable)


@pytest.fixture
def work(tmp_path: Path) -> Work:
    bundle = write_tiny_bundle(tmp_path)
    plan = Plan((), Path(), "cat2dog", "cover", RenderOptions())
    return Work(plan, Settings(bundles_dir=tmp_path), read_bundle(bundle).manifest)


def translate(work: Work, stages: FakeStages, monkeypatch: pytest.MonkeyPatch) -> list[Outcome]:
    from app.many import translate_many

    @contextmanager
    def connected() -> Iterator[Any]:
        yield io.StringIO()

    monkeypatch.setattr(translate_many, "connected", connected)
    monkeypatch.setattr(translate_many, "choose_translators", lambda wanted: wanted)
    monkeypatch.setattr(translate_many, "run_stages", stages.run)
    monkeypatch.setattr(translate_many, "_SLICE", 4)
    return translate_many.translate_many(work, ITEMS)


def test_pictures_are_translated_in_slices_and_reported_in_their_order(
    work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    stages = FakeStages()
    assert translate(work, stages, monkeypatch) == [Outcome(item.source) for item in ITEMS]
    assert [len(names) for _, names in stages.runs if names] == [4, 4, 2]


def test_lost_pictures_are_tried_alone_and_only_the_killer_is_given_up(
    work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    stages = FakeStages("5.png")
    outcomes = translate(work, stages, monkeypatch)
    failures = {each.source: each.failure for each in outcomes if each.failure is not None}
    assert failures.keys() == {"5.png"}
    assert "Its process ended twice, the second time with no other picture" in failures["5.png"]
    assert [names for alone, names in stages.runs if alone and names] == [["5.png", "6.png", "7.png"]]
    assert [each.source for each in outcomes] == [item.source for item in ITEMS]


def test_a_full_disk_ends_the_run_with_its_reason(work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    stages = FakeStages(unwritable="out/0.png cannot be written: No space left on device")
    with pytest.raises(OSError, match=r"out/0\.png cannot be written: No space left on device"):
        translate(work, stages, monkeypatch)
    assert len(stages.runs) == 1
