"""PatchNCE: places of a translation are compared with those of its source, by a frozen classifier."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from tests.training.tiny import pictures, tiny_config
from training.methods.progress import TYPICAL
from training.methods.ugatit.losses import patch_nce
from training.methods.ugatit.method import Ugatit
from training.methods.ugatit.patch_nce import PatchNCE
from training.pretrained.feature_maps import FeatureMaps

SIDE = 64


def with_patch_nce(**weights: float) -> tuple[Ugatit, PatchNCE]:
    torch.manual_seed(0)
    method = Ugatit(tiny_config(ugatit={"weights": {"nce": 2, **weights}, "learning_rate": 1e-3}).ugatit)
    assert method.patch_nce is not None
    return method, method.patch_nce


def scene(seed: int) -> torch.Tensor:
    """Return pictures `[2, 3, 64, 64]` with another colour at each place of 16 px."""
    colours = torch.rand(2, 3, 4, 4, generator=torch.Generator().manual_seed(seed)) * 2 - 1
    return F.interpolate(colours, size=SIDE)


def last_weight(network: nn.Module) -> torch.Tensor:
    return list(network.parameters())[-2]


@torch.no_grad()
def loss_of(nce: PatchNCE, translation: torch.Tensor) -> float:
    real = {"A": scene(1), "B": scene(2)}
    translations = {"B": SimpleNamespace(image=translation), "A": SimpleNamespace(image=scene(2))}
    return float(nce.generator_terms(real, translations)["G_nce_B"])  # type: ignore[arg-type]


def test_loss_is_the_cross_entropy_of_finding_the_same_place() -> None:
    vectors = torch.eye(4).expand(2, -1, -1)
    assert float(patch_nce(vectors, vectors)) < 1e-4
    assert float(patch_nce(vectors, vectors.roll(1, 1))) == pytest.approx(1 / 0.07, rel=1e-3)
    assert float(patch_nce(torch.zeros(2, 4, 4), vectors)) == pytest.approx(torch.log(torch.tensor(4.0)))


def test_places_are_compared_within_a_picture_only() -> None:
    keys = F.normalize(torch.randn(2, 5, 8, generator=torch.Generator().manual_seed(0)), dim=2)
    queries = keys.flip(1)
    apart = [patch_nce(queries[n : n + 1], keys[n : n + 1]) for n in range(2)]
    assert float(patch_nce(queries, keys)) == pytest.approx(float(torch.stack(apart).mean()), rel=1e-5)


def test_translation_that_keeps_its_places_has_the_lowest_loss() -> None:
    _, nce = with_patch_nce()
    recoloured, mirrored, another = scene(1) * 0.7, scene(1).flip(3), scene(3)
    kept = loss_of(nce, recoloured)
    assert kept < 0.7 * min(loss_of(nce, mirrored), loss_of(nce, another))


def test_step_teaches_the_projections_beside_the_generators_and_not_the_classifier() -> None:
    method, nce = with_patch_nce()
    before = {name: last_weight(network).clone() for name, network in nce.networks.items()}
    batch = {"A": scene(1), "B": scene(2)}
    history = [method.step(batch, TYPICAL) for _ in range(20)]
    for name, network in nce.networks.items():
        assert not torch.equal(last_weight(network), before[name])
    for domain in "AB":
        assert history[-1][f"G_nce_{domain}"] < 0.8 * history[0][f"G_nce_{domain}"]
    unchanged = FeatureMaps().state_dict()
    for name, value in nce._maps.classifier.state_dict().items():
        assert torch.equal(value, unchanged[name]), name


def test_its_gradient_reaches_the_generators_only_through_translations() -> None:
    method, nce = with_patch_nce()
    translations, _ = method.translate_both({"A": scene(1), "B": scene(2)})
    nce.generator_terms({"A": scene(1), "B": scene(2)}, translations)["G_nce_B"].backward()
    gradients = [parameter.grad for parameter in method.generators["genA2B"].to_image.parameters()]
    assert all(each is not None and each.abs().sum() > 0 for each in gradients)
    assert all(parameter.grad is None for parameter in method.generators["genB2A"].parameters())


def test_alone_it_adds_its_projections_only() -> None:
    networks = with_patch_nce()[0].networks.keys()
    assert networks == {"genA2B", "genB2A", "disGA", "disGB", "disLA", "disLB", "projA2B", "projB2A"}


def test_terms_have_the_weight_of_the_config_and_the_classifier_is_shared() -> None:
    method, nce = with_patch_nce(feature=0.3)
    assert method.weight("G_nce") == 2
    assert method.feature_discriminators is not None
    assert method.feature_discriminators._maps is nce._maps


def test_accumulated_micro_batches_give_the_terms_of_the_whole_batch() -> None:
    whole, parts = (with_patch_nce()[0] for _ in range(2))
    together, apart = (m.step(pictures(4), TYPICAL, accumulate=n) for m, n in ((whole, 1), (parts, 2)))
    assert float(together["G_nce_A"]) == pytest.approx(float(apart["G_nce_A"]), abs=1e-4)
