"""OpenVINO as onnxruntime's provider for a CPU: find it, and add it to a session.

It is a plug-in of the stock onnxruntime. The service also runs without it.
"""

from __future__ import annotations

import functools
import json
import logging
from collections.abc import Mapping
from typing import Final

import onnxruntime

PROVIDER: Final = "OpenVINOExecutionProvider"
_HINTS: Final[Mapping[str, str]] = {"float32": "f32", "bfloat16": "bf16"}

log = logging.getLogger("ugatit.engine")


@functools.cache
def cpu_device() -> onnxruntime.OrtEpDevice | None:
    """Return the CPU as the plug-in's device; None if it is not installed, does not load or offers no CPU.

    It offers none on processors that it does not support. The plug-in is loaded once a process.
    """
    try:
        import onnxruntime_ep_openvino
    except ImportError:
        return None
    try:
        onnxruntime.register_execution_provider_library(
            "openvino", onnxruntime_ep_openvino.get_library_path()
        )
    except Exception as error:  # onnxruntime's exceptions have no common base
        log.warning("OpenVINO's plug-in cannot be loaded: %s", error)
        return None
    # Another provider, its name with .AUTO, would choose the device itself.
    return next(filter(_is_cpu, onnxruntime.get_ep_devices()), None)


def _is_cpu(device: onnxruntime.OrtEpDevice) -> bool:
    kind = device.device.type
    return bool(device.ep_name == PROVIDER and kind == onnxruntime.OrtHardwareDeviceType.CPU)


def has_bfloat16() -> bool:
    """Return whether the CPU has instructions for bfloat16; without them it is slower than float32."""
    device = cpu_device()
    return device is not None and "BF16" in device.ep_metadata["OPTIMIZATION_CAPABILITIES"].split()


def provider_options(precision: str, threads: int) -> dict[str, str]:
    """Return the plug-in's options; it silently ignores options outside `load_config`.

    Args:
        precision: float32 or bfloat16. Always set: by default OpenVINO uses bfloat16 if the CPU has it.
        threads: of one run; 0 lets OpenVINO choose.
    """
    config = {
        "INFERENCE_PRECISION_HINT": _HINTS[precision],
        "PERFORMANCE_HINT": "LATENCY",  # all threads work on one run
        "NUM_STREAMS": "1",
    }
    if threads:
        config["INFERENCE_NUM_THREADS"] = str(threads)
    return {"load_config": json.dumps({"CPU": config})}


def add_provider(options: onnxruntime.SessionOptions, *, precision: str, threads: int) -> None:
    """Add OpenVINO to a session; operators that it lacks run on onnxruntime's own provider."""
    options.add_provider_for_devices([cpu_device()], provider_options(precision, threads))
