"""OpenVINO as onnxruntime's provider for a CPU: found, told its precision and its threads, and opened.

It is a plug-in beside the stock onnxruntime. The service runs without it.
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
    """The CPU as the plug-in's device; None where it is not installed, does not load or offers no CPU.

    On some processors it offers none. Loading is once a process.
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
        log.warning("OpenVINO's plug-in does not load: %s", error)
        return None
    # The provider of the same name with .AUTO chooses a device by itself, which we do.
    return next(filter(_is_cpu, onnxruntime.get_ep_devices()), None)


def _is_cpu(device: onnxruntime.OrtEpDevice) -> bool:
    kind = device.device.type
    return bool(device.ep_name == PROVIDER and kind == onnxruntime.OrtHardwareDeviceType.CPU)


def has_bfloat16() -> bool:
    """Whether the CPU has instructions for bfloat16; without, it takes longer than float32."""
    device = cpu_device()
    return device is not None and "BF16" in device.ep_metadata["OPTIMIZATION_CAPABILITIES"].split()


def provider_options(precision: str, threads: int) -> dict[str, str]:
    """What the plug-in gets; it silently ignores whatever is not inside `load_config`.

    Args:
        precision: float32 or bfloat16. Always said: left alone, OpenVINO takes bfloat16 where the CPU has it.
        threads: of one run; 0 leaves the choice to OpenVINO.
    """
    config = {
        "INFERENCE_PRECISION_HINT": _HINTS[precision],
        "PERFORMANCE_HINT": "LATENCY",  # all threads work on the one run that there is
        "NUM_STREAMS": "1",
    }
    if threads:
        config["INFERENCE_NUM_THREADS"] = str(threads)
    return {"load_config": json.dumps({"CPU": config})}


def add_to(options: onnxruntime.SessionOptions, *, precision: str, threads: int) -> None:
    """Let a session run on OpenVINO; what that cannot compute stays with onnxruntime's own provider."""
    options.add_provider_for_devices([cpu_device()], provider_options(precision, threads))
