"""Write TensorBoard's event files: curves, the distribution of rho in each layer, sample sheets."""

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
    """Writes to `RUN/tensorboard`; after a resume, repeated steps replace the earlier values."""

    def __init__(self, folder: Path, *, done: int) -> None:
        folder.mkdir(exist_ok=True)
        self._held = ExitStack()
        path = self._held.enter_context(utf8_path(folder))
        self._writer = SummaryWriter(path, purge_step=done + 1 if done else None)

    def add_line(self, line: Mapping[str, Any], losses: Mapping[str, float]) -> None:
        """Add a point to each curve from a line of `stats.jsonl`."""
        step = line["step"]
        for name, value in losses.items():
            self._scalar(f"loss/{name}", value, step)
        for group in ("learning_rate", "gradient_norm", "skips", "memorised"):
            for name, value in line.get(group, {}).items():
                self._scalar(f"{group}/{name}", value, step)
        for name in ("seconds", "data_seconds", "images_per_second"):
            self._scalar(f"speed/{name}", line[name], step)

    def add_evaluation(self, metric: str, values: Mapping[str, float], step: int) -> None:
        """Add a point to the curve of each direction and of their mean."""
        for name, value in values.items():
            self._scalar(f"{metric}/{name}", value, step)
        self.flush()

    def add_distributions(self, distributions: Mapping[str, Tensor], step: int) -> None:
        """Add a histogram for each layer, as in the paper's figure of rho."""
        for name, values in distributions.items():
            # TensorFlow's default bins depend on the values; rho is always from 0 to 1.
            bins = [index / 50 for index in range(51)]
            self._writer.add_histogram(name, values.detach().float().cpu(), step, bins=bins)

    def add_sheet(self, name: str, file: Path, step: int) -> None:
        """Add a sample sheet with the bytes of its file, so that it is not encoded twice."""
        with Image.open(file) as image:
            width, height = image.size
        shown = Summary.Image(width=width, height=height, encoded_image_string=file.read_bytes())
        value = Summary.Value(tag=name, image=shown)
        self._writer._get_file_writer().add_summary(Summary(value=[value]), step)  # type: ignore[no-untyped-call]

    def flush(self) -> None:
        """Write buffered events; a checkpoint that counts their steps is saved next."""
        self._writer.flush()

    def close(self) -> None:
        self._writer.close()
        self._held.close()

    def _scalar(self, name: str, value: float, step: int) -> None:
        self._writer.add_scalar(name, value, step)
