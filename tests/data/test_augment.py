"""Test the augmentation of pictures."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from tests.data.making import CONFIG, drawn, scanned
from training.data.augment import Draw, draw, flip_and_crop, resize, resized_side
from training.data.folder import Domain
from training.data.random_draws import picture_index
from training.data.samples import Samples
from training.data.tensors import to_tensor

MANY = 4000


@pytest.mark.parametrize("probability", [0.0, 0.3, 0.5, 1.0])
def test_pictures_are_flipped_with_the_configured_probability(probability: float) -> None:
    config = replace(CONFIG, flip_probability=probability)
    flips = sum(draw(config, 1, "A", sample).flip for sample in range(MANY))
    spread = (MANY * probability * (1 - probability)) ** 0.5
    assert abs(flips - MANY * probability) <= 4 * spread


def test_all_crop_positions_are_equally_likely() -> None:
    draws = [draw(CONFIG, 1, "B", sample) for sample in range(MANY)]
    places = Counter((drawn.flip, drawn.top, drawn.left) for drawn in draws)
    expected = MANY / (2 * 5 * 5)
    assert set(places) == {(flip, top, left) for flip in (0, 1) for top in range(5) for left in range(5)}
    assert all(abs(count - expected) < 5 * expected**0.5 for count in places.values())


def test_domains_and_seeds_draw_independently() -> None:
    def flips(seed: int, domain: Domain) -> list[bool]:
        return [draw(CONFIG, seed, domain, sample).flip for sample in range(400)]

    first = flips(1, "A")
    for other in (flips(1, "B"), flips(2, "A")):
        assert 140 < sum(one == two for one, two in zip(first, other, strict=True)) < 260


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize(("height", "width"), [(40, 48), (301, 117), (5, 3), (20, 20)])
def test_sample_equals_the_flipped_resized_cropped_picture(flip: bool, height: int, width: int) -> None:
    image = Image.fromarray(drawn(1, height, width))
    flipped = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if flip else image
    resized = flipped.resize((20, 20), Image.Resampling.BILINEAR)
    expected = np.asarray(resized.crop((1, 3, 17, 19)))
    ours = flip_and_crop(resize(np.asarray(image), 20), Draw(flip=flip, top=3, left=1), 16)
    assert np.array_equal(ours, expected)


def test_augment_once_augments_a_domain_always_or_never(tmp_path: Path) -> None:
    pictures = scanned(tmp_path)
    once = replace(CONFIG, augment_once=True)
    seen = set()
    for seed in range(12):
        samples, always = Samples(pictures.train, once, seed=seed), Samples(pictures.train, CONFIG, seed=seed)
        for domain in ("A", "B"):
            augmented = resized_side(once, seed, domain) == 20
            for number in range(20):
                plain = pictures.train[domain][
                    picture_index(seed, domain, number, len(pictures.train[domain]))
                ]
                expected = (
                    always.sample(domain, number)
                    if augmented
                    else resize(np.asarray(Image.open(plain).convert("RGB")), 16)
                )
                assert np.array_equal(samples.sample(domain, number), expected)
            seen.add((domain, augmented))
    assert len(seen) == 4  # both, in both domains


def test_augment_once_is_a_fair_coin_for_each_domain() -> None:
    once = replace(CONFIG, augment_once=True)
    coins = Counter(
        (resized_side(once, seed, "A") == 20, resized_side(once, seed, "B") == 20) for seed in range(400)
    )
    assert len(coins) == 4
    assert all(60 < count < 140 for count in coins.values())


def test_levels_0_and_255_become_minus_1_and_1_exactly() -> None:
    ramp = np.arange(256, dtype=np.uint8).reshape(16, 16, 1).repeat(3, axis=2)
    ramp[..., 2] = 255 - ramp[..., 0]
    tensor = to_tensor([ramp])
    assert tensor[0, 0, 0, 0] == -1
    assert tensor[0, 0, 15, 15] == 1
    assert torch.allclose(tensor[0, 0].flatten().double(), torch.arange(256).double() / 127.5 - 1, atol=1e-7)
    assert torch.equal(tensor[0, 2], tensor[0, 0].flip(0, 1))


def test_random_draws_are_equal_in_every_version() -> None:
    """A run that is resumed under newer packages must draw the same pictures."""
    assert [picture_index(7, "A", sample, 6) for sample in range(12)] == [3, 2, 1, 4, 0, 5, 2, 1, 4, 0, 3, 5]
    assert [picture_index(7, "B", sample, 6) for sample in range(6)] == [2, 4, 3, 0, 1, 5]
    assert [tuple(draw(CONFIG, 7, "A", sample)) for sample in (0, 1, 2**40)] == [
        (False, 3, 3),
        (False, 4, 1),
        (True, 4, 4),
    ]
