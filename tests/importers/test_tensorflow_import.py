"""`ugatit-train import` of TensorFlow checkpoints: bundles, what it prints, and what it refuses."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from models.bundle.directory import read_bundle
from tests.golden.reading import checkpoint
from tests.golden.tensorflow_reading import folder
from tests.importers.checkpoint_writer import Tensors, tensors_of, write
from training.cli import main
from training.importers.tensorflow import read_tensorflow

STEP = "UGATIT_light.model-2001"
SMOOTH = "UGATIT_light_my_cats_lsgan_4resblock_4dis_1_1_10_10_1000_sn_smoothing"
Command = Callable[..., tuple[int, str]]


@pytest.fixture
def import_(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Command:
    """Import cat2dog, and return the exit code and standard error."""

    def call(source: Path, *more: object) -> tuple[int, str]:
        options = ("--a2b", "cat2dog", "--only", "a2b", "--out", tmp_path / "out")
        try:
            main([str(each) for each in ("import", source, *options, *more)])
        except SystemExit as exit_:
            return int(exit_.code or 0), capsys.readouterr().err
        return 0, capsys.readouterr().err

    return call


def test_folder_becomes_a_verified_bundle(tmp_path: Path, import_: Command) -> None:
    code, said = import_(folder("full-sharded"), "--discriminators")
    assert code == 0
    assert "UGATIT.model-51." in said
    assert "Smoothing, as the folder's name says: AdaLIN uses clip(rho - 0.1, 0, 1)." in said
    manifest = read_bundle(tmp_path / "out" / "cat2dog").manifest
    assert manifest.training.steps == 50
    assert manifest.image.width == 32
    assert manifest.architecture["smooth_rho"] is True
    assert manifest.architecture["discriminators"]["global"]["layers"] == 5


def test_options_choose_step_and_smoothing(tmp_path: Path, import_: Command) -> None:
    tensors = tensors_of(folder("light-unsmoothed"), STEP)
    for step in (999, 1000):
        write(tmp_path / SMOOTH, f"UGATIT_light.model-{step}", tensors)
    code, said = import_(tmp_path / SMOOTH, "--step", 999, "--no-smoothing", "--size", 32)
    assert code == 0
    assert "model-999." in said
    assert "No smoothing, as the option says" in said
    assert read_bundle(tmp_path / "out" / "cat2dog").manifest.architecture["smooth_rho"] is False


def test_generators_without_discriminators_and_slots_are_read(tmp_path: Path, import_: Command) -> None:
    tensors = tensors_of(folder("light-unsmoothed"), STEP)
    alone = {name: each for name, each in tensors.items() if "generator_B" in name and "Adam" not in name}
    write(tmp_path / SMOOTH, STEP, alone)
    assert import_(tmp_path / SMOOTH, "--size", 32)[0] == 0
    code, said = import_(tmp_path / SMOOTH, "--discriminators", "--size", 32)
    assert code == 2
    assert "has no discriminators for genA2B" in said


def without(name: str) -> Callable[[Tensors], Any]:
    return lambda tensors: tensors.pop(name)


def with_one(name: str, *shape: int) -> Callable[[Tensors], Any]:
    return lambda tensors: tensors.update({name: np.zeros(shape, np.float32)})


def renamed(old: str, new: str) -> Callable[[Tensors], Any]:
    def rename(tensors: Tensors) -> None:
        values = {name.replace(old, new): value for name, value in tensors.items()}
        tensors.clear()
        tensors.update(values)

    return rename


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (
            without("generator_B/MLP/gamma/dense/bias"),
            "generator_B/MLP/gamma/dense/bias of float32 values of the shape 8, found none of that name",
        ),
        (
            without("generator_B/conv/conv2d/kernel"),
            "expected generator_B/conv/conv2d/kernel of 4 dimensions",
        ),
        (
            with_one("generator_B/G_logit/conv2d/kernel", 7, 7, 3, 2),
            "of the shape 7x7x2x3, found the shape 7x7x3x2",
        ),
        (with_one("generator_B/conv/conv2d/kernel", 7, 7, 3, 0), "genA2B has 0 base channels, expected 1 to"),
        (
            with_one("generator_B/hourglass/kernel", 1),
            "genA2B has generator_B/hourglass/kernel: expected the 92",
        ),
        (renamed("generator_B/", "Generator/"), "named generator_B/…, found Generator/"),
        (
            renamed("generator_B/", "Model/g_A/"),
            "it looks like a checkpoint of AGGAN, which --method aggan imports",
        ),
        (
            renamed("generator_B/", "layer/.ATTRIBUTES/VARIABLE_VALUE"),
            "found an object-based checkpoint of TensorFlow 2",
        ),
    ],
)
def test_other_variables_are_refused_with_one_sentence(
    tmp_path: Path, import_: Command, change: Callable[[Tensors], Any], says: str
) -> None:
    tensors = tensors_of(folder("light-unsmoothed"), STEP)
    tensors = {name: value for name, value in tensors.items() if name.startswith("generator_B/")}
    change(tensors)
    write(tmp_path / SMOOTH, STEP, tensors)
    code, said = import_(tmp_path / SMOOTH)
    assert code == 2
    assert says in said
    assert said.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_folder_of_another_name_needs_the_option(tmp_path: Path, import_: Command) -> None:
    shutil.copytree(folder("light-unsmoothed"), tmp_path / "weights")
    code, said = import_(tmp_path / "weights", "--size", 32)
    assert code == 2
    assert "The folder weights does not say whether rho is smoothed: expected a name such as" in said
    assert import_(tmp_path / "weights", "--size", 32, "--smoothing")[0] == 0


@pytest.mark.parametrize("end", ["_sn_smoothing (1)", "_sn_smoothing-copy", "_smoothing"])
def test_folder_of_a_copy_still_says_that_rho_is_smoothed(tmp_path: Path, import_: Command, end: str) -> None:
    name = f"UGATIT_light_my_cats_lsgan_4resblock_4dis_1_1_10_10_1000{end}"
    shutil.copytree(folder("light-unsmoothed"), tmp_path / name)
    assert "Smoothing, as the folder's name says" in import_(tmp_path / name, "--size", 32)[1]


@pytest.mark.parametrize("option", [("--step", "5"), ("--smoothing",)])
def test_options_of_tensorflow_checkpoints_are_refused_for_others(
    import_: Command, option: tuple[str, ...]
) -> None:
    code, said = import_(checkpoint("light"), *option)
    assert code == 2
    assert f"{option[0]} is for TensorFlow checkpoints" in said


def test_folder_without_a_checkpoint_is_refused(tmp_path: Path, import_: Command) -> None:
    code, said = import_(tmp_path)
    assert code == 2
    assert "has no TensorFlow checkpoint: expected an .index file and its .data files" in said


def test_discriminators_without_spectral_norm_are_read_and_exported(tmp_path: Path, import_: Command) -> None:
    """Without that option of the official code there is no u, and convolutions are named conv_0/conv2d."""
    tensors = {
        re.sub(r"^(discriminator_.*/(?:conv_\w+|D_logit))/(kernel|bias)$", r"\1/conv2d/\2", name): value
        for name, value in tensors_of(folder("light-unsmoothed"), STEP).items()
        if "Adam" not in name and not name.endswith("/u")
    }
    write(tmp_path / "plain" / SMOOTH, STEP, tensors)
    discriminator = read_tensorflow(tmp_path / "plain" / SMOOTH, size=32).discriminators["disGB"]
    kernel = tensors["discriminator_B/global/conv_last/conv2d/kernel"]
    convolution = discriminator.get_submodule("features.10")
    assert isinstance(convolution, torch.nn.Conv2d)
    assert np.array_equal(convolution.weight.detach().numpy(), kernel.transpose(3, 2, 0, 1))
    assert import_(tmp_path / "plain", "--size", 32, "--discriminators")[0] == 0
    manifest = read_bundle(tmp_path / "out" / "cat2dog").manifest
    assert manifest.architecture["discriminators"]["global"]["spectral_norm"] is False
