"""One direction: its bundle, its models, its queue, and the state it is in."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.engine.admission import Admission, Permit
from app.engine.batcher import Answer, Batcher
from app.engine.errors import DirectionDefunct, Loading, NetworkDefunct, NoSuchNetwork
from app.engine.providers import CPU, ProviderRefused
from app.engine.runner import Broken, Runner
from app.engine.session import Model, OpenModel, Pixels
from models.bundle.canary import check_canary, read_canary
from models.bundle.errors import BundleError
from models.bundle.files import Bundle, read_bundle, read_verified
from models.bundle.manifest import CANARY, DISCRIMINATORS, GENERATOR, Manifest

log = logging.getLogger("ugatit.engine")

_LOADING_RETRY_SECONDS: Final = 5


class State(StrEnum):
    """Where a direction is in its life."""

    STARTING = "starting"
    READY = "ready"
    DEFUNCT = "defunct"


_LEGAL: Final = {
    State.STARTING: {State.READY, State.DEFUNCT},
    State.READY: {State.DEFUNCT},
    State.DEFUNCT: frozenset[State](),
}


class Facts(NamedTuple):
    """What is known of a bundle once it was verified."""

    manifest: Manifest
    version: str
    card: str


class Limits(NamedTuple):
    """How much a direction takes on, and how it shares runs."""

    permits: int
    shapes: list[int]
    wait_seconds: float
    replicas: Sequence[OpenModel] = ()
    """How a copy of the generator is opened on each further device."""


class Direction:
    """A translator that can be asked, or the reason why it cannot."""

    def __init__(self, path: Path, open_model: OpenModel, limits: Limits) -> None:
        self.name = path.name
        self.state = State.STARTING
        self.reason: str | None = None
        self.facts: Facts | None = None
        self.admission = Admission(limits.permits)
        self.observe_run: Callable[[float, int], None] = lambda _seconds, _pictures: None
        self._path = path
        self._open_model = open_model
        self._shapes = limits.shapes
        self._discriminators_work = True
        turn = asyncio.Lock()  # the two models share the machine: one run at a time
        self._runner = Runner(self.name, lambda: self._open_generator(self._open_model))
        self._others = [
            Runner(f"{self.name} copy {number}", partial(self._open_generator, replica))
            for number, replica in enumerate(limits.replicas, 1)
        ]
        self._generator = Batcher(
            self._runner,
            shapes=limits.shapes,
            wait_seconds=limits.wait_seconds,
            on_run=self._on_run,
            on_broken=self.give_up,
            turn=turn,
            others=self._others,
        )
        self._discriminators = Batcher(
            Runner(f"{self.name} discriminators", self._open_discriminators),
            on_broken=self._give_up_discriminators,
            turn=turn,
        )

    async def load(self) -> None:
        """Verify the bundle, open its generator, run the canary, warm up; afterwards ready, or defunct."""
        try:
            for runner in (self._runner, *self._others):
                await runner.open()
        except BundleError as error:
            self.give_up(str(error))
        except Exception as error:  # whatever onnxruntime raises: one bad bundle must not stop the others
            log.exception("%s: the model cannot be opened", self.name)
            self.give_up(f"Its model cannot be opened: {error}")
        else:
            self._move(State.READY)
            log.info("%s is ready on %s in %s", self.name, self.provider, self.precision)

    def give_up(self, reason: str) -> None:
        """The direction cannot serve (any more)."""
        if self.state is not State.DEFUNCT:
            self._move(State.DEFUNCT)
            self.reason = reason
            log.error("%s is defunct: %s", self.name, reason)

    def _give_up_discriminators(self, reason: str) -> None:
        """Translating goes on: only their maps cannot be had any more."""
        self._discriminators_work = False
        self.reason = f"Its discriminators do not work: {reason}"
        log.error("%s: the discriminators are given up: %s", self.name, reason)

    @property
    def discriminates(self) -> bool:
        """Whether the discriminators' attention can be asked for."""
        return self.facts is not None and self.facts.manifest.discriminators and self._discriminators_work

    @property
    def provider(self) -> str | None:
        """The execution provider truly in use; None while there is no model."""
        return self._runner.provider

    @property
    def precision(self) -> str | None:
        """What the model computes in; None while there is none."""
        return self._runner.precision

    @property
    def depth(self) -> int:
        """How many pictures wait."""
        return self._generator.depth + self._discriminators.depth

    def require_ready(self) -> Facts:
        """What is known of the bundle.

        Raises:
            Loading, DirectionDefunct: the direction cannot be asked.
        """
        if self.state is State.STARTING:
            sentence = f"The direction {self.name} is still loading; try again in {_LOADING_RETRY_SECONDS} s."
            raise Loading(sentence, _LOADING_RETRY_SECONDS)
        if self.state is State.DEFUNCT:
            raise DirectionDefunct(self.name)
        assert self.facts is not None
        return self.facts

    async def generate(self, pixels: Pixels, permit: Permit) -> Answer:
        """Translate one frame `[H, W, 3]` for whoever holds the permit."""
        try:
            return await self._generator.submit(pixels, permit)
        except Broken:
            raise DirectionDefunct(self.name) from None

    async def discriminate(self, pixels: Pixels, permit: Permit) -> Mapping[str, NDArray[np.float32]]:
        """The attention of the discriminators, `local` and `global`, for one translated picture.

        Raises:
            NoSuchNetwork: the bundle has no discriminators.
            NetworkDefunct: they do not work.
        """
        if not self.require_ready().manifest.discriminators:
            raise NoSuchNetwork(self.name, "discriminators'")
        if not self._discriminators_work:
            raise NetworkDefunct(self.name)
        try:
            outputs = (await self._discriminators.submit(pixels, permit)).outputs
        except Broken:
            raise NetworkDefunct(self.name) from None
        return {network: outputs[f"attention_{network}"] for network in ("local", "global")}

    def close(self) -> None:
        """Let the models go."""
        self._generator.close()
        self._discriminators.close()

    def _move(self, state: State) -> None:
        assert state in _LEGAL[self.state], f"{self.state} -> {state}"
        self.state = state

    def _on_run(self, seconds: float, pictures: int) -> None:
        self.admission.measured(seconds, pictures)
        self.observe_run(seconds, pictures)

    def _open_generator(self, open_model: OpenModel) -> Model:
        """Runs in the model's thread; again when the model broke, from disk, verified as the first time."""
        bundle = read_bundle(self._path)
        manifest = bundle.manifest
        require_name(manifest, self._path)
        if self.facts is not None and bundle.version != self.facts.version:
            raise BundleError(f"{self._path} is another version than the one loaded; restart to serve it.")
        model = open_model(bundle.files[GENERATOR])
        check_canary(read_canary(bundle.files[CANARY]), model.run, exact=model.precision == "float32")
        self._warm_up(model, manifest)
        self.facts = Facts(manifest, bundle.version, bundle.card)
        return model

    def _warm_up(self, model: Model, manifest: Manifest) -> None:
        """Run every shape once: the first run of a shape pays for choosing kernels and for memory.

        A CPU chooses nothing by the batch; the largest has claimed the memory for all.
        """
        for shape in self._shapes[-1:] if model.provider == CPU else self._shapes:
            model.run(np.zeros((shape, manifest.image.height, manifest.image.width, 3), np.uint8))
        model.settle([(shape, manifest.image.height, manifest.image.width) for shape in self._shapes])

    def _open_discriminators(self) -> Model:
        """At the first need, from disk: kept till then, the bytes of a full model's would take 240 MB."""
        assert self.facts is not None
        manifest = self.facts.manifest
        model = self._open_model(read_verified(self._path, DISCRIMINATORS, manifest.files[DISCRIMINATORS]))
        model.settle([(1, manifest.image.height, manifest.image.width)])
        return model


