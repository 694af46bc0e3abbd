"""Each option of a network's config does what it says."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from models.networks.cam import CAM
from models.networks.config import ConfigError, DiscriminatorConfig, GeneratorConfig, deepest_layers
from models.networks.discriminator import Discriminator
from models.networks.generator import Generator
from models.networks.normalization import AdaLIN, layer_instance_norm

LAYERS = nn.Conv2d | nn.Linear


def small(**changes: object) -> Generator:
    sizes = {"size": 16, "channels": 4, "blocks": 1, "light": True}
    return Generator(GeneratorConfig(**{**sizes, **changes}))  # type: ignore[arg-type]


def names_with_bias(network: nn.Module) -> set[str]:
    return {name for name, m in network.named_modules() if isinstance(m, LAYERS) and m.bias is not None}


def features(channels: int) -> Tensor:
    return torch.randn(2, channels, 5, 7, generator=torch.Generator().manual_seed(2))


@pytest.mark.parametrize("raw", [True, False], ids=["raw", "normalised"])
def test_shared_classifier_serves_both_poolings_and_its_bias_weights_the_features(raw: bool) -> None:
    cam, x = CAM(6, slope=0.2, spectral=True, raw_weight=raw, shared=True).eval(), features(6)
    normalised, bias = cam.classifier.weight, cam.classifier.bias
    weight = cam.classifier.parametrizations.weight.original if raw else normalised
    weighted = x * (weight + bias)[..., None, None]
    merged = F.leaky_relu(cam.merge(torch.cat([weighted, weighted], 1)), 0.2)
    pools = (F.adaptive_avg_pool2d(x, 1), F.adaptive_max_pool2d(x, 1))
    logits = [F.linear(pool.flatten(1), normalised, bias) for pool in pools]
    found = cam(x)
    torch.testing.assert_close(found.features, merged)
    torch.testing.assert_close(found.cam_logit, torch.cat(logits, 1))
    torch.testing.assert_close(found.attention, merged.sum(1))


def test_shared_classifier_has_one_weight_and_one_power_iteration_per_pass() -> None:
    cam = CAM(6, spectral=True, shared=True)
    assert [name for name, _ in cam.named_parameters() if "merge" not in name] == [
        "classifier.bias",
        "classifier.parametrizations.weight.original",
    ]
    passes: list[object] = []
    cam.classifier.parametrizations.weight[0].register_forward_hook(lambda *_: passes.append(1))
    cam(features(6))
    assert len(passes) == 1


def test_biases_are_everywhere_or_only_in_the_1x1_convolution() -> None:
    assert names_with_bias(small()) == {"cam.merge"}
    everywhere = small(biases=True, shared_cam=True)
    assert names_with_bias(everywhere) == {
        name for name, m in everywhere.named_modules() if isinstance(m, LAYERS)
    }
    layers = {"channels": 2, "layers": 3}
    without_last = names_with_bias(Discriminator(DiscriminatorConfig(**layers)))
    with_last = names_with_bias(Discriminator(DiscriminatorConfig(**layers, last_bias=True)))
    assert with_last - without_last == {"to_logit.1"}
    assert {"features.1", "features.4", "cam.merge"} == without_last


def test_encoder_instance_normalisation_is_affine_if_configured() -> None:
    for affine in (True, False):
        norms = [m for m in small(affine_instance_norm=affine).modules() if isinstance(m, nn.InstanceNorm2d)]
        assert len(norms) == 5
        assert all((norm.weight is not None) is affine for norm in norms)


def test_smooth_rho_is_clipped_after_subtracting_a_tenth() -> None:
    norm = AdaLIN(4, rho=1.0, smooth=True)
    with torch.no_grad():
        norm.rho.copy_(torch.tensor([1.0, 0.6, 0.1, 0.05]))
    gamma, beta, used = torch.rand(2, 4), torch.rand(2, 4), torch.tensor([0.9, 0.5, 0.0, 0.0])
    expected = layer_instance_norm(features(4), used, gamma, beta, unbiased=True)
    torch.testing.assert_close(norm(features(4), gamma, beta), expected)


@pytest.mark.parametrize(("smooth", "start", "used"), [(True, 1.0, 0.9), (False, 0.9, 0.9)])
def test_smooth_and_plain_rho_start_with_the_same_mixture(smooth: bool, start: float, used: float) -> None:
    norms = [m for m in small(smooth_rho=smooth).modules() if isinstance(m, AdaLIN)]
    assert len(norms) == 2
    for norm in norms:
        torch.testing.assert_close(norm.rho, torch.full((16,), start))
        torch.testing.assert_close(norm.mixture, torch.full((16,), used))


def test_unbiased_variance_applies_to_every_decoder_normalisation() -> None:
    for unbiased in (True, False):
        network = small(unbiased_variance=unbiased)
        found = {m.unbiased for m in network.modules() if hasattr(m, "unbiased")}
        assert found == {unbiased}


@pytest.mark.parametrize(("blocks", "width"), [(2, 8), (4, 16)])
def test_style_width_blocks_sets_the_width_of_the_hidden_layers(blocks: int, width: int) -> None:
    network = small(blocks=blocks, style_width="blocks")
    assert [m.out_features for m in network.style.hidden if isinstance(m, nn.Linear)] == [width, width]
    assert network.style.gamma.weight.shape == network.style.beta.weight.shape == (16, width)
    assert [m.out_features for m in small(blocks=blocks).style.hidden if isinstance(m, nn.Linear)] == [16, 16]
    assert network(torch.zeros(1, 3, 16, 16)).image.shape == (1, 3, 16, 16)


@pytest.mark.parametrize(
    ("layers", "uneven", "side"), [(5, False, 30), (7, False, 6), (5, True, 32), (7, True, 8)]
)
def test_padding_sets_the_number_of_patches_at_256_pixels(layers: int, uneven: bool, side: int) -> None:
    config = DiscriminatorConfig(channels=1, layers=layers, uneven_padding=uneven)
    assert Discriminator(config)(torch.zeros(1, 3, 256, 256)).logit.shape == (1, 1, side, side)


def test_uneven_padding_is_one_before_and_two_after_at_stride_one() -> None:
    for uneven, at_stride_1 in ((False, (1, 1, 1, 1)), (True, (1, 2, 1, 2))):
        discriminator = Discriminator(DiscriminatorConfig(channels=1, layers=4, uneven_padding=uneven))
        found = [m.padding for m in discriminator.modules() if isinstance(m, nn.ReflectionPad2d)]
        assert found == [(1, 1, 1, 1)] * 2 + [at_stride_1] * 2


@pytest.mark.parametrize("uneven", [False, True])
@pytest.mark.parametrize("size", [8, 12, 47, 48, 95, 96])
def test_deepest_discriminator_works_and_a_deeper_one_does_not(size: int, uneven: bool) -> None:
    deepest, picture = deepest_layers(size), torch.zeros(1, 3, size, size)
    config = {"channels": 1, "uneven_padding": uneven}
    discriminator = Discriminator(DiscriminatorConfig(layers=deepest, **config)).eval()
    assert discriminator(picture).logit.numel() >= 1
    with pytest.raises(RuntimeError):
        Discriminator(DiscriminatorConfig(layers=deepest + 1, **config)).eval()(picture)


@pytest.mark.parametrize(
    ("kind", "changes", "message"),
    [
        (
            GeneratorConfig,
            {"smooth_rho": True, "normalization": "in"},
            "smooth_rho needs normalization adalin, got in; remove",
        ),
        (
            GeneratorConfig,
            {"shared_cam": True, "cam": False},
            "shared_cam needs cam = true, got cam = false; remove",
        ),
        (
            GeneratorConfig,
            {"style_width": "blocks", "normalization": "ln"},
            "style_width needs normalization adalin or adain, got ln; remove",
        ),
        (DiscriminatorConfig, {"shared_cam": True, "cam": False}, "shared_cam needs cam = true"),
    ],
)
def test_an_option_without_effect_is_refused(
    kind: type[GeneratorConfig] | type[DiscriminatorConfig], changes: dict[str, object], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        kind(**changes)  # type: ignore[arg-type]
