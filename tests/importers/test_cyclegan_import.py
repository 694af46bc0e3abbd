"""`ugatit-train import --method cyclegan`: files of the official code, and files that are something else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from models.bundle.canary import read_canary
from models.bundle.directory import read_bundle
from models.bundle.manifest import CANARY
from tests.golden.reading import SHIPPED
from tests.training.command import data_set, typed
from training.checkpoint.read import load_newest
from training.export.parity import as_values
from training.importers.cyclegan import cyclegan_generator

GOLDEN = SHIPPED / "baselines" / "cyclegan"


@pytest.fixture(scope="module")
def official() -> dict[str, Any]:
    return dict(torch.load(GOLDEN / "params.pt", weights_only=True))


def saved(folder: Path, official: dict[str, Any], *names: str, prefix: str = "") -> list[Path]:
    """Write networks as the official code does, one file for each."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name in names:
        paths.append(folder / f"latest_net_{name}.pth")
        torch.save({f"{prefix}{key}": value for key, value in official[name].items()}, paths[-1])
    return paths


def imported(out: Path, *arguments: str | Path) -> tuple[int, str]:
    code, _, error = typed("import", *arguments, "--method=cyclegan", "--out", out, "--size=32")
    return code, error


def shown(bundle: Path) -> dict[str, Any]:
    """Return the canary of a verified bundle."""
    return read_canary(read_bundle(bundle).files[CANARY])


def translated(official: dict[str, Any], name: str, pixels: Any) -> Any:
    network = cyclegan_generator(name, official[name]).double()
    with torch.inference_mode():
        image = network(as_values(pixels)).image
    return np.rint((image.numpy() + 1) * 127.5).transpose(0, 2, 3, 1)


def test_both_files_become_bundles_and_G_A_translates_A_to_B(
    tmp_path: Path, official: dict[str, Any]
) -> None:
    files = saved(tmp_path, official, "G_B", "G_A")
    out = tmp_path / "bundles"
    code, error = imported(out, *files, "--a2b=cat2dog", "--b2a=dog2cat")
    assert (code, error) == (0, "")
    for direction, name in (("cat2dog", "G_A"), ("dog2cat", "G_B")):
        canary = shown(out / direction)
        assert np.abs(canary["image"] - translated(official, name, canary["pixels"])).max() == 0
    manifest = json.loads((out / "cat2dog" / "manifest.json").read_text())
    assert (manifest["method"], manifest["maps"], manifest["logits"]) == ("cyclegan", [], [])
    assert manifest["image"] == {"height": 32, "width": 32, "fixed": False}
    assert manifest["parity"]["image_equal"] >= 0.995
    assert "CycleGAN (Zhu et al., ICCV 2017)" in (out / "cat2dog" / "card.md").read_text()


def test_a_folder_of_the_official_code_is_read(tmp_path: Path, official: dict[str, Any]) -> None:
    saved(tmp_path / "run", official, "G_A", "G_B", "D_A", "D_B")
    code, error = imported(tmp_path / "out", tmp_path / "run", "--a2b=cat2dog", "--only=a2b")
    assert (code, error) == (0, "")
    assert (tmp_path / "out" / "cat2dog").is_dir()


def test_a_published_file_of_one_direction_gets_the_direction_that_is_named(
    tmp_path: Path, official: dict[str, Any]
) -> None:
    torch.save(official["G_B"], tmp_path / "latest_net_G.pth")
    both = (tmp_path / "latest_net_G.pth", "--a2b=cat2dog", "--b2a=dog2cat")
    code, error = imported(tmp_path / "out", *both)
    assert code == 2
    assert "name its direction" in error
    code, error = imported(tmp_path / "out", *both, "--only=b2a")
    assert (code, error) == (0, "")
    canary = shown(tmp_path / "out" / "dog2cat")
    assert np.abs(canary["image"] - translated(official, "G_B", canary["pixels"])).max() == 0


