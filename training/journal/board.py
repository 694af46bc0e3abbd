"""TensorBoard's event files: curves, rho's distribution layer by layer, sample sheets."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from PIL import Image
from tensorboard.compat.proto.summary_pb2 import Summary  # type: ignore[import-untyped]
from torch import Tensor
from torch.utils.tensorboard import SummaryWriter

from models.files.utf8_path import utf8_path


class Board:
    """Writes to `RUN/tensorboard`; steps that are done again after a resume replace what was there."""

    def __init__(self, folder: Path, *, done: int) -> None:
        folder.mkdir(exist_ok=True)
        self._held = ExitStack()
        path = self._held.enter_context(utf8_path(folder))
        self._writer = SummaryWriter(path, purge_step=done + 1 if done else None)

    def numbers(self, line: Mapping[str, Any], losses: Mapping[str, float]) -> None:
        """One point on each curve."""
        step = line["step"]
        for name, value in losses.items():
            self._scalar(f"loss/{name}", value, step)
        for group in ("learning_rate", "gradient_norm", "skips"):
            for name, value in line.get(group, {}).items():
                self._scalar(f"{group}/{name}", value, step)
        for name in ("seconds", "data_seconds", "images_per_second"):
            self._scalar(f"speed/{name}", line[name], step)

    def distributions(self, distributions: Mapping[str, Tensor], step: int) -> None:
        """One histogram a layer: the paper's figure of rho."""
        for name, values in distributions.items():
            # Of the TensorFlow kind, the bins would follow the values; rho has its own ends.
            bins = [index / 50 for index in range(51)]
            self._writer.add_histogram(name, values.detach().float().cpu(), step, bins=bins)

    def picture(self, name: str, file: Path, step: int) -> None:
        """A picture as it lies on the disk, byte by byte."""
        with Image.open(file) as image:
            width, height = image.size
        shown = Summary.Image(width=width, height=height, encoded_image_string=file.read_bytes())
        value = Summary.Value(tag=name, image=shown)
        self._writer._get_file_writer().add_summary(Summary(value=[value]), step)  # type: ignore[no-untyped-call]

    def flush(self) -> None:
        """What was told is on the disk before a checkpoint says that its steps are done."""
        self._writer.flush()

    def close(self) -> None:
        self._writer.close()
        self._held.close()

    def _scalar(self, name: str, value: float, step: int) -> None:
        self._writer.add_scalar(name, value, step)
