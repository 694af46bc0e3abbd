"""What a run tells of itself: numbers, curves, sheets, progress."""

from __future__ import annotations

import copy
import errno
import io
import json
import os
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from rich.console import Console
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.summary.writer.event_file_writer import AtomicCounter

from models.images.heatmap import own_range
from models.images.legend import draw_legend
from tests.training.tiny import SIZE, empty_run, pictures, tiny_config
from training.journal.journal import Journal
from training.journal.progress import LOG_SECONDS, show_progress
from training.journal.sample_sheets import ATTENTION, draw_sheet, sample_one_by_one
from training.methods.finite_updates import SkippedStep
from training.methods.method import Column
from training.methods.progress import TYPICAL
from training.methods.running_average import RunningAverage
from training.methods.ugatit.kind import UGATIT
from training.methods.ugatit.method import Ugatit
from training.parallel.processes import SingleProcess
from training.run.samples import take_samples
from training.run_folder.folder import RunFolder


def open_journal(run: RunFolder, method: Ugatit, *, done: int = 0, **config: Any) -> Journal:
    console = Console(file=io.StringIO())
    return Journal(run, tiny_config(**config), method, SingleProcess(), done=done, console=console)


def lines_of(run: RunFolder) -> list[dict[str, Any]]:
    return [json.loads(line) for line in run.stats.read_text().splitlines()]


def test_a_line_holds_the_means_since_the_line_before_it(tmp_path: Path) -> None:
    run = empty_run(tmp_path)
    with open_journal(
        run, Ugatit(tiny_config().ugatit), steps=3, stats_every=2, tensorboard=False
    ) as journal:
        for step, (loss, seconds) in enumerate([(1.0, 2.0), (3.0, 4.0), (8.0, 1.0)], start=1):
            terms = {"G_cycle_A": torch.tensor(loss)}
            journal.note(step, terms, seconds=seconds, data_seconds=seconds / 4)
    both, last = lines_of(run)
    assert (both["step"], both["steps"], both["G_cycle_A"]) == (2, 2, 2.0)
    assert (both["seconds"], both["data_seconds"]) == (3.0, 0.75)
    assert both["images_per_second"] == 2 * 2 * 2 / 6.0  # two steps of two pictures of two domains
    assert (last["step"], last["steps"], last["G_cycle_A"]) == (3, 1, 8.0)


def test_a_save_writes_a_line_for_the_steps_since_the_last_line(tmp_path: Path) -> None:
    method, run = Ugatit(tiny_config().ugatit), empty_run(tmp_path)
    for done, steps in ((0, [1, 2, 3]), (3, [4])):
        with open_journal(run, method, done=done, stats_every=2, tensorboard=False) as journal:
            for step in steps:
                journal.note(step, {"G_cycle_A": torch.tensor(1.0)}, seconds=1.0, data_seconds=0.0)
            journal.write_samples(steps[-1], {})
    assert [(line["step"], line["steps"]) for line in lines_of(run)] == [(2, 2), (3, 1), (4, 1)]


def test_a_line_holds_learning_rates_gradient_norms_and_rho(tmp_path: Path) -> None:
    config = tiny_config(tensorboard=False, stats_every=1)
    method, run = Ugatit(config.ugatit), empty_run(tmp_path)
    with open_journal(run, method, tensorboard=False, stats_every=1) as journal:
        journal.note(1, method.step(pictures(), TYPICAL), seconds=1.0, data_seconds=0.0)
    (line,) = lines_of(run)
    assert line["learning_rate"] == pytest.approx({"generators": 2e-4, "discriminators": 2e-4})
    assert line["gradient_norm"].keys() == method.networks.keys()
    for name, network in method.networks.items():
        gradients = [p.grad.flatten() for p in network.parameters() if p.grad is not None]
        assert line["gradient_norm"][name] == pytest.approx(float(torch.cat(gradients).norm()), rel=1e-5)
    rho = method.generators["genA2B"].decoder[0].norm2.rho.detach()
    told = line["distributions"]["rho/genA2B.decoder.0.norm2"]
    assert told["mean"] == pytest.approx(float(rho.mean()), rel=1e-3)
    assert told["min"] <= told["mean"] <= told["max"]
    assert len(line["distributions"]) == 2 * (2 + 2)  # a block's two and both up-sampling layers, twice