def test_old_files_with_running_statistics_and_a_wrapper_are_read(
    tmp_path: Path, official: dict[str, Any]
) -> None:
    state = dict(official["G_A"])
    for position in (2, 5, 8):
        size = state[f"model.{position - 1}.bias"].shape
        state |= {f"model.{position}.running_mean": torch.rand(size)}
        state |= {f"model.{position}.running_var": torch.rand(size)}
        state |= {f"model.{position}.num_batches_tracked": torch.tensor(7)}
    files = saved(tmp_path, {"G_A": state}, "G_A", prefix="module.")
    code, error = imported(tmp_path / "out", *files, "--a2b=cat2dog", "--only=a2b")
    assert (code, error) == (0, "")


def test_a_missing_direction_is_named(tmp_path: Path, official: dict[str, Any]) -> None:
    code, error = imported(
        tmp_path / "out", *saved(tmp_path, official, "G_A"), "--a2b=cat2dog", "--b2a=dog2cat"
    )
    assert code == 2
    assert "expected G_B, which translates B to A, found genA2B" in error
    assert not (tmp_path / "out").exists()


def test_a_size_that_is_not_recorded_is_said(tmp_path: Path, official: dict[str, Any]) -> None:
    files = saved(tmp_path, official, "G_A")
    out = tmp_path / "out"
    code, _, error = typed(
        "import", *files, "--method=cyclegan", "--a2b=cat2dog", "--only=a2b", "--out", out, "--size=32"
    )
    assert (code, error) == (0, "")
    assert json.loads((out / "cat2dog" / "manifest.json").read_text())["training"]["checkpoint_sha256"]


@pytest.mark.parametrize(
    ("folder", "entry", "looks_like"),
    [
        ("munit", "gen", "generators of MUNIT, which --method munit imports"),
        ("unit", "gen", "generators of UNIT, which --method unit imports"),
        ("drit", None, "a checkpoint of DRIT, which --method drit imports"),
        ("cartoongan", "G", "a generator of CartoonGAN, which --method cartoongan imports"),
    ],
)
def test_a_file_of_another_method_is_refused_with_the_method_that_it_looks_like(
    tmp_path: Path, folder: str, entry: str | None, looks_like: str
) -> None:
    params = torch.load(SHIPPED / "baselines" / folder / "params.pt", weights_only=True)
    torch.save(params if entry is None else params[entry], tmp_path / "latest_net_G_A.pth")
    code, error = imported(tmp_path / "out", tmp_path / "latest_net_G_A.pth", "--a2b=cat2dog", "--only=a2b")
    assert (code, error.count("\n")) == (2, 1)
    assert looks_like in error


def test_a_cyclegan_file_given_as_ugatit_names_its_method(tmp_path: Path, official: dict[str, Any]) -> None:
    (file,) = saved(tmp_path, official, "G_A")
    code, _, error = typed("import", file, "--a2b=cat2dog", "--only=a2b", "--out", tmp_path / "out")
    assert (code, error.count("\n")) == (2, 1)
    assert "it looks like a generator of CycleGAN, which --method cyclegan imports" in error


def test_a_run_starts_from_a_folder_of_the_official_code(tmp_path: Path, official: dict[str, Any]) -> None:
    saved(tmp_path / "official", official, "G_A", "G_B", "D_A", "D_B")
    small = ("--size=32", "--channels=4", "--set=cyclegan.discriminator.channels=6")
    code, _, error = typed(
        "fit", "--method=cyclegan", "--data", data_set(tmp_path / "data"), "--out", tmp_path / "run",
        "--init", tmp_path / "official", "--steps=1", "--set=cyclegan.learning_rate=1e-30",
        "--set=cyclegan.discriminator.layers=3", "--set=tensorboard=false", *small,
    )  # fmt: skip
    assert (code, error) == (0, "")
    found = load_newest(tmp_path / "run" / "checkpoints")[0].tensors["networks"]
    # D_A judges domain B.
    assert torch.equal(found["disB/blocks.0.conv.weight"], official["D_A"]["model.0.weight"])
    assert torch.equal(found["genA2B/encoder.0.conv.weight"], official["G_A"]["model.1.weight"])
