"""Official checkpoints of AGGAN, CartoonGAN and DRIT become verified bundles."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from models.bundle.directory import read_bundle
from tests.golden.baselines_reading import GoldenSet, golden_sets
from tests.importers.checkpoint_writer import Tensors, write
from tests.training.command import typed

Import = Callable[..., tuple[int, str]]


@pytest.fixture
def import_(tmp_path: Path) -> Import:
    """Import a file; return the exit code and what was said."""

    def run(method: str, path: Path, *flags: str) -> tuple[int, str]:
        code, out, error = typed("import", path, "--method", method, "--out", tmp_path / "bundles", *flags)
        return code, out + error

    return run


def tensorflow_tensors(golden: GoldenSet) -> Tensors:
    params = golden.params
    return {name: value.numpy() for network in params.values() for name, value in network.items()}


def saved(content: Any, path: Path) -> Path:
    torch.save(content, path)
    return path


@pytest.mark.golden
@pytest.mark.parametrize("golden", golden_sets("aggan"))
def test_both_directions_of_an_aggan_checkpoint_become_bundles(
    golden: GoldenSet, import_: Import, tmp_path: Path
) -> None:
    write(tmp_path / "weights", "AGGAN-99", tensorflow_tensors(golden), shards=2)
    names = ("--a2b", "zebra2horse", "--b2a", "horse2zebra", "--size", "32")
    code, said = import_("aggan", tmp_path / "weights", *names)
    assert code == 0, said
    for name in ("zebra2horse", "horse2zebra"):
        manifest = read_bundle(tmp_path / "bundles" / name).manifest
        assert manifest.method == "aggan"
        assert [each.kind for each in manifest.maps] == ["mask"]


@pytest.mark.golden
@pytest.mark.parametrize("golden", golden_sets("aggan"))
@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda tensors: tensors.pop("Model/g_A/r9/c2/Conv/biases"), "expected Model/g_A/r9/c2/Conv/biases"),
        (
            lambda tensors: tensors.update({"Model/g_A/extra": np.zeros(1, np.float32)}),
            "Model/g_A has Model/g_A/extra",
        ),
        (
            lambda tensors: [tensors.pop(name) for name in list(tensors) if "g_A" in name],
            "is not a checkpoint of AGGAN: expected variables named Model/g_A/",
        ),
    ],
)
def test_other_variables_are_refused_with_one_sentence(
    golden: GoldenSet, import_: Import, tmp_path: Path, change: Callable[[Tensors], Any], says: str
) -> None:
    tensors = tensorflow_tensors(golden)
    change(tensors)
    write(tmp_path / "weights", "AGGAN-99", tensors)
    code, said = import_("aggan", tmp_path / "weights", "--a2b", "zebra2horse", "--only", "a2b")
    assert (code, said.count("\n")) == (2, 1)
    assert says in said


@pytest.mark.golden
@pytest.mark.parametrize("golden", golden_sets("cartoongan"))
def test_a_cartoongan_generator_becomes_a_bundle(golden: GoldenSet, import_: Import, tmp_path: Path) -> None:
    path = saved(golden.params["G"], tmp_path / "generator.pth")
    code, said = import_("cartoongan", path, "--a2b", "photo2cartoon", "--only", "a2b", "--size", "32")
    assert code == 0, said
    manifest = read_bundle(tmp_path / "bundles" / "photo2cartoon").manifest
    assert (manifest.method, manifest.maps) == ("cartoongan", [])


@pytest.mark.golden
@pytest.mark.parametrize("golden", golden_sets("cartoongan"))
def test_cartoongan_has_no_way_back(golden: GoldenSet, import_: Import, tmp_path: Path) -> None:
    path = saved(golden.params["G"], tmp_path / "generator.pth")
    code, said = import_("cartoongan", path, "--b2a", "cartoon2photo", "--only", "b2a")
    assert (code, said.count("\n")) == (2, 1)
    assert "photos into cartoons only" in said


@pytest.mark.golden
@pytest.mark.parametrize("golden", golden_sets("drit"))
def test_both_directions_of_a_drit_checkpoint_become_bundles(
    golden: GoldenSet, import_: Import, tmp_path: Path
) -> None:
    path = saved({**golden.params, "ep": 7, "total_it": 9}, tmp_path / "00007.pth")
    names = ("--a2b", "cat2dog", "--b2a", "dog2cat", "--size", "32")
    code, said = import_("drit", path, *names)
    assert code == 0, said
    for name in ("cat2dog", "dog2cat"):
        manifest = read_bundle(tmp_path / "bundles" / name).manifest
        assert manifest.method == "drit"
        assert manifest.architecture["mode"] == ("concat" if golden.config["concat"] else "feature-wise")


@pytest.mark.golden
@pytest.mark.parametrize("golden", golden_sets("drit"))
@pytest.mark.parametrize("method", ["cartoongan", "aggan", "cyclegan"])
def test_a_file_of_another_method_is_refused_with_one_sentence(
    golden: GoldenSet, import_: Import, tmp_path: Path, method: str
) -> None:
    path = saved(golden.params, tmp_path / "00007.pth")
    code, said = import_(method, path, "--a2b", "cat2dog", "--only", "a2b")
    assert (code, said.count("\n")) == (2, 1)
    if method != "aggan":
        assert "which --method drit imports" in said