@pytest.mark.parametrize("normalization", ["in", "ln", "adain", "gn"])
def test_an_ablation_without_a_learned_rho_records_none(normalization: str) -> None:
    config = tiny_config(ugatit={"generator": {"normalization": normalization}})
    assert Ugatit(config.ugatit).distributions() == {}


def test_tensorboard_gets_every_number_rho_and_the_sheets(tmp_path: Path) -> None:
    config = tiny_config(stats_every=1)
    method, run = Ugatit(config.ugatit), empty_run(tmp_path)
    with open_journal(run, method, stats_every=1) as journal:
        terms = method.step(pictures(), TYPICAL)
        journal.note(1, terms, seconds=1.0, data_seconds=0.0)
        journal.write_samples(1, take_samples(method, None, {"test": pictures()}).sheets)
    (line,) = lines_of(run)
    board = EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    scalars = set(board.Tags()["scalars"])
    assert {f"loss/{name}" for name in terms} <= scalars
    assert {f"gradient_norm/{name}" for name in method.networks} <= scalars
    assert {"learning_rate/generators", "speed/images_per_second", "speed/data_seconds"} <= scalars
    assert board.Scalars("loss/G_cycle_A")[0].value == pytest.approx(line["G_cycle_A"])
    assert set(board.Tags()["histograms"]) == set(line["distributions"])
    (sheet,) = board.Images("samples/A2B-test")
    assert sheet.encoded_image_string == (run.samples / "00000001-A2B-test.jpg").read_bytes()


def test_tensorboard_replaces_repeated_steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Files of the same second are read in the order of their numbers as words: 10 would come before 9.
    monkeypatch.setattr("tensorboard.summary.writer.event_file_writer._global_uid", AtomicCounter(0))
    method, run = Ugatit(tiny_config().ugatit), empty_run(tmp_path)
    for done, losses in ((0, [1.0, 2.0, 3.0]), (1, [20.0, 30.0])):
        with open_journal(run, method, done=done, stats_every=1) as journal:
            for step, loss in enumerate(losses, start=done + 1):
                journal.note(step, {"G_cycle_A": torch.tensor(loss)}, seconds=1.0, data_seconds=0.0)
    board = EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    points = [(point.step, point.value) for point in board.Scalars("loss/G_cycle_A")]
    assert points == [(1, 1.0), (2, 20.0), (3, 30.0)]


def test_environment_json_records_every_start_and_resume(tmp_path: Path) -> None:
    method, run = Ugatit(tiny_config().ugatit), empty_run(tmp_path)
    for done in (0, 2):
        with open_journal(run, method, done=done, tensorboard=False):
            pass
    entries = json.loads(run.environment.read_text())
    assert [entry["step"] for entry in entries] == [0, 2]
    assert entries[0]["versions"]["torch"] == torch.__version__
    assert entries[0]["threads"] == torch.get_num_threads()


def test_sampling_does_not_change_training() -> None:
    config = tiny_config()
    method = Ugatit(config.ugatit)
    average = RunningAverage(method.networks, method.averaged_networks, decay=0.5)
    method.step(pictures(), TYPICAL)
    before = {name: network.state_dict() for name, network in method.networks.items()}
    before = {name: {key: value.clone() for key, value in each.items()} for name, each in before.items()}
    with average.in_place():
        method.sample(pictures())
    for name, network in method.networks.items():
        assert network.training
        for key, value in network.state_dict().items():
            assert torch.equal(value, before[name][key]), f"{name}.{key}"


