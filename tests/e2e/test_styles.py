"""Bundles of MUNIT, DRIT and AGGAN are served and used by the command: styles, references and masks."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import onnxruntime
import pytest
import torch
from click.testing import CliRunner

from app.cli import cli
from models.bundle.canary import smooth_picture
from models.bundle.manifest import GENERATOR, STYLE_ENCODER
from models.bundle.style_codes import draw_style
from models.networks.aggan import AgganDiscriminatorConfig, AgganGeneratorConfig
from models.networks.drit.config import DritConfig as DritNetworks
from models.networks.munit import MunitGeneratorConfig
from models.networks.unit import ScalesConfig
from tests.photos import encoded, pixels_of
from tests.service import running_service
from training.export.bundles import prepare_bundle
from training.methods.aggan.config import AgganConfig
from training.methods.aggan.method import Aggan
from training.methods.base import NetworkMethod
from training.methods.drit.config import DritConfig
from training.methods.drit.method import Drit
from training.methods.munit.config import MunitConfig
from training.methods.munit.method import Munit

SIZE = 32
PICTURE, REFERENCE = (smooth_picture(SIZE, SIZE, seed=seed) for seed in (3, 4))
WITH_STYLES = ("cat2dog", "horse2zebra")
DIMENSION = 3


def methods() -> Mapping[str, NetworkMethod]:
    """Return a small method by the direction of its bundle."""
    torch.manual_seed(5)
    munit = MunitConfig(
        generator=MunitGeneratorConfig(channels=4, blocks=1, style=DIMENSION, hidden=8),
        discriminator=ScalesConfig(channels=2, layers=2, scales=1),
    )
    drit = DritNetworks(channels=4, style=DIMENSION, scales=1, content_layers=1)
    aggan = AgganConfig(
        generator=AgganGeneratorConfig(channels=4, blocks=1),
        discriminator=AgganDiscriminatorConfig(channels=4),
    )
    return {
        "cat2dog": Munit(munit, size=SIZE),
        "horse2zebra": Drit(DritConfig(networks=drit), size=SIZE),
        "photo2avatar": Aggan(aggan, size=SIZE),
    }


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundles")
    for direction, method in methods().items():
        for network in method.networks.values():
            for name, parameter in network.named_parameters():
                if parameter.dim() == 4 and "attention" not in name:
                    torch.nn.init.kaiming_normal_(parameter)
        prepare_bundle(direction, method.translators()[0]).write(folder)
    return folder


@pytest.fixture(scope="module")
def client(bundles: Path) -> Iterator[httpx2.Client]:
    with running_service(bundles) as address, httpx2.Client(base_url=address, timeout=60) as client:
        yield client


def run(bundle: Path, file: str, **inputs: np.ndarray) -> np.ndarray:
    """Return the first output of a model of a bundle, for one picture."""
    session = onnxruntime.InferenceSession(bundle / file, providers=["CPUExecutionProvider"])
    output: np.ndarray = session.run(None, {name: value[None] for name, value in inputs.items()})[0][0]
    return output


def translate(client: httpx2.Client, direction: str, **options: Any) -> dict[str, Any]:
    files = {"file": encoded(PICTURE), **options.pop("files", {})}
    params = {"direction": direction, "face": "none", **options}
    answer: dict[str, Any] = client.post("/translate", params=params, files=files).raise_for_status().json()
    return answer


def assert_equal(picture: Mapping[str, Any], expected: np.ndarray) -> None:
    found = pixels_of(base64.b64decode(picture["data"])).astype(int)
    assert np.abs(found - expected).max() <= 1


@pytest.mark.parametrize("direction", WITH_STYLES)
def test_style_of_a_seed_is_that_of_the_documented_generator(
    client: httpx2.Client, bundles: Path, direction: str
) -> None:
    several = translate(client, direction, styles=3)["styles"]
    for each in several:
        code = draw_style(each["seed"], DIMENSION)
        assert_equal(each["image"], run(bundles / direction, GENERATOR, pixels=PICTURE, style=code))
    assert several[0]["image"] == translate(client, direction)["image"]
    assert several[2]["image"] == translate(client, direction, style=2)["image"]
    assert several[0]["image"] != several[2]["image"]


@pytest.mark.parametrize("direction", WITH_STYLES)
def test_style_of_a_reference_is_that_of_the_bundles_encoder(
    client: httpx2.Client, bundles: Path, direction: str
) -> None:
    answer = translate(client, direction, files={"reference": encoded(REFERENCE)})
    code = run(bundles / direction, STYLE_ENCODER, pixels=REFERENCE)
    assert_equal(answer["image"], run(bundles / direction, GENERATOR, pixels=PICTURE, style=code))
    assert answer["style"] == {"seed": None}


def test_mask_is_attention_with_absolute_values(client: httpx2.Client) -> None:
    answer = translate(client, "photo2avatar")
    assert answer["attention"]["source_probability"] is None
    raw = client.get(f"/attention/{answer['id']}/raw").raise_for_status().json()
    assert (raw["kind"], raw["range"]) == ("mask", {"low": 0, "high": 1})
    assert raw["shape"] == [SIZE, SIZE]
    # Where the mask is 0, AGGAN's translation is the photo.
    mask = np.asarray(raw["values"])[..., None]
    changed = np.abs(pixels_of(base64.b64decode(answer["image"]["data"])).astype(float) - PICTURE)
    assert (changed <= 255 * mask + 1).all()


def command(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(cli, ["translate", *map(str, arguments)])
    return result.exit_code, result.output


def test_command_translates_in_the_style_of_a_seed_or_a_reference(bundles: Path, tmp_path: Path) -> None:
    photo, reference = tmp_path / "photo.png", tmp_path / "reference.png"
    photo.write_bytes(encoded(PICTURE))
    reference.write_bytes(encoded(REFERENCE))
    given = (photo, "--bundles", bundles, "--face", "none", "--direction")
    for name, options in {"seed": ("--style", 2), "like": ("--reference", reference)}.items():
        assert command(*given, "cat2dog", "--out", tmp_path / name, *options)[0] == 0
    code = draw_style(2, DIMENSION)
    expected = run(bundles / "cat2dog", GENERATOR, pixels=PICTURE, style=code).astype(int)
    assert np.abs(pixels_of((tmp_path / "seed/photo.png").read_bytes()) - expected).max() <= 1
    assert (tmp_path / "like/photo.png").read_bytes() != (tmp_path / "seed/photo.png").read_bytes()

    refused = {
        "leave one of them out": ("cat2dog", "--style", 1, "--reference", reference),
        "photo2avatar has no styles": ("photo2avatar", "--style", 1),
        "reference cannot be used": ("cat2dog", "--reference", bundles / "cat2dog" / "card.md"),
    }
    for sentence, options in refused.items():
        exit_code, output = command(*given, *options, "--out", tmp_path / "none")
        assert exit_code == 2
        assert sentence in " ".join(output.split())
    assert not (tmp_path / "none").exists()
