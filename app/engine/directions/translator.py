"""One version of a direction: its models, and those who use them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.engine.directions.direction_state import Trouble
from app.engine.directions.verification import (
    NETWORKS,
    TooCoarse,
    prove_discriminators,
    prove_generator,
    require_name,
    warm_up,
)
from app.engine.errors import DirectionDefunct, NetworkDefunct, NoSuchNetwork
from app.engine.runtime.session import Model, OpenModel, Pixels
from app.engine.scheduling.admission import Permit
from app.engine.scheduling.batcher import Answer, Batcher
from app.engine.scheduling.runner import Broken, Patience, Runner, Watch
from models.bundle.canary import read_canary
from models.bundle.directory import read_bundle, read_verified
from models.bundle.errors import BundleError
from models.bundle.manifest import CANARY, DISCRIMINATORS, GENERATOR, Manifest

log = logging.getLogger("ugatit.engine")

_WORDS: Final = {Trouble.GENERATOR: "generator is", Trouble.DISCRIMINATORS: "discriminators are"}


class Facts(NamedTuple):
    """What is known of a bundle once it was verified."""

    manifest: Manifest
    version: str
    card: str


class Limits(NamedTuple):
    """How much a direction takes on, how it shares runs, and how long it waits for its models."""

    permits: int
    shapes: list[int]
    wait_seconds: float
    patience: Patience = Patience()
    replicas: Sequence[OpenModel] = ()
    """How a copy of the generator is opened on each further device."""


class Listener(NamedTuple):
    """Who is told what happens to the models."""

    ran: Callable[[float, int], None]
    """With the seconds of the generator's run and its number of pictures."""
    suffers: Callable[[Trouble, str], None]
    """With a sentence."""
    recovers: Callable[[Trouble], None]
    gives_up: Callable[[str], None]
    """With a sentence: it cannot translate any more."""


