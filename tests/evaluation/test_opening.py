"""What a command names becomes subjects, or one sentence."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from models.bundle.errors import BundleError
from tests.tiny_bundle import write_tiny_bundle
from training.checkpoint.errors import CheckpointError
from training.evaluation.errors import EvaluationError
from training.evaluation.opening import open_subjects


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    bundles = tmp_path / "bundles"
    return write_tiny_bundle(bundles, "cat2dog"), write_tiny_bundle(bundles, "dog2cat")


def test_bundles_of_opposite_directions_are_used_for_each_others_cycle(
    tmp_path: Path, pair: tuple[Path, Path]
) -> None:
    subjects, domains = open_subjects(pair, tmp_path / "data")
    forth, back = (subject.directions[0] for subject in subjects)
    assert (forth.name, forth.source, forth.target) == ("cat2dog", "A", "B")
    assert (back.name, back.source, back.target) == ("dog2cat", "B", "A")
    assert forth.back is back.forth
    assert back.back is forth.forth
    assert domains is not None
    assert domains[:2] == ("cat", "dog")


def test_single_bundle_has_no_cycle(tmp_path: Path, pair: tuple[Path, Path]) -> None:
    subjects, _ = open_subjects(pair[:1], tmp_path / "data")
    assert subjects[0].directions[0].back is None


@pytest.mark.parametrize("folder", ["dog2cat", "dog2cat-small"])
def test_name_of_the_data_set_decides_domain_a(tmp_path: Path, pair: tuple[Path, Path], folder: str) -> None:
    subjects, _ = open_subjects(pair, tmp_path / folder)
    assert [subject.directions[0].source for subject in subjects] == ["B", "A"]


def test_a2b_flag_overrides_the_name_of_the_data_set(tmp_path: Path, pair: tuple[Path, Path]) -> None:
    subjects, _ = open_subjects(pair, tmp_path / "horse2zebra", a2b="dog2cat")
    assert [subject.directions[0].source for subject in subjects] == ["B", "A"]


def test_a_bundle_of_another_domain_than_the_data_is_refused(tmp_path: Path, pair: tuple[Path, Path]) -> None:
    with pytest.raises(
        EvaluationError,
        match=r"cat2dog translates cat to dog, but the test pictures are horse and zebra .*--a2b",
    ):
        open_subjects(pair, tmp_path / "horse2zebra")


def test_a_bundle_of_another_domain_than_the_first_one_is_refused(
    tmp_path: Path, pair: tuple[Path, Path]
) -> None:
    other = write_tiny_bundle(tmp_path / "bundles", "cat2bird")
    with pytest.raises(EvaluationError, match="cat2bird translates cat to bird"):
        open_subjects([*pair, other], tmp_path / "data")


def test_a_damaged_bundle_is_refused(tmp_path: Path, pair: tuple[Path, Path]) -> None:
    with (pair[0] / "generator.onnx").open("ab") as file:
        file.write(b"?")
    with pytest.raises(BundleError):
        open_subjects(pair, tmp_path / "data")


def test_a_bundle_whose_graph_computes_something_else_is_refused(tmp_path: Path) -> None:
    bundle = write_tiny_bundle(tmp_path, "cat2dog", canary_off_by=9)
    with pytest.raises(BundleError, match="canary"):
        open_subjects([bundle], tmp_path / "data")


def test_path_that_is_neither_run_nor_bundle_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match=r"is neither a run .* nor a bundle"):
        open_subjects([tmp_path / "nothing"], tmp_path / "data")


def test_path_given_twice_is_refused(tmp_path: Path, pair: tuple[Path, Path]) -> None:
    with pytest.raises(EvaluationError, match="is given twice"):
        open_subjects([pair[0], pair[0].parent / "." / "cat2dog"], tmp_path / "data")


def test_bundles_of_equal_names_are_named_by_their_folders(tmp_path: Path) -> None:
    old, new = (write_tiny_bundle(tmp_path / age, "cat2dog") for age in ("old", "new"))
    subjects, _ = open_subjects([old, new], tmp_path / "data")
    assert [subject.name for subject in subjects] == ["old-cat2dog", "new-cat2dog"]


def test_of_two_opposite_bundles_the_one_in_the_same_folder_is_used(tmp_path: Path) -> None:
    names = ("cat2dog", "dog2cat")
    paths = [write_tiny_bundle(tmp_path / age, name) for age in ("old", "new") for name in names]
    subjects, _ = open_subjects(paths, tmp_path / "data")
    directions = [subject.directions[0] for subject in subjects]
    assert directions[0].back is directions[1].forth
    assert directions[3].back is directions[2].forth


def test_a_run_without_checkpoints_is_one_sentence(tmp_path: Path) -> None:
    from tests.training.tiny import tiny_config

    run = tmp_path / "run"
    run.mkdir()
    config = json.loads(tiny_config().to_json())
    (run / "config.json").write_text(json.dumps({"config": config, "data": "x", "fingerprint": "x"}))
    with pytest.raises(CheckpointError):
        open_subjects([run], tmp_path / "data")


def test_bundle_returns_the_outputs_of_its_graph(tmp_path: Path, pair: tuple[Path, Path]) -> None:
    subjects, _ = open_subjects(pair, tmp_path / "data")
    pixels = np.full((2, 32, 32, 3), 55, np.uint8)
    answer = subjects[0].directions[0].forth.translate(pixels)
    assert (answer.image == 200).all()
    assert answer.attention is not None
    assert answer.attention.shape == (2, 4, 4)
