"""A data set without trainA says where its pictures probably are."""

from pathlib import Path

import pytest

from training.data.errors import DataError
from training.data.scan import scan


@pytest.mark.parametrize(
    ("there", "given", "remedy"),
    [
        ("selfie2anime/trainA", ".", "selfie2anime/trainA is there: give {root}/selfie2anime."),
        ("trainA", "trainA", "{root}/trainA is there: give {root}."),
        ("train_A", ".", "{root}/train_A is there: rename it to {root}/trainA."),
        ("TrainA", ".", "{root}/TrainA is there: rename it to {root}/trainA."),
        ("train-a", ".", "{root}/train-a is there: rename it to {root}/trainA."),
        ("A", ".", "{root}/A is there: rename it to {root}/trainA."),
        ("train/A", ".", "{root}/train/A is there: rename it to {root}/trainA."),
        ("cats", ".", "a data set has pictures in trainA, trainB, testA, testB."),
    ],
)
def test_a_missing_folder_points_at_the_obvious_neighbour(
    tmp_path: Path, there: str, given: str, remedy: str
) -> None:
    (tmp_path / there).mkdir(parents=True)
    with pytest.raises(DataError, match=r"There is no folder .*trainA; ") as refusal:
        scan(tmp_path / given)
    assert str(refusal.value).endswith(remedy.format(root=tmp_path))


def test_the_most_similar_name_is_named_and_hidden_ones_are_not(tmp_path: Path) -> None:
    for name in ("A", "train_A", "train-A/.git", "B", ".testA"):
        (tmp_path / name).mkdir(parents=True, exist_ok=True)
    with pytest.raises(DataError, match="train_A is there"):
        scan(tmp_path)
