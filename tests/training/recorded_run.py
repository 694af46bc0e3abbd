"""Make a run's folder for tests, without training."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from tests.training.tiny import empty_run, tiny_config
from training.run_folder.environment import describe_environment
from training.run_folder.folder import RunFolder

COLOURS = {20: "#ff0000", 40: "#00ff00"}
"""Colours of the sample sheets by step."""


def line(step: int, **others: Any) -> dict[str, Any]:
    """Return a line of `stats.jsonl`."""
    losses = {"G_cycle_A": 1 / step, "G_cycle_B": 2 / step, "D_adv_GA": 0.5}
    return {
        "step": step,
        "steps": 10,
        "seconds": 2.0,
        "data_seconds": 0.5,
        "images_per_second": 2.0,
        **losses,
        "learning_rate": {"generators": 1e-4},
        "gradient_norm": {"genA2B": 3.0, "disGA": 5.0},
        "distributions": {"rho/genA2B.decoder.0.norm1": {"mean": 0.9, "min": 0.85, "max": 0.95}},
        **others,
    }


def old_line(step: int) -> dict[str, Any]:
    """Return a line as older versions wrote it."""
    return {"step": step, "seconds": 2.0, "G_cycle_A": 1 / step, "G_cycle_B": 2 / step, "D_adv_GA": 0.5}


def write_run(folder: Path, lines: Sequence[dict[str, Any]]) -> RunFolder:
    """Write a run with these lines, and sample sheets of two steps."""
    run = empty_run(folder)
    config = json.loads(tiny_config(steps=80).to_json())
    written = {"data": "/data/<cats> & dogs", "fingerprint": "0", "config": config}
    (folder / "config.json").write_text(json.dumps(written))
    for each in lines:
        run.add_stats(each)
    run.add_environment(describe_environment(0, processes=1))
    for step, colour in COLOURS.items():
        for name in ("A2B-test", "B2A-train"):
            Image.new("RGB", (200, 80), colour).save(run.samples / f"{step:08d}-{name}.jpg")
    return run