class Translator:
    """The models of one bundle as it was read: another version of the bundle is another translator."""

    def __init__(self, path: Path, open_model: OpenModel, limits: Limits, listener: Listener) -> None:
        """Args:
        path: the bundle's directory.
        open_model: how models are opened.
        limits: how runs are shared, and how long they may take.
        listener: who is told what happens.
        """
        self.name = path.name
        self.facts: Facts | None = None
        self._path = path
        self._open_model = open_model
        self._shapes = limits.shapes
        self._listener = listener
        self._discriminators_work = True
        self._too_coarse: dict[str, str] = {}  # by the file of the model, why it is opened in float32
        self._canary: Mapping[str, NDArray[np.generic]] = {}
        self._users = 0
        self._retired = False
        self._runners = [
            Runner(
                f"{self.name} copy {number}" if number else self.name,
                partial(self._open_generator, opening),
                self._prove_generator,
                patience=limits.patience,
                watch=self._watch(Trouble.GENERATOR, self._give_up),
            )
            for number, opening in enumerate((open_model, *limits.replicas))
        ]
        self._judge = Runner(
            f"{self.name} discriminators",
            self._open_discriminators,
            self._prove_discriminators,
            patience=limits.patience,
            watch=self._watch(Trouble.DISCRIMINATORS, self._give_up_discriminators),
        )
        turn = asyncio.Lock()  # the two models share the machine: one run at a time
        self._generator = Batcher(
            self._runners[0],
            shapes=limits.shapes,
            wait_seconds=limits.wait_seconds,
            on_run=listener.ran,
            turn=turn,
            others=self._runners[1:],
        )
        self._discriminators = Batcher(self._judge, turn=turn)

    async def load(self) -> None:
        """Verify the bundle, open its generator, run the canary, warm up.

        Raises:
            BundleError: the bundle is refused, or its model cannot be opened.
        """
        try:
            for runner in self._runners:
                await runner.open()
        except BundleError:
            raise
        except Exception as error:  # whatever onnxruntime raises
            raise BundleError(f"Its model cannot be opened: {_clause(str(error))}.") from error

    @property
    def discriminates(self) -> bool:
        """Whether the discriminators' attention can be asked for."""
        return self.facts is not None and self.facts.manifest.discriminators and self._discriminators_work

    @property
    def whole(self) -> bool:
        """Whether no copy on a device, nor the discriminators, are given up."""
        return all(runner.works for runner in (*self._runners, self._judge))

    @property
    def provider(self) -> str | None:
        """The execution provider truly in use, on the first device that works; None while none does."""
        return next((runner.provider for runner in self._runners if runner.provider is not None), None)

    @property
    def precision(self) -> str | None:
        """What the model computes in there; None while none does."""
        return next((runner.precision for runner in self._runners if runner.precision is not None), None)

    @property
    def note(self) -> str | None:
        """Why it computes in float32 where a lower precision is in use; None otherwise."""
        return self._too_coarse.get(GENERATOR)

    @property
    def depth(self) -> int:
        """How many pictures wait."""
        return self._generator.depth + self._discriminators.depth

    @property
    def gone(self) -> bool:
        """Whether it was retired and nobody uses it any more."""
        return self._retired and not self._users

    @contextmanager
    def used(self) -> Iterator[Facts]:
        """Use it: even when it is retired meanwhile, it stays until the block is left."""
        assert self.facts is not None
        self._users += 1
        try:
            yield self.facts
        finally:
            self._users -= 1
            if self.gone:
                self.close()

    def retire(self) -> None:
        """Close it as soon as nobody uses it."""
        self._retired = True
        if self.gone:
            self.close()

    def let_go(self) -> None:
        """Let the models go; whoever waits is told that they do not work."""
        for runner in (*self._runners, self._judge):
            runner.close()

    def close(self) -> None:
        """Stop at once; whoever waits is cancelled."""
        self._generator.close()
        self._discriminators.close()

    async def generate(self, pixels: Pixels, permit: Permit) -> Answer:
        """Translate one frame `[H, W, 3]` for whoever holds the permit.

        Raises:
            DirectionDefunct: the generator does not work.
        """
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
        assert self.facts is not None
        if not self.facts.manifest.discriminators:
            raise NoSuchNetwork(self.name, "discriminators'")
        try:
            await self._judge.prepare()  # not in its turn: the generator must not wait for an opening
            outputs = (await self._discriminators.submit(pixels, permit)).outputs
        except Broken:
            raise NetworkDefunct(self.name) from None
        return {network: outputs[f"attention_{network}"] for network in NETWORKS}

    def _give_up(self, why: str) -> None:
        devices, left = len(self._runners), sum(runner.works for runner in self._runners)
        if left:
            lost = f"Its generator works on {left} of {devices} devices: {_clause(why)}."
            self._listener.recovers(Trouble.GENERATOR)
            self._listener.suffers(Trouble.DEVICE, lost)
        else:
            self._listener.gives_up(f"Its generator does not work: {_clause(why)}.")

    def _give_up_discriminators(self, why: str) -> None:
        """Translating goes on: only their maps cannot be had any more."""
        self._discriminators_work = False
        self._listener.suffers(Trouble.DISCRIMINATORS, f"Its discriminators are given up: {_clause(why)}.")

    def _watch(self, trouble: Trouble, broken: Callable[[str], None]) -> Watch:
        listener, words = self._listener, _WORDS[trouble]
        return Watch(
            lambda why: listener.suffers(trouble, f"Its {words} being replaced: {_clause(why)}."),
            lambda: self._recover(trouble),
            broken,
        )

    def _recover(self, trouble: Trouble) -> None:
        """One is replaced; of several copies another may still be on its way."""
        missing = any(runner.works and runner.provider is None for runner in self._runners)
        if trouble is not Trouble.GENERATOR or not missing:
            self._listener.recovers(trouble)

    def _open_generator(self, open_model: OpenModel) -> Model:
        """Runs in the model's thread; again when the model broke, from disk, verified as the first time."""
        bundle = read_bundle(self._path)
        require_name(bundle.manifest, self._path)
        if self.facts is not None and bundle.version != self.facts.version:
            raise BundleError(
                f"{self._path} is another version than the one that served; reload to serve it."
            )
        self._canary = read_canary(bundle.files[CANARY])
        model = self._open(open_model, GENERATOR, bundle.files[GENERATOR])
        self.facts = Facts(bundle.manifest, bundle.version, bundle.card)
        return model

    def _prove_generator(self, model: Model) -> None:
        assert self.facts is not None
        manifest = self.facts.manifest
        with self._noting(GENERATOR):
            prove_generator(model, manifest, self._canary)
        warm_up(model, manifest, self._shapes)

    def _open_discriminators(self) -> Model:
        """At the first need, from disk: kept till then, the bytes of a full model's would take 240 MB."""
        assert self.facts is not None
        data = read_verified(self._path, DISCRIMINATORS, self.facts.manifest.files[DISCRIMINATORS])
        return self._open(self._open_model, DISCRIMINATORS, data)

    def _prove_discriminators(self, model: Model) -> None:
        assert self.facts is not None
        manifest = self.facts.manifest
        canary = read_canary(read_verified(self._path, CANARY, manifest.files[CANARY]))
        with self._noting(DISCRIMINATORS):
            prove_discriminators(model, canary["image"])
        model.settle([(1, manifest.image.height, manifest.image.width)])

    def _open(self, open_model: OpenModel, name: str, data: bytes) -> Model:
        """Open one of the bundle's models, in float32 if it or the generator fell short before."""
        if self._too_coarse.keys() & {name, GENERATOR}:
            return open_model(data, exact=True)
        return open_model(data)

    @contextmanager
    def _noting(self, name: str) -> Iterator[None]:
        """Remember that a model falls short, so that the next opening is in float32."""
        try:
            yield
        except TooCoarse as error:
            self._too_coarse[name] = str(error)
            log.warning("%s, %s: %s", self.name, name, error)
            raise


def _clause(words: str) -> str:
    """A complaint as part of a sentence, on one line."""
    return " ".join(words.split()).rstrip(".")
