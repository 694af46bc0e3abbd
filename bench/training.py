"""The training step: as the official code does it, and ours, on the same weights, pictures and threads.

python -m bench.training [--size 128 --channels 32 --batch 4 --threads 2 --rounds 7 --measures --json]

With --measures each measure is added to those before it, and what it alone brings stands in its line.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from bench.harness import alternate, report
from bench.plain import method_by_formula
from bench.plain_step import plain_step
from models.networks.config import DiscriminatorConfig, GeneratorConfig
from training.config.compute_settings import ComputeConfig, ComputeSettings, choose_settings
from training.methods.ugatit.config import UgatitConfig
from training.methods.ugatit.method import PLAIN, Ugatit

OFFICIAL = "as the official code"
OURS = "ours"
PRECISIONS = ("auto", "float32", "bfloat16")

Step = Callable[[], object]


def main() -> None:
    """Measure and print."""
    arguments = _arguments()
    torch.set_num_threads(arguments.threads)
    best = choose_settings(ComputeConfig(precision=arguments.precision, compile=arguments.compile))
    batch = {
        domain: torch.rand(arguments.batch, 3, arguments.size, arguments.size) * 2 - 1 for domain in "AB"
    }
    contenders = _contenders(_config(arguments), best, batch, measures=arguments.measures)
    samples = alternate(contenders, rounds=arguments.rounds, warmup=1)
    facts = {"threads": arguments.threads, **best.facts()}
    size = f"batch {arguments.batch}, {arguments.size} px, {arguments.channels} channels"
    title = f"One step with light generators, {size}"
    report(title, samples, base=OURS, facts=facts, as_json=arguments.json)


def _contenders(
    config: UgatitConfig, best: ComputeSettings, batch: dict[str, Tensor], *, measures: bool
) -> dict[str, Step]:
    """Steps by name, from the slowest to ours; each adds one measure to the step before it."""
    plain = method_by_formula(_made(config, PLAIN))
    steps: dict[str, Step] = {OFFICIAL: lambda: plain_step(plain, batch)}
    if measures:
        steps |= {name: _step(method, batch) for name, method in _measures(config, best).items()}
    ours = _step(_made(config, best), batch)
    return {**steps, OURS: ours}


def _measures(config: UgatitConfig, best: ComputeSettings) -> dict[str, Ugatit]:
    """Ours as it grows; what this machine does not use is left out."""
    speed = PLAIN
    found = {
        "+ one pass for two, frozen discriminators": method_by_formula(_made(config, speed)),
        "+ fused normalisation and CAM": _made(config, speed),
    }
    grown = {
        "+ channels last": replace(speed, channels_last=best.channels_last),
        "+ quick convolutions": replace(speed, channels_last=best.channels_last, quick=best.quick),
        "+ bfloat16": replace(best, fused_adam=False, compile=False, notes=()),
    }
    for name, more in grown.items():
        if more != speed:
            found[name], speed = _made(config, more), more
    return found  # fused Adam, and compiling where it is asked for, make it ours


def _made(config: UgatitConfig, speed: ComputeSettings) -> Ugatit:
    torch.manual_seed(0)
    return Ugatit(config, speed=speed)


def _step(method: Ugatit, batch: dict[str, Tensor]) -> Step:
    return lambda: method.step(batch, progress=0.0)


def _config(arguments: argparse.Namespace) -> UgatitConfig:
    deepest = 6 if arguments.size < 256 else 7
    channels = arguments.channels
    return UgatitConfig(
        generator=GeneratorConfig(size=arguments.size, channels=channels, light=True),
        global_discriminator=DiscriminatorConfig(channels=channels, layers=deepest),
        local_discriminator=DiscriminatorConfig(channels=channels, layers=5),
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--channels", type=int, default=32)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--precision", choices=PRECISIONS, default="auto")
    parser.add_argument("--compile", action="store_true", help="compile ours")
    parser.add_argument("--measures", action="store_true", help="what each measure brings")
    parser.add_argument("--json", action="store_true", help="one JSON object with every sample")
    return parser.parse_args()


if __name__ == "__main__":
    main()
