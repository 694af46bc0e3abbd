"""Run contenders alternately and tell their medians, ratios and spread."""

from __future__ import annotations

import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import track
from rich.table import Table

CONTENDED = 1.25
"""A sample this many times the median is counted as slow: something else ran on the machine."""


@dataclass
class Samples:
    """What was measured of one contender, in seconds."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        return statistics.median(self.wall)

    @property
    def slow(self) -> int:
        """How many samples were slow; they stay in the figures."""
        return sum(sample > CONTENDED * self.median for sample in self.wall)


def alternate(
    contenders: Mapping[str, Callable[[], object]], *, rounds: int, warmup: int = 2
) -> dict[str, Samples]:
    """Call every contender once a round, in turn, so that a drifting machine meets them all alike."""
    samples = {name: Samples() for name in contenders}
    for index in track(range(warmup + rounds), "measuring", console=Console(stderr=True), transient=True):
        for name, call in contenders.items():
            wall, cpu = time.perf_counter(), time.process_time()
            call()
            if index >= warmup:
                samples[name].wall.append(time.perf_counter() - wall)
                samples[name].cpu.append(time.process_time() - cpu)
    return samples


def paired_ratio(slower: Samples, faster: Samples) -> list[float]:
    """How many times longer the one took than the other, round by round, in order of size."""
    return sorted(a / b for a, b in zip(slower.wall, faster.wall, strict=True))


def machine() -> dict[str, Any]:
    """The processor, the load and the versions that a figure depends on."""
    packages = (
        "torch",
        "onnxruntime-gpu",
        "onnxruntime",
        "onnxruntime-ep-openvino",
        "numpy",
        "pillow",
        "fastapi",
        "uvicorn",
    )
    versions = {name: version for name in packages if (version := _version(name))}
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        **versions,
    }


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    facts = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    name, family, model = (facts.get(key, "?") for key in ("model name", "cpu family", "model"))
    return f"{name} (family {family} model {model})"


def report(
    title: str,
    samples: Mapping[str, Samples],
    *,
    base: str,
    facts: Mapping[str, Any] | None = None,
    as_json: bool = False,
    rates: Mapping[str, float] | None = None,
    shares: Mapping[str, float] | None = None,
) -> None:
    """Print every contender's figures and how many times as fast as the others `base` is.

    Args:
        title: of the table.
        samples: of each contender, by name.
        base: the contender with which the others are compared.
        facts: printed below the machine.
        as_json: print one JSON object.
        rates: GFLOP/s of contenders.
        shares: of the machine's GEMM rate in a contender's precision that it reaches.
    """
    rates, shares = rates or {}, shares or {}
    rows = {name: _row(measured, samples[base]) for name, measured in samples.items()}
    for name in rates:
        rows[name] |= {"gflops": rates[name], "gemm_share": shares[name]}
    if as_json:
        json.dump(
            {"title": title, "machine": machine(), **(facts or {}), "results": rows}, sys.stdout, indent=1
        )
        print()
        return
    table = Table(title=title, title_justify="left")
    for column in (
        "contender",
        "median ms",
        "min",
        "max",
        "cpu ms",
        "slow samples",
        f"time / {base}'s",
        "spread",
        *(("GFLOP/s", "of GEMM") if rates else ()),
    ):
        table.add_column(column, justify="left" if column == "contender" else "right")
    for name, row in rows.items():
        table.add_row(
            name,
            *(f"{row[key]:.1f}" for key in ("median_ms", "min_ms", "max_ms", "cpu_ms")),
            f"{row['slow']} of {len(row['samples_ms'])}",
            f"{row['ratio']:.2f}",
            f"{row['ratio_q1']:.2f} to {row['ratio_q3']:.2f}",
            *_limit_cells(row) if rates else (),
        )
    console = Console(width=140)
    console.print(table)
    for key, value in {**machine(), **(facts or {})}.items():
        console.print(f"  {key}: {value}", highlight=False)


def _limit_cells(row: Mapping[str, Any]) -> tuple[str, str]:
    """Return the rate and its share of the limit, empty where the operations are unknown."""
    return (f"{row['gflops']:.0f}", f"{row['gemm_share']:.0%}") if "gflops" in row else ("", "")


def _row(measured: Samples, base: Samples) -> dict[str, Any]:
    ratios = paired_ratio(measured, base)
    return {
        "median_ms": measured.median * 1e3,
        "min_ms": min(measured.wall) * 1e3,
        "max_ms": max(measured.wall) * 1e3,
        "cpu_ms": statistics.median(measured.cpu) * 1e3,
        "slow": measured.slow,
        "ratio": statistics.median(ratios),
        "ratio_q1": ratios[len(ratios) // 4],
        "ratio_q3": ratios[(3 * len(ratios)) // 4],
        "samples_ms": [round(sample * 1e3, 2) for sample in measured.wall],
    }
