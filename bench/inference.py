"""The generator in torch by the paper's plain formulas, its naive export, and our graph, also on OpenVINO.

python -m bench.inference [--size 256 --channels 64 --threads 2 --rounds 15 --json]

A product of large matrices runs in turn with the contenders. Its rate is the limit of the machine in that
precision; each contender's share of it counts the operations of the direct convolutions.
"""

from __future__ import annotations

import argparse
import copy
import io
import warnings
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from numpy.typing import NDArray

from app.engine.runtime import openvino
from app.engine.runtime.session import fix_shape
from bench.gemm import Work, count_operations, gemm_contenders, gemm_figures, gemm_work
from bench.harness import alternate, report
from bench.plain import by_formula
from models.bundle.canary import psnr_db
from models.bundle.graph_switches import MIXED, WINOGRAD, turn_on
from models.networks.config import GeneratorConfig
from models.networks.generator import Generator
from training.export.translator import export_translator
from training.methods.ugatit.translators import translator


def main() -> None:
    """Measure and print."""
    arguments = _arguments()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    generator = Generator(
        GeneratorConfig(size=arguments.size, channels=arguments.channels, light=not arguments.full)
    ).eval()
    plain = by_formula(generator)
    x = torch.rand(1, 3, arguments.size, arguments.size) * 2 - 1
    ours = export_translator(translator(generator).in_float64(), values=True)
    sessions = {
        "naive export": _session(_naive_export(plain, x), arguments.threads),
        "our graph, direct": _session(ours, arguments.threads),
        "our graph": _session(turn_on(ours, WINOGRAD), arguments.threads),
        "our graph, no parts": _session(_without_parts(turn_on(ours, WINOGRAD)), arguments.threads),
        **_openvino_sessions(ours, arguments),
    }
    facts: dict[str, Any] = {
        "threads": arguments.threads,
        "size": arguments.size,
        "channels": arguments.channels,
    }
    facts |= _exactness(plain, generator, x, sessions)

    @torch.inference_mode()
    def eager(network: Generator) -> object:
        return network(x)

    contenders: dict[str, Any] = {
        "torch eager, plain formula": lambda: eager(plain),
        "torch eager, fused": lambda: eager(generator),
    }
    for name, session in sessions.items():
        contenders[name] = lambda session=session: _run(session, x)
    operations = count_operations(lambda: eager(plain))
    work = {name: Work(operations, _precision(name)) for name in contenders}
    precisions = {each.precision for each in work.values()}
    samples = alternate(contenders | gemm_contenders(precisions), rounds=arguments.rounds)
    rates, shares = gemm_figures(samples, work | gemm_work(precisions))
    title = f"U-GAT-IT generator, batch 1, {arguments.size} px, {arguments.channels} channels, CPU"
    report(
        title,
        samples,
        base="our graph",
        facts=facts,
        as_json=arguments.json,
        rates=rates,
        shares=shares,
    )


def _precision(contender: str) -> str:
    return "bfloat16" if "bfloat16" in contender else "float32"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--channels", type=int, default=64)
    parser.add_argument(
        "--full", action="store_true", help="measure the full generator instead of the light one"
    )
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--json", action="store_true", help="print one JSON object with every sample")
    return parser.parse_args()


def _naive_export(plain: Generator, x: torch.Tensor) -> bytes:
    """Return the graph that torch's own exporter makes of the plain formulas."""
    file: Any = io.BytesIO()  # the exporter accepts it, but its annotation requires a path
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tracing exporter is deprecated, but needs no other package
        torch.onnx.export(plain, (x,), file, input_names=["values"], opset_version=17, dynamo=False)
    return bytes(file.getvalue())


def _without_parts(model: bytes) -> bytes:
    """Return a model without the parts of its heat map; onnxruntime drops what only they need."""
    proto = onnx.load_model_from_string(model)
    kept = [output for output in proto.graph.output if output.name in ("image", "cam_logit", "attention")]
    del proto.graph.output[:]
    proto.graph.output.extend(kept)
    return bytes(proto.SerializeToString())


def _session(model: bytes, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def _openvino_sessions(
    model: bytes, arguments: argparse.Namespace
) -> dict[str, onnxruntime.InferenceSession]:
    """Return our graph as the service runs it on OpenVINO; empty if its plug-in does not support the CPU."""
    if openvino.cpu_device() is None:
        return {}
    sessions = {
        "our graph, OpenVINO, direct": _openvino_session(model, "float32", arguments),
        "our graph, OpenVINO": _openvino_session(turn_on(model, WINOGRAD), "float32", arguments),
    }
    if openvino.has_bfloat16():
        sessions["our graph, OpenVINO, all bfloat16"] = _openvino_session(model, "bfloat16", arguments)
        mixed = turn_on(model, MIXED)
        sessions["our graph, OpenVINO, bfloat16"] = _openvino_session(mixed, "bfloat16", arguments)
    return sessions


def _openvino_session(
    model: bytes, precision: str, arguments: argparse.Namespace
) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    fix_shape(options, (1, arguments.size, arguments.size))
    openvino.add_provider(options, precision=precision, threads=arguments.threads)
    return onnxruntime.InferenceSession(model, options, enable_fallback=0)


def _run(session: onnxruntime.InferenceSession, x: torch.Tensor) -> list[NDArray[np.float32]]:
    answers: list[NDArray[np.float32]] = session.run(None, {"values": x.numpy()})
    return answers


def _exactness(
    plain: Generator, fused: Generator, x: torch.Tensor, sessions: dict[str, onnxruntime.InferenceSession]
) -> dict[str, str]:
    """Return each image's largest difference from torch's in float64, and its PSNR."""
    with torch.inference_mode():
        exact = copy.deepcopy(plain).double()(x.double()).image.numpy()
        answers = {"torch eager, plain formula": plain(x).image, "torch eager, fused": fused(x).image}
    images = {name: image.numpy() for name, image in answers.items()}
    for name, session in sessions.items():
        images[name] = next(answer for answer in _run(session, x) if answer.shape == exact.shape)
    return {f"off float64, {name}": _off(image - exact) for name, image in images.items()}


def _off(difference: NDArray[Any]) -> str:
    levels = difference.astype(np.float64) * 127.5  # from -1 ... 1 to 255 levels
    return f"{np.abs(difference).max():.1e}, {psnr_db(levels):.1f} dB"


if __name__ == "__main__":
    main()