def require_name(manifest: Manifest, path: Path) -> None:
    """A direction is asked for by its directory's name.

    Raises:
        BundleError: the bundle is another direction's.
    """
    if manifest.direction != path.name:
        raise BundleError(f"{path} holds the direction {manifest.direction}; rename the directory so.")


class Verified(NamedTuple):
    """A bundle that is as its manifest says."""

    bundle: Bundle
    psnr_db: float
    """Of the canary's image, as computed here, against the one remembered; infinite where they are equal."""
    provider: str
    """The execution provider that computed it."""
    precision: str


def verify(path: Path, open_model: OpenModel) -> Verified:
    """Check a bundle as loading does: every hash, every file, and the canary; its discriminators too.

    Raises:
        BundleError: something is not as its manifest says, or a model cannot be opened or run.
    """
    bundle = read_bundle(path)
    canary = read_canary(bundle.files[CANARY])
    try:
        model = open_model(bundle.files[GENERATOR])
        psnr_db = check_canary(canary, model.run, exact=model.precision == "float32")
        if DISCRIMINATORS in bundle.files:
            open_model(bundle.files[DISCRIMINATORS]).run(canary["image"])
    except (BundleError, ProviderRefused):
        raise
    except Exception as error:  # onnxruntime's exceptions have no common base
        raise BundleError(f"A model in {path} cannot be opened: {error}") from error
    return Verified(bundle, psnr_db, model.provider, model.precision)
