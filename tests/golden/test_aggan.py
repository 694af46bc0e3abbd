"""Our networks of AGGAN compute the outputs of the official ones."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from models.networks.translation import Translation
from tests.golden.aggan_networks import aggan_networks
from tests.golden.baselines_reading import COUNTS, GoldenSet, golden_sets
from training.importers.aggan_variables import unused_variables

pytestmark = [pytest.mark.golden, pytest.mark.parametrize("golden", golden_sets("aggan"))]

OTHER = {"a": "b", "b": "a"}


def _mask(translation: Translation) -> Tensor:
    assert translation.attention is not None
    return translation.attention[:, None]


def test_generators_return_the_golden_pictures_and_masks(golden: GoldenSet) -> None:
    generators = aggan_networks(golden).generators
    with torch.inference_mode():
        for source, target in OTHER.items():
            fake = generators[source](golden.tensor(f"input_{source}"))
            golden.assert_vector(fake.image, f"fake_{target}")
            golden.assert_vector(_mask(fake), f"mask_{source}")
            raw = generators[source].whole_picture(golden.tensor(f"input_{source}"))
            golden.assert_vector(raw, f"raw_fake_{target}")
            golden.assert_vector(generators[target].whole_picture(fake.image), f"raw_cycle_{source}")
            cycle = generators[target](fake.image)
            golden.assert_vector(cycle.image, f"cycle_{source}")
            golden.assert_vector(_mask(cycle), f"mask_fake_{target}")


@pytest.mark.parametrize("switched", [False, True])
def test_discriminators_return_the_golden_logits(golden: GoldenSet, switched: bool) -> None:
    discriminators = aggan_networks(golden).discriminators
    threshold = golden.config["threshold"] if switched else 0
    end = ".switched" if switched else ""
    with torch.inference_mode():
        for domain, other in OTHER.items():
            for name, picture, mask in (
                ("real", f"input_{domain}", f"mask_{domain}"),
                ("fake", f"fake_{domain}", f"mask_{other}"),
            ):
                seen = golden.tensor(picture) * (golden.tensor(mask) >= threshold)
                judge = discriminators[domain].without_norms if switched else discriminators[domain]
                golden.assert_vector(judge(seen), f"d_{domain.upper()}.{name}{end}")


def test_networks_have_the_golden_parameter_counts(golden: GoldenSet) -> None:
    params = golden.params
    for name, network in aggan_networks(golden).official.items():
        used = sum(each.numel() for each in network.parameters())
        unused = sum(params[name][each].numel() for each in unused_variables(f"Model/{name}", network))
        assert used + unused == golden.losses[COUNTS][name]


def test_masks_are_constant_on_blocks_of_4_pixels(golden: GoldenSet) -> None:
    attention: nn.Module = aggan_networks(golden).generators["a"].attention
    with torch.inference_mode():
        mask = attention(golden.tensor("input_a"))
    assert torch.equal(mask, mask[..., ::4, ::4].repeat_interleave(4, 2).repeat_interleave(4, 3))
