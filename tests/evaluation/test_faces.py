"""Attention in faces: which source pictures count, and which box of them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from models.images.frame import Box
from tests.evaluation.making import Colours, draw_data
from tests.faces.scenes import portrait, scene
from tests.tiny_bundle import write_tiny_bundle
from tests.training.command import typed
from training.evaluation.faces import face_finder


def test_evaluation_reports_attention_in_the_sources_that_show_a_face(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.commands.evaluate.choose_extractor", lambda *_, **__: (Colours(), None))
    data = draw_data(tmp_path / "data")
    for number in range(2):
        portrait().rotate(10 * number).save(data / "testA" / f"face-{number}.png")
    bundles = [write_tiny_bundle(tmp_path, name, size=64) for name in ("cat2dog", "dog2cat")]
    code, out, error = typed("evaluate", *bundles, "--data", data, "--json", tmp_path / "figures.json")
    assert (code, error) == (0, "")
    rows = json.loads((tmp_path / "figures.json").read_text())["rows"]
    (row,) = [row for row in rows if row["metric"] == "attention-in-face"]  # no face in testB
    assert (row["direction"], row["n_sources"]) == ("cat2dog", 2)
    assert 0 < row["value"] < 1
    assert "attention-in-face" in out


def test_box_covers_the_largest_face_inside_the_picture() -> None:
    pixels = scene((28, 240), side=160)
    box = face_finder()(pixels)
    assert box is not None
    assert box.left == 0
    assert (box.right, box.top, box.bottom) == pytest.approx((80, 180, 318), abs=16)


def test_picture_without_a_face_has_no_box() -> None:
    assert face_finder()(np.full((64, 64, 3), 90, np.uint8)) is None
    assert isinstance(face_finder()(np.asarray(portrait().resize((64, 64), Image.Resampling.BOX))), Box)
