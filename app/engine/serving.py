"""What runs the models for an engine, in this process or on other machines, as the engine uses it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from app.engine.directions.direction_status import BundleInfo, DirectionStatus
from app.engine.runtime.session import Execution, Pixels, StyleCodes
from app.engine.scheduling.admission import Admission, Permit
from app.engine.scheduling.batcher import Inference, ModelInput
from app.engine.store.entry import Maps


class ServingVersion(Protocol):
    """One version of a direction's bundle, which serves until its last picture is done."""

    @property
    def bundle(self) -> BundleInfo | None:
        """The bundle that was verified."""

    @property
    def execution(self) -> Execution | None:
        """Where and in which precision the generator runs."""

    async def generate(self, inputs: Sequence[ModelInput], permit: Permit) -> list[Inference]:
        """Return the generator's outputs for the inputs of one request, whose frames have one size.

        Raises:
            DirectionDefunct: the generator does not work.
        """

    async def encode_style(self, reference: Pixels, permit: Permit) -> StyleCodes:
        """Return the style code `[d]` of a picture `[H, W, 3]` of the target domain.

        Raises:
            StyleEncoderDefunct: the style encoder does not work.
        """

    async def discriminate(self, frames: Sequence[Pixels], permit: Permit) -> list[Maps]:
        """Return the heat maps of the discriminators, by their declared names, for translated frames.

        Raises:
            NoSuchNetwork: the bundle has no discriminators.
            NetworkDefunct: they do not work.
        """


class ServingDirection(Protocol):
    """A direction: its permits, and the version that serves now."""

    @property
    def admission(self) -> Admission:
        """Its permits."""

    @property
    def execution(self) -> Execution | None:
        """Where and in which precision its generator runs; None while none is open."""

    def status(self) -> DirectionStatus:
        """Return the state at this moment."""

    def require_ready(self) -> BundleInfo:
        """Return the bundle that serves.

        Raises:
            Loading, DirectionDefunct: none serves.
        """

    def translator(self) -> AbstractContextManager[ServingVersion]:
        """Yield the version that serves now; it stays open until the end of the block."""


class Directions(Protocol):
    """All directions: the preferred one first, then in alphabetical order."""

    def __iter__(self) -> Iterator[ServingDirection]: ...

    def __getitem__(self, name: str) -> ServingDirection:
        """Return the direction of that name.

        Raises:
            UnknownDirection: there is none.
        """

    def not_ready_reason(self) -> str | None:
        """Return why the service is not ready, as a sentence; None if it is."""

    def close(self) -> None:
        """Stop at once and cancel the waiting requests."""


class Watcher(Protocol):
    """Keeps the directions as the folder of bundles is."""

    def start(self) -> None:
        """Load all in the background, then watch for changes."""

    async def wait_until_loaded(self) -> None:
        """Wait until every direction that existed at the start is loaded, or defunct."""

    def request_reload(self) -> None:
        """Load new and changed bundles soon, and retire removed ones."""

    def close(self) -> None:
        """Stop watching."""
