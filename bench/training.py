"""Time the training step of the official code and ours, on the same weights, pictures and threads.

python -m bench.training [--size 128 --channels 32 --batch 4 --threads 2 --rounds 7 --measures --json]
python -m bench.training --method cyclegan [the same options but --measures]

With --measures, each line adds one optimisation to those of the line before it. Another method's step is
compared with the same step in eager torch without any compute setting.

A product of large matrices runs in turn with the contenders. Its rate is the limit of the machine in that
precision. Each contender's share of it counts the operations of the direct convolutions in its step: the
official step has passes more than ours.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from dataclasses import replace

import torch
from torch import Tensor

from bench.gemm import Work, count_operations, gemm_contenders, gemm_figures, gemm_work
from bench.harness import alternate, report
from bench.official_step import official_step
from bench.plain import method_by_formula
from models.networks.config import DiscriminatorConfig, GeneratorConfig
from training.commands.options import values_of
from training.config.compute_settings import UNOPTIMIZED, ComputeConfig, ComputeSettings, choose_settings
from training.config.run_config import from_mapping
from training.methods.progress import TYPICAL
from training.methods.registry import DEFAULT, KINDS, find_kind
from training.methods.ugatit.config import UgatitConfig
from training.methods.ugatit.method import Ugatit
from training.plan.plan import fit_networks
from training.plan.step_costs import batch_names

OFFICIAL = "as the official code"
OURS = "ours"
EAGER = "in plain eager torch"
BFLOAT16 = "+ bfloat16"
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
    if arguments.method == DEFAULT:
        config, networks = _config(arguments), "light generators"
        contenders = _contenders(config, best, batch, measures=arguments.measures)
        one_pass = count_operations(_step(_method(config, UNOPTIMIZED), batch))
    else:
        contenders, networks = _eager_and_ours(arguments, best), arguments.method
        one_pass = count_operations(contenders[EAGER])
    work = _work(contenders, one_pass, best)
    precisions = {each.precision for each in work.values()}
    samples = alternate(contenders | gemm_contenders(precisions), rounds=arguments.rounds, warmup=1)
    rates, shares = gemm_figures(samples, work | gemm_work(precisions))
    facts = {"threads": arguments.threads, **best.facts()}
    size = f"batch {arguments.batch}, {arguments.size} px, {arguments.channels} channels"
    title = f"One step with {networks}, {size}"
    report(title, samples, base=OURS, facts=facts, as_json=arguments.json, rates=rates, shares=shares)


def _work(contenders: Mapping[str, Step], one_pass: int, best: ComputeSettings) -> dict[str, Work]:
    """Return each contender's work: the official step's own operations, the others' those of our step."""
    lower = {OURS, BFLOAT16} if best.bfloat16 else set()
    return {
        name: Work(
            count_operations(call) if name == OFFICIAL else one_pass,
            "bfloat16" if name in lower else "float32",
        )
        for name, call in contenders.items()
    }


def _eager_and_ours(arguments: argparse.Namespace, best: ComputeSettings) -> dict[str, Step]:
    """Return the step of another method, in plain eager torch and with the best compute settings."""
    flags = {"size": arguments.size, "channels": arguments.channels, "batch": arguments.batch}
    kind = find_kind(arguments.method)
    values = values_of(kind, "common", {**flags, "precision": None, "assignments": ()})
    config = from_mapping(fit_networks(values)[0])
    shape = (config.pictures_each, 3, arguments.size, arguments.size)
    batch = {name: torch.rand(shape) * 2 - 1 for name in batch_names(config)}

    def step(speed: ComputeSettings) -> Step:
        torch.manual_seed(0)
        method = config.make_method(speed=speed)
        return lambda: method.step(batch, TYPICAL)

    return {EAGER: step(UNOPTIMIZED), OURS: step(best)}


def _contenders(
    config: UgatitConfig, best: ComputeSettings, batch: dict[str, Tensor], *, measures: bool
) -> dict[str, Step]:
    """Return steps by name: the official one, one per optimisation if `measures`, and ours."""
    plain = method_by_formula(_method(config, UNOPTIMIZED))
    steps: dict[str, Step] = {OFFICIAL: lambda: official_step(plain, batch)}
    if measures:
        steps |= {name: _step(method, batch) for name, method in _measures(config, best).items()}
    ours = _step(_method(config, best), batch)
    return {**steps, OURS: ours}


def _measures(config: UgatitConfig, best: ComputeSettings) -> dict[str, Ugatit]:
    """Return methods with one more optimisation each; those that this machine does not use are left out."""
    speed = UNOPTIMIZED
    found = {
        "+ one pass for two, frozen discriminators": method_by_formula(_method(config, speed)),
        "+ fused normalisation and CAM": _method(config, speed),
    }
    settings = {
        "+ channels last": replace(speed, channels_last=best.channels_last),
        "+ quick convolutions": replace(speed, channels_last=best.channels_last, quick=best.quick),
        BFLOAT16: replace(best, fused_adam=False, compile=False, notes=()),
    }
    for name, more in settings.items():
        if more != speed:
            found[name], speed = _method(config, more), more
    return found  # ours adds fused Adam, and compilation with --compile


def _method(config: UgatitConfig, speed: ComputeSettings) -> Ugatit:
    torch.manual_seed(0)
    return Ugatit(config, speed=speed)


def _step(method: Ugatit, batch: dict[str, Tensor]) -> Step:
    return lambda: method.step(batch, TYPICAL)


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
    parser.add_argument("--method", choices=list(KINDS), default=DEFAULT)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--channels", type=int, default=32)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--precision", choices=PRECISIONS, default="auto")
    parser.add_argument("--compile", action="store_true", help="compile ours (on a GPU)")
    parser.add_argument("--measures", action="store_true", help="add the optimisations one by one")
    parser.add_argument("--json", action="store_true", help="one JSON object with every sample")
    return parser.parse_args()


if __name__ == "__main__":
    main()
