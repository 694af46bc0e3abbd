"""UNIT and MUNIT: their steps, their runs, their official files and their bundles."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from models.bundle.declarations import StyleInput
from models.bundle.directory import Bundle
from models.bundle.manifest import STYLE_ENCODER
from models.networks.config import ConfigError
from models.networks.munit import MunitGeneratorConfig
from models.networks.unit import ScalesConfig, UnitGeneratorConfig
from tests.golden.reading import SHIPPED
from training.evaluation.translator import BundleTranslator, NetworkTranslator
from training.export.bundles import prepare_bundle
from training.export.parity import as_values, cpu_session
from training.importers.errors import OfficialCheckpointError
from training.methods.encoder_decoder.method import EncoderDecoder
from training.methods.importing import ImportRequest
from training.methods.munit.config import MunitConfig, MunitWeights
from training.methods.munit.method import Munit
from training.methods.progress import TYPICAL, Progress
from training.methods.registry import KINDS
from training.methods.unit.config import UnitConfig, UnitWeights
from training.methods.unit.method import Unit

SIZE = 16
NAMES = ("unit", "munit")
SCALES = ScalesConfig(channels=2, layers=2, scales=2)
EACH_METHOD = pytest.mark.parametrize("name", NAMES)


def small(name: str, **weights: float) -> EncoderDecoder:
    torch.manual_seed(3)
    if name == "unit":
        generator = UnitGeneratorConfig(channels=2, blocks=1)
        unit = UnitConfig(generator=generator, discriminator=SCALES, weights=UnitWeights(**weights))
        return Unit(unit, size=SIZE)
    style = MunitGeneratorConfig(channels=2, blocks=1, style=3, hidden=4)
    munit = MunitConfig(generator=style, discriminator=SCALES, weights=MunitWeights(**weights))
    return Munit(munit, size=SIZE)


def batch(count: int = 2) -> dict[str, Tensor]:
    random = torch.Generator().manual_seed(1)
    return {domain: torch.rand(count, 3, SIZE, SIZE, generator=random) * 2 - 1 for domain in "AB"}


@EACH_METHOD
def test_step_changes_every_network(name: str) -> None:
    method = small(name)
    before = {network: copy.deepcopy(module.state_dict()) for network, module in method.networks.items()}
    terms = method.step(batch(), TYPICAL)
    assert all(torch.isfinite(term) for term in terms.values())
    for network, module in method.networks.items():
        assert any(not torch.equal(value, before[network][key]) for key, value in module.state_dict().items())


@EACH_METHOD
def test_discriminators_objective_gives_the_generators_no_gradients(name: str) -> None:
    method = small(name)
    method.weighted_sum(method.discriminator_objective(batch())).backward()
    for network, module in method.networks.items():
        with_gradient = [each.grad is not None for each in module.parameters()]
        assert all(with_gradient) if network.startswith("dis") else not any(with_gradient)


def test_cycle_of_weight_zero_is_not_computed() -> None:
    assert "G_cycle_A" not in small("munit").step(batch(), TYPICAL)
    assert "G_cycle_A" in small("munit", cycle=10).step(batch(), TYPICAL)
    terms = small("unit", cycle=0, cycle_kl=0).step(batch(), TYPICAL)
    assert "G_cycle_A" not in terms
    assert "G_cycle_kl_A" not in terms


@EACH_METHOD
def test_learning_rate_halves_at_the_end_of_each_part_of_a_run(name: str) -> None:
    method = small(name)
    rates = [method.learning_rates(Progress(step, 1000, 7)) for step in (1, 99, 100, 199, 200, 1000)]
    assert rates == pytest.approx([1e-4, 1e-4, 5e-5, 5e-5, 2.5e-5, 1e-4 * 0.5**10])


def test_size_that_the_discriminators_cannot_judge_is_refused() -> None:
    config = UnitConfig()
    config.refuse_size(64)
    for size in (60, 66):
        with pytest.raises(ConfigError, match=f"multiple of 4 and at least 64 .* got {size}"):
            config.refuse_size(size)


def official_files(name: str, folder: Path) -> tuple[Path, Path]:
    """Write the golden weights as the official code writes them."""
    params = torch.load(SHIPPED / "baselines" / name / "params.pt", weights_only=True)
    files = folder / "gen_00000007.pt", folder / "dis_00000007.pt"
    for file, part in zip(files, ("gen", "dis"), strict=True):
        torch.save(params[part], file)
    return files


def read(name: str, *files: Path, **options: Any) -> Any:
    return KINDS[name].import_official(ImportRequest(files, ["A2B", "B2A"], **options))


@EACH_METHOD
def test_official_files_are_read_as_both_directions(name: str, tmp_path: Path) -> None:
    generators, discriminators = official_files(name, tmp_path)
    imported = read(name, discriminators, generators, size=64)
    assert [each.direction for each in imported.translators] == ["A2B", "B2A"]
    assert (imported.steps, imported.assumed_size) == (7, None)
    assert "discriminators" in imported.remarks[0]
    assert read(name, generators).assumed_size == 256


@EACH_METHOD
def test_official_weights_start_a_run(name: str, tmp_path: Path) -> None:
    generators, discriminators = official_files(name, tmp_path)
    first_weights = KINDS[name].read_official
    assert first_weights is not None
    assert first_weights(generators, {}, size=64).keys() == {"gen_A", "gen_B"}
    assert first_weights(discriminators, {}, size=64).keys() == {"dis_A", "dis_B"}


def test_file_of_another_method_says_what_it_looks_like(tmp_path: Path) -> None:
    generators, discriminators = official_files("munit", tmp_path)
    with pytest.raises(
        OfficialCheckpointError, match=r"looks like generators of MUNIT, which --method munit"
    ):
        read("unit", generators)
    with pytest.raises(OfficialCheckpointError, match="looks like a checkpoint of U-GAT-IT"):
        read("unit", SHIPPED / "light" / "params.pt")
    cyclegan = torch.load(SHIPPED / "baselines" / "cyclegan" / "params.pt", weights_only=True)
    torch.save(cyclegan["G_A"], tmp_path / "latest_net_G_A.pth")
    with pytest.raises(OfficialCheckpointError, match=r"looks like a generator of CycleGAN"):
        read("munit", tmp_path / "latest_net_G_A.pth")
    with pytest.raises(OfficialCheckpointError, match="only discriminators"):
        read("munit", discriminators)
    with pytest.raises(OfficialCheckpointError, match="the same networks"):
        read("munit", generators, generators)


def test_file_with_missing_and_unknown_keys_names_them(tmp_path: Path) -> None:
    generators, _ = official_files("unit", tmp_path)
    content = torch.load(generators, weights_only=True)
    content["a"]["enc.model.9.conv.weight"] = content["a"].pop("enc.model.1.conv.weight")
    torch.save(content, generators)
    with pytest.raises(OfficialCheckpointError, match=r"a lacks encoder\.down\.1\.conv\.weight"):
        read("unit", generators)


@EACH_METHOD
def test_bundle_computes_what_torch_does(name: str) -> None:
    translator = small(name).translators()[0]
    prepared = prepare_bundle("cat2dog", translator, precisions=True)
    bundle = Bundle(Path("cat2dog"), prepared.manifest, "1", prepared.files)
    assert bundle.manifest.method == name
    assert bundle.manifest.image.fixed is False
    style = bundle.manifest.style
    expected = StyleInput(name="style", kind="style", dimension=3, prior="normal")
    assert style == (expected if name == "munit" else None)
    pixels = np.random.default_rng(5).integers(0, 256, (3, SIZE, SIZE, 3), dtype=np.uint8)
    found = BundleTranslator(bundle).translate(pixels).image
    wanted = NetworkTranslator(name, translator).translate(pixels).image
    assert np.abs(found.astype(int) - wanted).max() <= 1


def test_style_of_a_reference_is_that_of_the_target_domains_encoder() -> None:
    method = small("munit")
    translator = method.translators()[0]
    assert not prepare_bundle("cat2dog", small("unit").translators()[0]).manifest.reference
    prepared = prepare_bundle("cat2dog", translator)
    assert prepared.manifest.reference
    pixels = np.random.default_rng(5).integers(0, 256, (2, SIZE, SIZE + 8, 3), dtype=np.uint8)
    (found,) = cpu_session(prepared.files[STYLE_ENCODER]).run(["style"], {"pixels": pixels})
    with torch.inference_mode():
        expected = method.networks["gen_B"].eval().style_encoder(as_values(pixels).float())  # type: ignore[operator]
    np.testing.assert_allclose(found, expected.numpy(), rtol=1e-4, atol=1e-5)


def test_styles_change_the_translation() -> None:
    network = small("munit").translators()[0].network.eval()
    picture = batch(1)["A"]
    with torch.inference_mode():
        one, same, other = (network(picture, torch.full((1, 3), value)).image for value in (1.0, 1.0, -1.0))
    assert torch.equal(one, same)
    assert not torch.allclose(one, other)