def test_the_score_is_cycle_plus_identity_l1_of_both_directions() -> None:
    zero, half = torch.zeros(1, 3, 2, 2), torch.full((1, 3, 2, 2), 0.5)
    there = [Column("source", zero), Column("reconstruction", half), Column("identity", -half)]
    back = [Column("source", half), Column("reconstruction", half), Column("identity", zero)]
    assert Ugatit(tiny_config().ugatit).score({"A2B": there, "B2A": back}) == 1.5


def test_samples_of_one_picture_at_a_time_equal_those_of_the_batch() -> None:
    method = Ugatit(tiny_config().ugatit)
    whole, parts = method.sample(pictures(3)), sample_one_by_one(method.sample, pictures(3))
    for direction, columns in whole.items():
        assert [column.label for column in parts[direction]] == [column.label for column in columns]
        for one, other in zip(parts[direction], columns, strict=True):
            torch.testing.assert_close(one.values, other.values, rtol=1e-4, atol=1e-4)


def test_a_sheet_shows_where_each_network_looked() -> None:
    columns = Ugatit(tiny_config().ugatit).sample(pictures())["A2B"]
    assert [column.label for column in columns] == [
        "source",
        "attention",
        "local D",
        "global D",
        "translation",
        "local D",
        "global D",
        "attention back",
        "reconstruction",
        "identity",
    ]
    sheet = draw_sheet(columns, title="A2B, test pictures, step 1")
    assert sheet.width >= 10 * SIZE
    assert sheet.height >= 2 * SIZE


def test_a_save_writes_a_sheet_of_the_parts_of_each_network(tmp_path: Path) -> None:
    method, run = Ugatit(tiny_config().ugatit), empty_run(tmp_path)
    samples = take_samples(method, None, {"train": pictures(1), "test": pictures(2)})
    with open_journal(run, method, tensorboard=False) as journal:
        journal.write_samples(1, samples.sheets, samples.memorised, samples.parts)
    written = {file.name for file in run.samples.iterdir()}
    names = {f"{direction}-{network}" for direction in ("A2B", "B2A") for network in ATTENTION}
    assert {f"00000001-{name}.jpg" for name in names} <= written
    columns = samples.parts["A2B-local"]
    assert [column.label for column in columns] == [
        "translation", "whole map", "average pool's share", "max pool's share", "classifier's map"
    ]  # fmt: skip
    assert {len(column.values) for column in columns} == {2}  # of the test pictures


def test_the_shares_of_both_pools_and_of_the_bias_sum_up_to_the_whole_map() -> None:
    method = Ugatit(tiny_config().ugatit)
    for network in method.networks.values():
        torch.nn.init.zeros_(network.cam.merge.bias)
    before = copy.deepcopy(method.discriminators["disLB"].state_dict())
    for name, (_, whole, average, maximum, classifier) in method.sample_parts(pictures()).items():
        torch.testing.assert_close(average.values + maximum.values, whole.values, rtol=1e-3, atol=1e-4)
        assert not torch.allclose(classifier.values, whole.values), name
    after = method.discriminators["disLB"].state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_networks_without_attention_leave_its_columns_out() -> None:
    none = {"cam": False}
    config = tiny_config(
        ugatit={"generator": none, "global_discriminator": none, "local_discriminator": none}
    )
    labels = [column.label for column in Ugatit(config.ugatit).sample(pictures())["B2A"]]
    assert labels == ["source", "translation", "reconstruction", "identity"]
    assert Ugatit(config.ugatit).sample_parts(pictures()) == {}


TERMS = {f"G_{kind}_{domain}": torch.tensor(0.25) for kind in ("cycle", "identity", "cam") for domain in "AB"}
TERMS |= {"G_adv_GA": torch.tensor(0.75), "G_cam_adv_GA": torch.tensor(9.0)}


