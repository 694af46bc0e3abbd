"""What discriminators see can be changed at random, with gradients; a run with it still resumes exactly."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from models.networks.config import ConfigError
from tests.training.command import SMALL, data_set, typed
from tests.training.method_runs import assert_resumes_bit_for_bit
from training.checkpoint.read import load_newest
from training.methods.differentiable_augmentation import DiscriminatorAugmentation

ALL = DiscriminatorAugmentation(brightness=0.3, saturation=0.5, contrast=0.3, shift=0.125)
SET = tuple(
    f"--set=ugatit.discriminator_augmentation.{name}"
    for name in ("brightness=0.3", "contrast=0.3", "shift=0.125")
)


def pictures(count: int = 4, side: int = 16) -> torch.Tensor:
    return torch.rand(count, 3, side, side, generator=torch.Generator().manual_seed(1)) * 2 - 1


def test_without_changes_the_pictures_stay_as_they_are() -> None:
    state = torch.get_rng_state()
    assert torch.equal(DiscriminatorAugmentation()(batch := pictures()), batch)
    assert torch.equal(torch.get_rng_state(), state)


def test_each_picture_is_changed_in_its_own_way_and_the_same_with_the_same_seed() -> None:
    same = pictures(1).expand(3, -1, -1, -1)
    torch.manual_seed(0)
    changed = ALL(same)
    torch.manual_seed(0)
    assert torch.equal(ALL(same), changed)
    assert not torch.equal(changed[0], changed[1])
    assert not torch.equal(changed[1], changed[2])


def test_brightness_adds_at_most_its_amount() -> None:
    off = DiscriminatorAugmentation(brightness=0.3)(batch := pictures(64)) - batch
    assert 0.25 < off.abs().max() <= 0.3 + 1e-6
    assert torch.allclose(off, off[:, :1, :1, :1].expand_as(off), atol=1e-6)


def test_contrast_and_saturation_keep_their_means() -> None:
    batch = pictures()
    contrast = DiscriminatorAugmentation(contrast=0.5)(batch)
    assert torch.allclose(contrast.mean((1, 2, 3)), batch.mean((1, 2, 3)), atol=1e-6)
    saturation = DiscriminatorAugmentation(saturation=0.5)(batch)
    assert torch.allclose(saturation.mean(1), batch.mean(1), atol=1e-6)


def test_shift_moves_by_whole_pixels_and_reflects_the_edges() -> None:
    ramp = torch.arange(16.0).expand(8, 3, 16, 16)
    moved = DiscriminatorAugmentation(shift=0.25)(ramp)
    for each in moved:
        row = each[0, 0]
        by = int(row[8]) - 8
        assert abs(by) <= 4
        expected = [abs(x) if x < 16 else 30 - x for x in range(by, 16 + by)]
        assert row.tolist() == expected
    assert len({int(each[0, 0, 8]) for each in moved}) > 1


def test_gradients_reach_the_picture() -> None:
    batch = pictures().requires_grad_()
    ALL(batch).sum().backward()
    assert batch.grad is not None
    assert (batch.grad != 0).any((1, 2, 3)).all()


@pytest.mark.parametrize(("name", "value"), [("shift", 0.6), ("contrast", 1.1), ("brightness", -0.1)])
def test_amount_out_of_range_is_refused(name: str, value: float) -> None:
    with pytest.raises(ConfigError, match=f"discriminator_augmentation.{name} must be from 0 to"):
        DiscriminatorAugmentation(**{name: value})


def test_a_run_with_augmentation_resumes_bit_for_bit(tmp_path: Path) -> None:
    flags = (*SMALL, *SET, "--set=average_decay=0.9", "--save-every=2")
    assert_resumes_bit_for_bit("ugatit", data_set(tmp_path / "data"), tmp_path, *flags, steps=4)


def test_augmentation_changes_the_training_step(tmp_path: Path) -> None:
    data = data_set(tmp_path / "data")
    weights = []
    for name, changes in (("with", SET), ("without", ())):
        more = (*SMALL, *changes, "--set=ugatit.decay_from=1", "--steps=1")
        code, _, error = typed("fit", "--data", data, "--out", tmp_path / name, *more)
        assert (code, error) == (0, "")
        tensors = load_newest(tmp_path / name / "checkpoints")[0].tensors["networks"]
        weights.append(tensors["disGA/features.1.parametrizations.weight.original"])
    assert not torch.equal(*weights)
