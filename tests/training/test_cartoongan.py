"""CartoonGAN's phases, runs, files of VGG19's weights, and bundles."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from models.networks.cartoongan import CartoonganDiscriminatorConfig, CartoonganGeneratorConfig
from models.networks.vgg import VggFeatures
from tests.training.command import data_set, typed
from training.evaluation.opening import open_run
from training.export.bundles import prepare_bundle
from training.methods.cartoongan.config import CartoonganConfig, CartoonganWeights
from training.methods.cartoongan.method import Cartoongan
from training.methods.progress import Progress


def narrow_vgg(path: Path) -> Path:
    """Random weights of a narrow VGG19, with a layer after conv4_4 that nothing reads."""
    torch.manual_seed(4)
    state = {**VggFeatures(channels=2).state_dict(), "classifier.0.weight": torch.zeros(2, 2)}
    torch.save(state, path)
    return path


def rates(config: CartoonganConfig, *steps: int) -> list[float]:
    """The learning rates of steps, counted from 1, of a run of 220 epochs of 10 steps."""
    return [config.learning_rate_at(Progress(step=step, total=2200, epoch_steps=10)) for step in steps]


def test_both_phases_are_constant_and_then_fall_linearly_as_the_author_s() -> None:
    found = rates(CartoonganConfig(), 1, 101, 151, 201, 1201, 1701)
    assert found == pytest.approx([2e-4, 2e-4, 1e-4, 1e-5, 1e-5, 5e-6])


def test_the_main_phase_falls_in_steps_as_the_port_s() -> None:
    port = CartoonganConfig(decay="steps", learning_rate=2e-4)
    assert rates(port, 200, 201, 1200, 1201, 1701) == pytest.approx([2e-4, 2e-4, 2e-4, 2e-5, 2e-6])


def test_without_a_content_term_there_is_no_initial_phase() -> None:
    config = CartoonganConfig(weights=CartoonganWeights(content=0), initial_epochs=0, initial_share=0.5)
    assert not config.is_initial(Progress(step=1, total=10, epoch_steps=1))


def test_the_content_term_without_weights_is_refused_with_one_sentence(tmp_path: Path) -> None:
    data = data_set(tmp_path / "data")
    code, _, error = typed(
        *("fit", "--method=cartoongan", "--data", data, "--out", tmp_path / "run"),
        *("--size=32", "--channels=4", "--steps=1", "--batch=1"),
    )
    assert (code, error.count("\n")) == (2, 1)
    assert "needs VGG19's weights: add --vgg-weights FILE" in error
    assert not (tmp_path / "run").exists()


def test_an_evaluation_says_what_a_run_without_vgg_weights_lacks(tmp_path: Path) -> None:
    code, _, error = typed(
        *("fit", "--method=cartoongan", "--data", data_set(tmp_path / "data"), "--out", tmp_path / "run"),
        *("--size=32", "--channels=4", "--steps=1", "--batch=1", "--set=cartoongan.weights.content=0"),
    )
    assert (code, error) == (0, "")
    (lacks,) = open_run("run", tmp_path / "run").facts["lacks"]
    assert "without its content term" in lacks


def test_vgg_weights_of_a_method_that_takes_none_are_refused(tmp_path: Path) -> None:
    vgg = narrow_vgg(tmp_path / "vgg.pth")
    code, _, error = typed("fit", "--vgg-weights", vgg, "--data", tmp_path, "--out", tmp_path / "run")
    assert code == 2
    assert "has no --vgg-weights; leave it out." in error


def test_a_file_of_other_layers_is_no_vgg19(tmp_path: Path) -> None:
    path = tmp_path / "other.pth"
    torch.save({"features.0.weight": torch.zeros(2, 3, 3, 3)}, path)
    method = Cartoongan(CartoonganConfig(vgg_weights=str(path)), size=32)
    with pytest.raises(ValueError, match="none of that name instead of features"):
        method.features(torch.device("cpu"))


def test_the_bundle_has_no_heat_map() -> None:
    torch.manual_seed(2)
    config = CartoonganConfig(
        generator=CartoonganGeneratorConfig(channels=4, blocks=1),
        discriminator=CartoonganDiscriminatorConfig(channels=4),
    )
    (translator,) = Cartoongan(config, size=16).translators()
    bundle = prepare_bundle("photo2cartoon", translator)
    assert bundle.manifest.maps == []
    assert bundle.manifest.method == "cartoongan"