def shown(*, terminal: bool, steps: int, minutes: list[float], monkeypatch: pytest.MonkeyPatch) -> str:
    """What is printed of a run whose steps end at these minutes."""
    file = io.StringIO()
    console = Console(file=file, force_terminal=terminal, width=80, color_system=None)
    clock = iter(LOG_SECONDS * minute for minute in minutes)
    progress = show_progress(
        console, families=UGATIT.families, steps=steps, done=steps - len(minutes), pictures=2
    )
    monkeypatch.setattr("training.journal.progress.now", lambda: next(clock))
    for _ in minutes:
        progress.advance(TERMS, seconds=0.5)
    progress.close()
    return file.getvalue()


def test_a_log_has_a_line_for_the_first_step_every_minute_and_the_last_step(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    minutes = [0.0, 0.5, 1.0, 1.5, 1.75, 2.5, 2.75]
    told = shown(terminal=False, steps=1007, minutes=minutes, monkeypatch=monkeypatch)
    steps = [line.split(",", 1)[0] for line in told.replace("1,00", "100").splitlines()]
    assert steps == ["step 1001 of 1007", "step 1003 of 1007", "step 1006 of 1007", "step 1007 of 1007"]
    assert "cycle 0.250, identity 0.250, cam 0.250, adversarial 0.750, 4 images/s, 0:00:03 left" in told
    assert "\x1b" not in told


def test_the_bar_of_a_long_run_fits_a_terminal_of_80_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    told = shown(terminal=True, steps=1_000_000, minutes=[0.0, 1.0], monkeypatch=monkeypatch)
    lines = re.sub(r"\x1b\[[^a-zA-Z]*[a-zA-Z]|\r", "\n", told).splitlines()
    bar = next(line for line in lines if line.startswith("step 1,000,000 of 1,000,000"))
    losses = next(line for line in lines if line.startswith("cycle"))
    assert "100%" in bar
    assert losses.split("  ")[:2] == ["cycle 0.250", "identity 0.250"]
    assert "4 images/s" in losses
    assert max(len(line) for line in (bar, losses)) <= 80


NAN = {"G_cycle_A": torch.tensor(float("nan")), "G_cycle_B": torch.tensor(2.0)}
SKIPPED = SkippedStep(2, {"generators": ["G_cycle_A"]}, ["trainA/blank.png", "trainB/1.png"])


def test_a_step_that_skipped_an_update_is_listed_and_not_in_the_means(tmp_path: Path) -> None:
    method, run = Ugatit(tiny_config().ugatit), empty_run(tmp_path)
    with open_journal(run, method, stats_every=3) as journal:
        for step, (loss, skipped) in enumerate([(1.0, None), (None, SKIPPED), (3.0, None)], start=1):
            terms = NAN if loss is None else {"G_cycle_A": torch.tensor(loss), "G_cycle_B": torch.tensor(2.0)}
            method.learner.skips["generators"].count(skipped=skipped is not None)
            journal.note(step, terms, seconds=1.0, data_seconds=0.0, skipped=skipped)
    (line,) = lines_of(run)
    assert (line["steps"], line["G_cycle_A"], line["G_cycle_B"]) == (3, 2.0, 2.0)
    assert line["skips"] == {"generators": 1, "discriminators": 0}
    assert line["skipped"] == [
        {"step": 2, "not_finite": {"generators": ["G_cycle_A"]}, "pictures": SKIPPED.pictures}
    ]
    board = EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    assert [(point.step, point.value) for point in board.Scalars("skips/generators")] == [(3, 1.0)]


def test_a_line_of_skipped_steps_alone_has_no_losses_and_is_json(tmp_path: Path) -> None:
    method, run = Ugatit(tiny_config().ugatit), empty_run(tmp_path)
    method.learner.skips["generators"].count(skipped=True)
    with open_journal(run, method, stats_every=1) as journal:
        journal.note(1, NAN, seconds=1.0, data_seconds=0.0, skipped=SKIPPED)
    (line,) = lines_of(run)
    assert "G_cycle_A" not in line
    assert "NaN" not in run.stats.read_text()


def test_only_the_first_skipped_steps_print_a_warning(tmp_path: Path) -> None:
    out = io.StringIO()
    method = Ugatit(tiny_config().ugatit)
    console = Console(file=out, width=80)
    config = tiny_config(tensorboard=False, steps=9)
    run = empty_run(tmp_path)
    with Journal(run, config, method, SingleProcess(), done=0, console=console) as journal:
        for step in range(1, 6):
            journal.note(step, NAN, seconds=1.0, data_seconds=0.0, skipped=SKIPPED._replace(step=step))
    told = out.getvalue()
    assert [int(step) for step in re.findall(r"Warning: step (\d+) skipped", told)] == [1, 2, 3]
    assert "its pictures were trainA/blank.png, trainB/1.png." in told
    assert "Further skipped updates are listed in stats.jsonl only." in told


def test_a_sheet_has_a_legend_below_each_heat_map() -> None:
    columns = [Column("source", torch.zeros(1, 3, 128, 128)), Column("attention", torch.rand(1, 8, 8))]
    sheet = np.asarray(draw_sheet(columns, title="A2B"))
    legend = np.asarray(draw_legend(own_range(columns[1].values[0].numpy()), "jet", width=128))
    assert np.array_equal(sheet[-len(legend) :, -128:], legend)


def test_a_sheet_crosses_out_what_is_not_finite() -> None:
    bad = torch.full((1, 3, 32, 32), float("nan"))
    columns = [
        Column("source", pictures(1)["A"]),
        Column("attention", torch.full((1, 8, 8), float("inf"))),
        Column("translation", bad),
        Column("attention back", torch.rand(1, 8, 8)),
    ]
    sheet = draw_sheet(columns, title="A2B")
    crossed = [sheet.getpixel((left + 16, sheet.height - 30)) for left in (34, 68, 102)]
    assert crossed == [(0xBB, 0xBB, 0xBB)] * 3


def test_a_partly_written_line_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = empty_run(tmp_path)
    run.add_stats({"step": 1})

    def half(handle: int, data: memoryview) -> None:
        os.write(handle, data[:4])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr("training.run_folder.folder.write_all", half)
        with pytest.raises(OSError, match="No space left"):
            run.add_stats({"step": 2})
    run.add_stats({"step": 3})
    assert [line["step"] for line in lines_of(run)] == [1, 3]


def test_a_save_records_how_well_discriminators_know_their_training_pictures(tmp_path: Path) -> None:
    method, run = Ugatit(tiny_config().ugatit), empty_run(tmp_path)
    sets = {"train": pictures(), "test": {domain: -part for domain, part in pictures().items()}}
    before = copy.deepcopy(method.networks["disGA"].state_dict())
    with open_journal(run, method, tensorboard=False) as journal:
        journal.note(1, {"G_cycle_A": torch.tensor(1.0)}, seconds=1.0, data_seconds=0.0, saving=True)
        samples = take_samples(method, None, sets)
        journal.write_samples(1, samples.sheets, samples.memorised)
    (line,) = lines_of(run)
    assert line["memorised"].keys() == {"GA", "GB", "LA", "LB"}
    with torch.no_grad():
        learned, unseen = (
            method.discriminators["disGA"].eval()(sets[name]["A"]).logit.mean() for name in ("train", "test")
        )
    assert line["memorised"]["GA"] == pytest.approx(float(learned - unseen), rel=1e-4)
    after = method.networks["disGA"].state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_without_test_pictures_nothing_is_said_about_memory(tmp_path: Path) -> None:
    method = Ugatit(tiny_config().ugatit)
    assert take_samples(method, None, {"train": pictures()}).memorised == {}
