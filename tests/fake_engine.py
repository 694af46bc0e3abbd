"""An engine over a model made of numpy that a test controls: slow, failing or hanging, without any clock."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import MappingProxyType

import numpy as np

from app.engine.local_engine import LocalEngine
from app.engine.runtime.session import Execution, Outputs, Pixels, Shape, StyleCodes
from app.settings.settings import Settings
from models.bundle.canary import smooth_picture, write_canary
from models.bundle.declarations import FramedFace, Framing, Input, Logits, StyleInput
from models.bundle.directory import write_bundle
from models.bundle.manifest import FORMAT, ImageSize, Manifest, Parity, Training, split_direction
from models.bundle.style_codes import draw_style
from models.storage.file_entry import entry_of
from tests.tiny_bundle import declared_maps

FAKE_SIZE = 32
FAKE_PROVIDER = "FakeExecutionProvider"
FAKE_STYLE = 3
"""Numbers in a style code."""
# The smallest protobufs that are not empty: one field, the producer's name.
_GENERATOR_FILE, _DISCRIMINATORS_FILE, _STYLED_FILE, _ENCODER_FILE = (
    b"\x12\x01" + name for name in (b"g", b"d", b"s", b"e")
)
_OUTPUTS = {
    _GENERATOR_FILE: ("image", "attention", "cam_logit"),
    _DISCRIMINATORS_FILE: ("attention_local", "attention_global"),
    _STYLED_FILE: ("image",),
    _ENCODER_FILE: ("style",),
}
"""The outputs of each model, by its file."""
_HANG_SECONDS = 30.0
"""A test that never releases a model must fail, not hang."""


class FakeModel:
    """Inverts pictures. Its attention is the brightness of 8 x 8 blocks.

    After `hold`, runs wait: a test acquires `entered` to wait for a run to begin, and ends it by `release`.
    """

    def __init__(self) -> None:
        self.provider = FAKE_PROVIDER
        self.precision = "float32"
        self.batches: list[int] = []
        self.rounding = 0
        """The error of every value, in levels, if `precision` is not float32."""
        self.failures = 0
        """How many of the next runs fail."""
        self.hangs = 0
        """How many of the next runs wait for `stop_hanging` and ignore `terminate`."""
        self.opening_hangs = 0
        """How many of the next openings wait for `stop_hanging`."""
        self.ignores_terminate = False
        """Whether a held run ignores `terminate`."""
        self.opened = 0
        self.terminations = 0
        self.entered = threading.Semaphore(0)
        self._go = threading.Event()
        self._go.set()
        self._terminated = threading.Event()
        self._hang_over = threading.Event()

    @property
    def execution(self) -> Execution:
        """Where it pretends to run."""
        return Execution(self.provider, self.precision)

    automatic_precision = False
    """Whether the precision was chosen automatically."""

    def open(self, model: bytes, *, exact: bool = False, any_shape: bool = False) -> FakeSession:
        """Open a session on this model, whatever the bytes: an `OpenModel`."""
        self.opened += 1
        if self.opening_hangs:
            self.opening_hangs -= 1
            self._hang_over.wait(_HANG_SECONDS)
        names = _OUTPUTS.get(model, _OUTPUTS[_GENERATOR_FILE])
        return FakeSession(self, names, "float32" if exact or any_shape else self.precision)

    def stop_hanging(self) -> None:
        """End all held and hanging calls."""
        self.release()
        self._hang_over.set()

    def hold(self) -> None:
        """Make runs wait from now on."""
        self._go.clear()

    def release(self) -> None:
        """Let runs end again, the current ones too."""
        self._go.set()

    def release_current(self) -> None:
        """Let the runs end that have begun; those that begin from now on wait."""
        go, self._go = self._go, threading.Event()
        go.set()

    def run(self, pixels: Pixels, style: StyleCodes | None = None) -> Outputs:
        """Return the outputs of a batch, unless the test holds it or makes it fail."""
        self._terminated.clear()
        go = self._go
        self.batches.append(len(pixels))
        self.entered.release()
        if self.hangs:
            self.hangs -= 1
            self._hang_over.wait(_HANG_SECONDS)
        assert go.wait(_HANG_SECONDS), "a test held a model and never released it"
        if self._terminated.is_set() and not self.ignores_terminate:
            raise RuntimeError("terminated")
        if self.failures:
            self.failures -= 1
            raise RuntimeError("no memory left on the device")
        return fake_outputs(pixels, style)

    def prepare_shapes(self, shapes: Iterable[Shape]) -> None:
        """Do nothing: it takes any shape."""

    def terminate(self) -> None:
        """End a held run, unless the model ignores it."""
        self.terminations += 1
        if not self.ignores_terminate:
            self._terminated.set()
            self._go.set()


class FakeSession:
    """One opened file of a FakeModel, with the outputs that its file would have."""

    def __init__(self, fake: FakeModel, names: Sequence[str], precision: str) -> None:
        self._fake = fake
        self._names = names
        self._precision = precision

    @property
    def execution(self) -> Execution:
        """Where it pretends to run."""
        return Execution(self._fake.provider, self._precision)

    @property
    def automatic_precision(self) -> bool:
        """Whether the precision was chosen automatically."""
        return self._fake.automatic_precision

    def run(self, pixels: Pixels, style: StyleCodes | None = None) -> Outputs:
        """Return the outputs of a batch; at a lower precision every value has the fake's error."""
        outputs = self._fake.run(pixels, style)
        off = self._fake.rounding if self._precision != "float32" else 0
        return {name: outputs[name] + outputs[name].dtype.type(off) for name in self._names}

    def prepare_shapes(self, shapes: Iterable[Shape]) -> None:
        """Do nothing: it takes any shape."""

    def terminate(self) -> None:
        """End the current run."""
        self._fake.terminate()


