"""The training step: as the official code does it, and ours, on the same weights, pictures and threads.

python -m bench.training [--size 128 --channels 32 --batch 4 --threads 2 --rounds 7 --json]
"""

from __future__ import annotations

import argparse
import copy

import torch

from bench.harness import alternate, report
from bench.plain_step import plain_step
from models.networks.config import DiscriminatorConfig, GeneratorConfig
from training.methods.ugatit import Ugatit
from training.methods.ugatit_config import UgatitConfig


def main() -> None:
    """Measure and print."""
    arguments = _arguments()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    ours = Ugatit(_config(arguments))
    plain = copy.deepcopy(ours)
    batch = {
        domain: torch.rand(arguments.batch, 3, arguments.size, arguments.size) * 2 - 1 for domain in "AB"
    }
    samples = alternate(
        {
            "as the official code": lambda: plain_step(plain, batch),
            "ours": lambda: ours.step(batch, progress=0.0),
        },
        rounds=arguments.rounds,
        warmup=1,
    )
    facts = {"threads": arguments.threads, "precision": "float32"}
    title = f"One step, batch {arguments.batch}, {arguments.size} px, {arguments.channels} channels, CPU"
    report(title, samples, base="ours", facts=facts, as_json=arguments.json)


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
    parser.add_argument("--json", action="store_true", help="one JSON object with every sample")
    return parser.parse_args()


if __name__ == "__main__":
    main()
