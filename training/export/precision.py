"""Measure the error of a lower precision before a bundle is written."""

from __future__ import annotations

import warnings
from typing import Final

import numpy as np
import onnx
import onnxruntime
from onnxruntime.transformers.float16 import convert_float_to_float16

from models.bundle.canary import STYLE, Arrays, psnr_db
from models.bundle.manifest import Precision
from training.export.parity import run

_RUNTIME: Final = "CPU, every value between two operators rounded to float16"


def measure_float16(model: bytes, canary: Arrays) -> Precision:
    """Run the canary with all weights and all values between operators in float16.

    A CPU computes each operator in float32 and rounds its result, so this is the best that a GPU that sums in
    float32 can do; `ugatit verify` with UGATIT_PRECISION=float16 measures a real one.

    Args:
        model: as `export_translator` returns it.
        canary: `pixels`, perhaps `style`, and torch's `image` for them in float64.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of every weight that float16 cannot represent exactly
        float16_model = convert_float_to_float16(onnx.load_model_from_string(model), keep_io_types=True)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # it warns of every constant that it cannot fold in float16
    session = onnxruntime.InferenceSession(
        float16_model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    style = {STYLE: canary[STYLE]} if STYLE in canary else {}
    found = run(session, canary["pixels"], **style)["image"]
    difference = found.astype(np.float64) - canary["image"]
    decibels = psnr_db(difference)
    return Precision(
        psnr_db=round(decibels, 1) if np.isfinite(decibels) else None,
        image_max_levels=int(np.abs(difference).max()),
        runtime=f"onnxruntime {onnxruntime.__version__}, {_RUNTIME}",
    )