def fake_outputs(pixels: Pixels, style: StyleCodes | None = None) -> Outputs:
    """Return the outputs of all networks for a batch `[N, H, W, 3]`.

    A style code `[N, 3]` lightens the negative's red, green and blue by 100 times its numbers; the style
    encoder returns the mean of each colour, from 0 to 1.
    """
    blocks = np.pad(pixels, [(0, 0), *((0, -side % 8) for side in pixels.shape[1:3]), (0, 0)], mode="edge")
    N, H, W, _ = blocks.shape
    attention = blocks.reshape(N, H // 8, 8, W // 8, 8, 3).mean(axis=(2, 4, 5), dtype=np.float32)
    cam_logit = np.stack([attention.mean(axis=(1, 2)), attention.max(axis=(1, 2))], axis=1) / 128 - 1
    negative = 255 - pixels
    if style is not None:
        negative = np.clip(negative + 100 * style[:, None, None, :], 0, 255).astype(np.uint8)
    outputs = {"image": negative, "attention": attention, "cam_logit": cam_logit}
    means = (pixels.mean(axis=(1, 2)) / 255).astype(np.float32)
    return outputs | {
        "attention_local": attention,
        "attention_global": attention[:, ::-1],
        "style": means,
    }


def write_fake_bundle(
    bundles_dir: Path,
    direction: str = "cat2dog",
    *,
    card: bytes = b"# A fake\n",
    framing: Framing | None = None,
    face: FramedFace | None = None,
    fixed: bool = True,
    pictures: Outputs = MappingProxyType({}),
    styles: bool = False,
    references: bool = True,
) -> Path:
    """Write a bundle that passes every check, with models that only a FakeModel can open.

    A different `card` makes a different version of it. `framing`, `face` and `fixed` are the manifest's,
    `pictures` the canary's natural ones. With `styles` it takes style codes of three numbers and has no
    attention; with `references` too, it encodes them.
    """
    pixels = smooth_picture(FAKE_SIZE, FAKE_SIZE, seed=0)[None]
    code = draw_style(5, FAKE_STYLE)[None] if styles else None
    outputs = fake_outputs(pixels, code)
    generator = _STYLED_FILE if styles else _GENERATOR_FILE
    canary = {name: outputs[name] for name in _OUTPUTS[generator]}
    second = {"discriminators.onnx": _DISCRIMINATORS_FILE}
    if styles:
        second = {"style_encoder.onnx": _ENCODER_FILE} if references else {}
    files = {
        "generator.onnx": generator,
        **second,
        "canary.npz": write_canary(pixels, canary, style=code, pictures=pictures),
        "card.md": card,
    }
    manifest = _manifest(direction, files, styles=styles).model_copy(
        update={
            "framing": framing,
            "face": face,
            "image": ImageSize(height=FAKE_SIZE, width=FAKE_SIZE, fixed=fixed),
        }
    )
    write_bundle(bundles_dir / direction, manifest, files)
    return bundles_dir / direction


def _manifest(direction: str, files: dict[str, bytes], *, styles: bool) -> Manifest:
    source, target = split_direction(direction)
    style = StyleInput(name="style", kind="style", dimension=FAKE_STYLE, prior="normal")
    return Manifest(
        format=FORMAT,
        direction=direction,
        source=source,
        target=target,
        image=ImageSize(height=FAKE_SIZE, width=FAKE_SIZE, fixed=True),
        method="ugatit",
        architecture={},
        inputs=[Input(name="pixels", kind="picture"), *([style] if styles else [])],
        maps=[] if styles else declared_maps(),
        logits=[] if styles else [Logits(name="cam_logit")],
        training=Training(code_version="fake"),
        licence="MIT",
        limits="Only for tests.",
        parity=Parity(reference="none", runtime="none", vectors="none", image_max_levels=0, image_equal=1),
        files={name: entry_of(data) for name, data in files.items()},
    )


def fake_engine(settings: Settings, model: FakeModel, *, batch_sizes: list[int] | None = None) -> LocalEngine:
    """Return an engine that opens every model as `model`; without bundles it writes one, cat2dog."""
    if not settings.bundles_dir.exists():
        write_fake_bundle(settings.bundles_dir)
    return LocalEngine(settings, [model.open], batch_sizes=batch_sizes or [1])
