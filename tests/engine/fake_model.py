"""A model made of numpy, under a test's control: slow, failing or hanging without any clock."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from app.engine.engine import Engine
from app.engine.runtime.session import Outputs, Pixels, Shape
from app.settings.settings import Settings
from models.bundle.canary import smooth_picture, write_canary
from models.bundle.directory import write_bundle
from models.bundle.manifest import ImageSize, Manifest, Parity, Training, split_direction
from models.storage.file_entry import entry_of

FAKE_SIZE = 32
_GENERATOR = ("image", "attention", "cam_logit")
_DISCRIMINATORS = ("attention_local", "attention_global")
# The smallest protobuf there is that is not empty: a field that names the producer.
_PAINTER, _JUDGE = b"\x12\x01g", b"\x12\x01d"
_PATIENCE_SECONDS = 30.0
"""A test that forgot to let a model go must end, not hang."""


class FakeModel:
    """Inverts pictures. Its attention is the brightness of 8 x 8 blocks.

    A test that calls `hold` knows by `entered` that a run is under way, and ends it by `release`.
    """

    provider = "FakeExecutionProvider"

    def __init__(self) -> None:
        self.precision = "float32"
        self.batches: list[int] = []
        self.rounding = 0
        """By how many levels every value is off where `precision` is not float32."""
        self.failures = 0
        """How many of the next runs fail."""
        self.hangs = 0
        """How many of the next runs never end, whatever they are told, until the test is over."""
        self.opening_hangs = 0
        """How many of the next openings never end."""
        self.deaf = False
        """Whether a held run ignores being terminated."""
        self.opened = 0
        self.terminations = 0
        self.entered = threading.Semaphore(0)
        self._go = threading.Event()
        self._go.set()
        self._terminated = threading.Event()
        self._never = threading.Event()

    def open(self, model: bytes, *, exact: bool = False) -> FakeNetwork:
        """An `OpenModel`: whatever the bytes, it runs on this one."""
        self.opened += 1
        if self.opening_hangs:
            self.opening_hangs -= 1
            self._never.wait(_PATIENCE_SECONDS)
        names = _DISCRIMINATORS if model == _JUDGE else _GENERATOR
        return FakeNetwork(self, names, "float32" if exact else self.precision)

    def end(self) -> None:
        """The test is over: nothing hangs any more."""
        self.release()
        self._never.set()

    def hold(self) -> None:
        """Runs do not end from now on."""
        self._go.clear()

    def release(self) -> None:
        """Runs end again, those under way too."""
        self._go.set()

    def abandon(self) -> None:
        """The run under way is never released; later ones are free."""
        self._go = threading.Event()
        self._go.set()

    def run(self, pixels: Pixels) -> Outputs:
        """Run a batch, unless told to wait or fail."""
        self._terminated.clear()
        go = self._go
        self.batches.append(len(pixels))
        self.entered.release()
        if self.hangs:
            self.hangs -= 1
            self._never.wait(_PATIENCE_SECONDS)
        assert go.wait(_PATIENCE_SECONDS), "a test held a model and never released it"
        if self._terminated.is_set() and not self.deaf:
            raise RuntimeError("terminated")
        if self.failures:
            self.failures -= 1
            raise RuntimeError("no memory left on the device")
        return fake_outputs(pixels)

    def settle(self, shapes: Iterable[Shape]) -> None:
        """A fake takes any shape."""

    def terminate(self) -> None:
        """End a held run, unless the model is deaf."""
        self.terminations += 1
        if not self.deaf:
            self._terminated.set()
            self._go.set()


class FakeNetwork:
    """A model opened on a FakeModel: it answers what its file would."""

    provider = "FakeExecutionProvider"

    def __init__(self, fake: FakeModel, names: Sequence[str], precision: str) -> None:
        self.precision = precision
        self._fake = fake
        self._names = names

    def run(self, pixels: Pixels) -> Outputs:
        """Run a batch; at a lower precision every value is off."""
        outputs = self._fake.run(pixels)
        off = self._fake.rounding if self.precision != "float32" else 0
        return {name: outputs[name] + outputs[name].dtype.type(off) for name in self._names}

    def settle(self, shapes: Iterable[Shape]) -> None:
        """A fake takes any shape."""

    def terminate(self) -> None:
        """End the run under way."""
        self._fake.terminate()


def fake_outputs(pixels: Pixels) -> Outputs:
    """All outputs that a generator and two discriminators have, for a batch `[N, H, W, 3]`."""
    N, H, W, _ = pixels.shape
    attention = pixels.reshape(N, H // 8, 8, W // 8, 8, 3).mean(axis=(2, 4, 5), dtype=np.float32)
    cam_logit = np.stack([attention.mean(axis=(1, 2)), attention.max(axis=(1, 2))], axis=1) / 128 - 1
    outputs = {"image": 255 - pixels, "attention": attention, "cam_logit": cam_logit}
    return outputs | {"attention_local": attention, "attention_global": attention[:, ::-1]}


def write_fake_bundle(bundles_dir: Path, direction: str = "cat2dog", *, card: bytes = b"# A fake\n") -> Path:
    """Write a bundle without models: right for every check, of use only to a FakeModel.

    Another `card` makes another version of it.
    """
    pixels = smooth_picture(FAKE_SIZE, FAKE_SIZE, seed=0)[None]
    outputs = fake_outputs(pixels)
    canary = {name: outputs[name] for name in _GENERATOR}
    files = {
        "generator.onnx": _PAINTER,
        "discriminators.onnx": _JUDGE,
        "canary.npz": write_canary(pixels, canary),
        "card.md": card,
    }
    write_bundle(bundles_dir / direction, _manifest(direction, files), files)
    return bundles_dir / direction


def _manifest(direction: str, files: dict[str, bytes]) -> Manifest:
    source, target = split_direction(direction)
    return Manifest(
        format=1,
        direction=direction,
        source=source,
        target=target,
        image=ImageSize(height=FAKE_SIZE, width=FAKE_SIZE, fixed=True),
        method="ugatit",
        architecture={},
        attention=True,
        training=Training(code_version="fake"),
        licence="MIT",
        limits="Only for tests.",
        parity=Parity(reference="none", runtime="none", vectors="none", image_max_levels=0, image_equal=1),
        files={name: entry_of(data) for name, data in files.items()},
    )


def fake_engine(settings: Settings, model: FakeModel, *, shapes: list[int] | None = None) -> Engine:
    """An engine whose every model is `model`; its one direction is cat2dog unless there are bundles."""
    if not settings.bundles_dir.exists():
        write_fake_bundle(settings.bundles_dir)
    return Engine(settings, model.open, shapes=shapes or [1])
