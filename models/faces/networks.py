"""Open and run the cascade's three networks: P-Net, R-Net and O-Net of MTCNN."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from models.faces.pyramid import Input

FOLDER: Final = Path(__file__).parent / "nets"

_ERROR: Final = 3


class Answer(NamedTuple):
    """What a network says about each of its windows or parts."""

    probability: NDArray[np.float32]
    """That it is a face: [N], of P-Net [h, w]."""
    offsets: NDArray[np.float32]
    """Of the edges of its box, in widths and heights of it: [N, 4], of P-Net [h, w, 4]."""
    landmarks: NDArray[np.float32] | None = None
    """O-Net's five places (x, y) in widths and heights of the box: [N, 5, 2]."""


class Networks:
    """The three networks in onnxruntime, on the CPU. Safe to call from many threads."""

    def __init__(self, *, threads: int) -> None:
        """Open them; `threads` is the number that one run uses."""
        self._p_net = _open("pnet.onnx", threads)
        self._r_net = _open("rnet.onnx", threads)
        self._o_net = _open("onet.onnx", threads)

    def propose(self, picture: Input) -> Answer:
        """Run P-Net over a picture [1, 3, H, W], in windows of 12 px, two pixels apart."""
        offsets, probability = self._p_net.run(["output1", "output2"], {"input": picture})
        return Answer(probability[0, 1], offsets[0].transpose(1, 2, 0))

    def refine(self, parts: Input) -> Answer:
        """Run R-Net on parts [N, 3, 24, 24]."""
        offsets, probability = self._r_net.run(["output1", "output2"], {"input": parts})
        return Answer(probability[:, 1], offsets)

    def decide(self, parts: Input) -> Answer:
        """Run O-Net on parts [N, 3, 48, 48]."""
        places, offsets, probability = self._o_net.run(["output1", "output2", "output3"], {"input": parts})
        return Answer(probability[:, 1], offsets, places.reshape(-1, 2, 5).transpose(0, 2, 1))


def _open(name: str, threads: int) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = _ERROR
    # Shapes differ from photo to photo: an arena would keep the memory of the largest for ever.
    options.enable_cpu_mem_arena = False
    return onnxruntime.InferenceSession(FOLDER / name, options, providers=["CPUExecutionProvider"])
