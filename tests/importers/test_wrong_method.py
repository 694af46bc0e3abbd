"""An official checkpoint given to the wrong `--method` is refused with the method that it looks like."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
import torch

from tests.golden.reading import SHIPPED, checkpoint
from tests.importers.checkpoint_writer import write
from tests.training.command import typed

METHODS = ("ugatit", "cyclegan", "unit", "munit", "drit", "aggan", "cartoongan")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, list[Path]]:
    """Write the files of each method as its official code does, by the method."""
    folder = tmp_path_factory.mktemp("official")

    def params(name: str) -> dict[str, dict[str, torch.Tensor]]:
        return dict(torch.load(SHIPPED / "baselines" / name / "params.pt", weights_only=True))

    def saved(content: object, name: str) -> Path:
        torch.save(content, folder / name)
        return folder / name

    aggan = {key: value.numpy() for part in params("aggan").values() for key, value in part.items()}
    write(folder / "aggan", "AGGAN-99", aggan)
    return {
        "ugatit": [checkpoint("light"), SHIPPED / "tensorflow" / "light-unsmoothed"],
        "cyclegan": [
            saved(params("cyclegan")["G_A"], "latest_net_G_A.pth"),
            saved(params("cyclegan")["D_A"], "latest_net_D_A.pth"),
        ],
        "unit": [saved(params("unit")["gen"], "gen_00000001.pt")],
        "munit": [
            saved(params("munit")["gen"], "gen_00000002.pt"),
            saved(params("munit")["dis"], "dis_00000002.pt"),
        ],
        "drit": [saved(params("drit"), "00007.pth"), saved(params("drit_fw"), "00008.pth")],
        "aggan": [folder / "aggan"],
        "cartoongan": [
            saved(params("cartoongan")["G"], "generator_latest.pkl"),
            saved(params("cartoongan_author")["G"], "Hayao_net_G_float.pth"),
        ],
    }


@pytest.mark.parametrize("wrong", METHODS)
def test_file_of_another_method_is_refused_with_its_method(
    files: Mapping[str, list[Path]], wrong: str, tmp_path: Path
) -> None:
    for method in METHODS:
        for path in files[method] if method != wrong else ():
            if wrong == "unit" and path.name.startswith("dis_"):
                continue  # the discriminators of UNIT and of MUNIT are the same networks
            code, _, error = typed(
                *("import", path, "--method", wrong, "--a2b=cat2dog", "--only=a2b", "--out", tmp_path)
            )
            assert (code, error.count("\n")) == (2, 1), (path, error)
            assert f"--method {method} imports" in error, error
