"""CycleGAN as a method: what a step changes, its schedule, its pools, and runs that continue exactly."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest
import torch
from torch import Tensor

from models.networks.config import ConfigError
from models.networks.cyclegan import CycleganDiscriminatorConfig, CycleganGeneratorConfig
from tests.training.command import data_set, typed
from training.checkpoint.read import load_newest
from training.config.run_config import from_mapping, load_preset
from training.methods.cyclegan.config import CycleganConfig
from training.methods.cyclegan.method import Cyclegan
from training.methods.progress import TYPICAL, Progress

SIZE = 32
STEPS = 8
FIT = (
    "--method=cyclegan",
    f"--size={SIZE}",
    "--channels=4",
    "--batch=2",
    f"--steps={STEPS}",
    "--save-every=4",
    "--set=cyclegan.generator.blocks=1",
    "--set=cyclegan.discriminator.layers=2",
    "--set=cyclegan.pool=3",
    "--set=data.resize_margin=4",
    "--set=average_decay=0.9",
    "--set=tensorboard=false",
)


def small(**changes: object) -> Cyclegan:
    torch.manual_seed(3)
    config = CycleganConfig(
        generator=CycleganGeneratorConfig(channels=4, blocks=1),
        discriminator=CycleganDiscriminatorConfig(channels=4, layers=2),
        **changes,  # type: ignore[arg-type]
    )
    method = Cyclegan(config, size=SIZE)
    for network in method.networks.values():
        network.double()
    return method


def batch(count: int = 2, *, seed: int = 1) -> dict[str, Tensor]:
    random = torch.Generator().manual_seed(seed)
    return {domain: torch.rand(count, 3, SIZE, SIZE, generator=random).double() * 2 - 1 for domain in "AB"}


def weights(method: Cyclegan) -> dict[str, Tensor]:
    return {
        f"{name}/{key}": value.clone()
        for name, network in method.networks.items()
        for key, value in network.state_dict().items()
    }


def test_a_step_changes_every_network_and_names_its_terms_by_domain() -> None:
    method = small()
    before = weights(method)
    terms = method.step(batch(), TYPICAL)
    after = weights(method)
    changed = {name.partition("/")[0] for name in before if not torch.equal(before[name], after[name])}
    assert changed == {"genA2B", "genB2A", "disA", "disB"}
    families = ("G_adv", "G_identity", "G_cycle", "D_real", "D_fake")
    assert terms.keys() == {f"{family}_{domain}" for family in families for domain in "AB"}


def test_micro_batches_give_the_update_of_the_whole_batch() -> None:
    whole = small(pool=0)
    parts = copy.deepcopy(whole)
    expected, found = whole.step(batch(4), TYPICAL), parts.step(batch(4), TYPICAL, accumulate=2)
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-12)
    kernels = [name for name in weights(whole) if name.endswith("conv.weight")]
    assert kernels
    for name in kernels:
        torch.testing.assert_close(weights(parts)[name], weights(whole)[name], rtol=1e-6, atol=1e-8)


def test_without_identity_weight_no_identity_is_computed() -> None:
    config = load_preset("common", "cyclegan") | {"cyclegan": {"weights": {"identity": 0.0}}}
    method = small(weights=from_mapping(config).cyclegan.weights)
    assert not any(name.startswith("G_identity") for name in method.step(batch(), TYPICAL))


@pytest.mark.parametrize(
    ("step", "factor"), [(1, 1), (99 * 10, 1), (99 * 10 + 1, 100 / 101), (150 * 10, 50 / 101), (2000, 0)]
)
def test_author_schedule_falls_at_the_start_of_an_epoch_from_the_hundredth_on(
    step: int, factor: float
) -> None:
    method = small(epochs=200)
    method.step(batch(1), Progress(step, 2_000, 10))
    assert method.optimizers["generators"].param_groups[0]["lr"] == pytest.approx(2e-4 * factor)


def test_earlier_official_schedule_falls_one_epoch_later() -> None:
    now, before = CycleganConfig(epochs=200), CycleganConfig(epochs=200, epoch_decay="at end")
    assert before.learning_rate_at(0.5) == now.learning_rate_at(0.495) < now.learning_rate
    assert before.learning_rate_at(0.4999) == now.learning_rate


def test_common_schedule_falls_at_every_step_of_the_second_half() -> None:
    config = CycleganConfig()
    assert config.learning_rate_at(0.5) == config.learning_rate
    assert config.learning_rate_at(0.75) == pytest.approx(config.learning_rate / 2)
    assert config.learning_rate_at(1.0) == 0


def test_a_step_that_is_skipped_leaves_no_picture_in_the_pools() -> None:
    method = small(pool=2)
    method.step(batch(), TYPICAL)
    before = {name: value.clone() for name, value in method.extra_state().tensors.items()}
    broken = batch(seed=2)
    broken["A"][0, 0, 0, 0] = torch.nan
    method.step(broken, TYPICAL)
    assert method.learner.skipped
    after = method.extra_state().tensors
    assert after.keys() == before.keys() == {"A/0", "B/0"}
    assert all(torch.equal(after[name], value) for name, value in before.items())


def test_run_writes_sample_sheets_and_a_report(tmp_path: Path) -> None:
    pictures, run = data_set(tmp_path / "data"), tmp_path / "run"
    assert typed("fit", "--data", pictures, "--out", run, *FIT)[0] == 0
    assert load_newest(run / "checkpoints")[0].tensors["extra"]["A/0"].shape == (3, 3, SIZE, SIZE)
    assert json.loads((run / "config.json").read_text())["config"]["method"] == "cyclegan"
    sheets = sorted(path.name for path in (run / "samples").glob(f"{STEPS:08d}-*"))
    assert sheets == [f"{STEPS:08d}-{to}-{part}.jpg" for to in ("A2B", "B2A") for part in ("test", "train")]
    assert typed("report", run)[0] == 0
    page = (run / "report.html").read_text()
    assert "The score is cycle L1" in page
    assert "Discriminators, fake" in page


@pytest.mark.parametrize(
    ("section", "says"),
    [
        ({"pool": -1}, "cyclegan.pool must be at least 0, got -1"),
        ({"chanels": 4}, "Unknown config key 'cyclegan.chanels'"),
    ],
)
def test_invalid_section_is_one_sentence(section: dict[str, int], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        from_mapping({"method": "cyclegan", "cyclegan": section})


def test_section_of_another_method_is_refused_with_the_remedy() -> None:
    with pytest.raises(
        ConfigError, match='ugatit is the section of the method ugatit; give method = "ugatit"'
    ):
        from_mapping({"method": "cyclegan", "ugatit": {"learning_rate": 1e-4}})


def test_pictures_too_small_for_the_discriminator_are_refused() -> None:
    with pytest.raises(ConfigError, match="needs pictures of at least 24 px, got 16"):
        from_mapping({"method": "cyclegan", "data": {"size": 16}})


def test_plan_counts_full_pools_in_a_checkpoint() -> None:
    code, out, _ = typed("plan", *FIT, "--set=cyclegan.pool=0", "--json")
    without = json.loads(out)["disk_bytes"]["checkpoint"]
    _, out, _ = typed("plan", *FIT, "--json")
    pools = 2 * 3 * 3 * SIZE * SIZE * 4
    assert (code, json.loads(out)["disk_bytes"]["checkpoint"] - without) == (0, pools)
