"""Test the suggestions for a data set without trainA."""

from pathlib import Path

import pytest

from training.data.errors import DataError
from training.data.scan import scan


@pytest.mark.parametrize(
    ("there", "given", "remedy"),
    [
        ("selfie2anime/trainA", ".", "selfie2anime/trainA exists: give {root}/selfie2anime."),
        ("trainA", "trainA", "{root}/trainA exists: give {root}."),
        ("train_A", ".", "{root}/train_A exists: rename it to {root}/trainA."),
        ("TrainA", ".", "{root}/TrainA exists: rename it to {root}/trainA."),
        ("train-a", ".", "{root}/train-a exists: rename it to {root}/trainA."),
        ("A", ".", "{root}/A exists: rename it to {root}/trainA."),
        ("train/A", ".", "{root}/train/A exists: rename it to {root}/trainA."),
        ("cats", ".", "a data set has pictures in trainA, trainB, testA, testB."),
    ],
)
def test_missing_folder_suggests_a_similar_one(tmp_path: Path, there: str, given: str, remedy: str) -> None:
    (tmp_path / there).mkdir(parents=True)
    with pytest.raises(DataError, match=r"There is no folder .*trainA; ") as refusal:
        scan(tmp_path / given)
    assert str(refusal.value).endswith(remedy.format(root=tmp_path))


def test_suggestion_is_the_most_similar_name_and_never_a_hidden_folder(tmp_path: Path) -> None:
    for name in ("A", "train_A", "train-A/.git", "B", ".testA"):
        (tmp_path / name).mkdir(parents=True, exist_ok=True)
    with pytest.raises(DataError, match="train_A exists"):
        scan(tmp_path)
