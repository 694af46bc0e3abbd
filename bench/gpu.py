"""A bundle's generator on a GPU: latency and throughput by provider, precision and batch.

    python -m bench.gpu [--bundle bundles/selfie2anime --device 0 --max-batch 8 --rounds 30 --json]

Pixels are copied from and to the CPU's memory, as in the service. With a torch for CUDA, a product of large
matrices runs in turn on the same device: its rate is the limit, and each contender's share of it counts the
operations of the direct convolutions. Exit code 2 without a GPU.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from app.engine.directions.verification import verify
from app.engine.runtime.providers import ProviderRefused, cuda_devices
from app.engine.runtime.runtime import Runtime, batch_sizes, open_runtime
from app.engine.runtime.session import Model
from app.settings.settings import Settings
from bench.gemm import Work, gemm_figures, gemm_work, gpu_gemm_contenders, picture_operations
from bench.harness import Samples, alternate, report
from models.bundle.directory import read_bundle
from models.bundle.errors import BundleError
from models.bundle.manifest import GENERATOR

CHOICES = (("cuda", "float32"), ("tensorrt", "float32"), ("tensorrt", "float16"))


def main() -> None:
    """Measure and print."""
    arguments = _arguments()
    devices = cuda_devices()
    if arguments.device >= len(devices):
        sys.exit(
            _refuse(f"GPU {arguments.device} was not found; choose another --device, or check the driver.")
        )
    facts: dict[str, Any] = {"device": devices[arguments.device]}
    contenders = {}
    for name, runtime in _runtimes(arguments, facts):
        for batch, model, pixels in _batches(runtime, arguments):
            contenders[f"{name}, batch {batch}"] = partial(model.run, pixels)
    if not contenders:
        sys.exit(_refuse("no provider works on the GPU; install the extras cuda and tensorrt."))
    limits = gpu_gemm_contenders(arguments.device)
    samples = alternate(contenders | limits, rounds=arguments.rounds, warmup=3)
    rates, shares = _figures(samples, list(contenders), arguments.bundle) if limits else ({}, {})
    facts |= {f"{name}, pictures a second": _throughput(name, samples[name]) for name in contenders}
    if not limits:
        facts["share of the device's limit"] = "unknown: this torch has no CUDA"
    title = f"{arguments.bundle.name} on {facts['device']}"
    report(
        title,
        samples,
        base=next(iter(contenders)),
        facts=facts,
        as_json=arguments.json,
        rates=rates,
        shares=shares,
    )


def _figures(
    samples: dict[str, Samples], contenders: list[str], bundle: Path
) -> tuple[dict[str, float], dict[str, float]]:
    """Return the GFLOP/s of each contender and its share of the device's limit in its precision."""
    each = picture_operations(bundle)
    work = {name: Work(each * _batch(name), name.split()[1].rstrip(",")) for name in contenders}
    precisions = {one.precision for one in work.values()}
    return gemm_figures(samples, work | gemm_work(precisions))


def _batch(name: str) -> int:
    return int(name.rsplit(" ", 1)[1])


def _refuse(sentence: str) -> int:
    print(f"bench.gpu: {sentence}", file=sys.stderr)
    return 2


def _runtimes(arguments: argparse.Namespace, facts: dict[str, Any]) -> Iterator[tuple[str, Runtime]]:
    """Yield every choice that works and passes the canary; record in `facts` why another does not."""
    for provider, precision in CHOICES:
        name = f"{provider} {precision}"
        settings = Settings(provider=provider, precision=precision, devices=str(arguments.device))
        try:
            runtime = open_runtime(settings)
            psnr_db = verify(arguments.bundle, runtime.open).psnr_db
        except (ProviderRefused, BundleError) as error:
            facts[name] = f"left out: {error}"
        else:
            facts[f"{name}, canary"] = f"{psnr_db:.1f} dB"
            yield name, runtime


def _batches(runtime: Runtime, arguments: argparse.Namespace) -> Iterator[tuple[int, Model, Any]]:
    bundle = read_bundle(arguments.bundle)
    size = bundle.manifest.image
    model = runtime.open(bundle.files[GENERATOR])
    random = np.random.default_rng(0)
    for batch in batch_sizes(arguments.max_batch, few=True):
        yield batch, model, random.integers(0, 256, (batch, size.height, size.width, 3), np.uint8)


def _throughput(name: str, samples: Samples) -> float:
    return round(_batch(name) / samples.median, 1)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--bundle", type=Path, default=Path("bundles/selfie2anime"))
    parser.add_argument("--device", type=int, default=0)
    parser.add_argument("--max-batch", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--json", action="store_true", help="print one JSON object with every sample")
    return parser.parse_args()


if __name__ == "__main__":
    main()
