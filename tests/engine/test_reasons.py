"""Reasons for clients contain no absolute paths."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.engine.directions.reasons import without_folders


@pytest.mark.parametrize(
    ("sentence", "shown"),
    [
        ("/srv/my models/cats holds a link.", "cats holds a link."),
        ("It could not be loaded: [Errno 13] Permission denied: '/srv/a b/c'", "'c'"),
        ('Load model from "/x/y z/generator.onnx" failed', 'Load model from "generator.onnx" failed'),
        ("Load model from:/x/y/generator.onnx failed", "Load model from:generator.onnx failed"),
        ("/onnxruntime_src/core/graph.cc:123 Shape mismatch", "graph.cc:123 Shape mismatch"),
        ("generator.onnx in /srv/my models/cats, or /tmp/x.", "generator.onnx in cats, or x."),
    ],
)
def test_an_absolute_path_is_cut_to_its_last_part(sentence: str, shown: str) -> None:
    assert shown in without_folders(sentence, Path("/srv/my models"))
    assert "srv" not in without_folders(sentence, Path("/srv/my models"))


@pytest.mark.parametrize(
    "sentence",
    ["GET /directions gives the reason.", "See https://example.org/a/b.", "1/2 of 3/4", "and/or", "a / b"],
)
def test_text_without_paths_is_unchanged(sentence: str) -> None:
    assert without_folders(sentence, Path("/srv")) == sentence
