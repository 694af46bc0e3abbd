"""Every error that the engine raises for a request, as one hierarchy that each caller maps once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from app.engine.retry import with_jitter

_STORE_RETRY_SECONDS: Final = 2
_DRAINING_RETRY_SECONDS: Final = 10


class EngineError(Exception):
    """The engine cannot serve a request. The message is a sentence for the client."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the message, not the arguments of a subclass' `__init__`."""
        return _restore, (type(self), self.args), self.__dict__


def _restore(kind: type[EngineError], arguments: tuple[Any, ...]) -> EngineError:
    return kind.__new__(kind, *arguments)


class Busy(EngineError):
    """The same request may succeed later."""

    def __init__(self, sentence: str, retry_after_seconds: int) -> None:
        super().__init__(sentence)
        self.retry_after_seconds = retry_after_seconds


class QueueFull(Busy):
    """All permits of the direction are held."""


class FairShare(Busy):
    """The client holds its fair share of the direction's permits, and other clients wait for theirs."""


class Loading(Busy):
    """The direction is still loading."""


class Draining(Busy):
    """The service is shutting down and admits no more requests."""

    def __init__(self) -> None:
        wait = with_jitter(_DRAINING_RETRY_SECONDS)
        super().__init__(f"The service is shutting down; try again in {wait} s.", wait)


class StoreUnavailable(Busy):
    """The store of heat maps does not answer."""

    def __init__(self) -> None:
        wait = with_jitter(_STORE_RETRY_SECONDS)
        super().__init__(f"The store of heat maps does not answer; try again in {wait} s.", wait)


class DeadlineExceeded(EngineError):
    """The request was not completed within the deadline."""

    def __init__(self, seconds: float) -> None:
        super().__init__(
            f"The request was not completed within {seconds:g} seconds; try again when the load is lower."
        )


class UnknownDirection(EngineError):
    """There is no bundle with that name."""

    def __init__(self, direction: str, known: Iterable[str]) -> None:
        names = ", ".join(known)
        remedy = f"choose one of: {names}" if names else "this service has no bundle yet"
        super().__init__(f"Unknown direction {direction[:64]!r}; {remedy}.")


class DirectionDefunct(EngineError):
    """The direction's bundle was rejected, or its model stopped working."""

    def __init__(self, direction: str) -> None:
        super().__init__(f"The direction {direction} is out of order; GET /directions gives the reason.")


class NetworkDefunct(EngineError):
    """The direction translates, but some of its models stopped working."""

    def __init__(self, direction: str, models: str, remedy: str) -> None:
        super().__init__(
            f"The {models} of {direction} are out of order (GET /directions gives the reason); "
            f"{remedy} instead."
        )


class StyleEncoderDefunct(EngineError):
    """The direction translates, but its style encoder stopped working."""

    def __init__(self, direction: str) -> None:
        super().__init__(
            f"The style encoder of {direction} is out of order (GET /directions gives the reason); choose a "
            "style by a seed instead of a reference."
        )


class NoStyles(EngineError):
    """A style was chosen for a direction that has only one."""

    def __init__(self, direction: str) -> None:
        super().__init__(
            f"The direction {direction} has no styles to choose from; leave style, styles and reference out, "
            "or take a direction that has styles, as those of MUNIT and DRIT."
        )


class NoReferences(EngineError):
    """A reference was sent to a direction whose styles are chosen only by seeds."""

    def __init__(self, direction: str) -> None:
        super().__init__(
            f"The bundle of {direction} has no style encoder, so it takes no reference; choose a style by a "
            "seed, as style=1."
        )


class AttentionGone(EngineError):
    """The store has no translation with that id: it expired, was dropped, or never existed."""

    def __init__(self) -> None:
        super().__init__("No heat map was found for this id, or it expired; translate the picture again.")


class NoSuchNetwork(EngineError):
    """The bundle lacks that network, or the network has no attention."""

    def __init__(self, direction: str, network: str) -> None:
        super().__init__(
            f"The direction {direction} has no {network} heat map; GET /directions lists those it has."
        )


class NoSuchPart(EngineError):
    """The bundle has that network's heat map, but not that part of it."""

    def __init__(self, direction: str, network: str, part: str) -> None:
        super().__init__(
            f"The bundle of {direction} has no part {part} of the {network} heat map; use part=both, or "
            "export the bundle again if its format is 1."
        )


class NoSuchFrame(EngineError):
    """The translation has fewer frames."""

    def __init__(self, frame: int, frames: int) -> None:
        super().__init__(
            f"The frame must be from 0 to {frames - 1}, because the translation has {frames} "
            f"frame{'s' if frames > 1 else ''}, got {frame}; use a smaller number."
        )


class NoSuchFace(EngineError):
    """Fewer faces were translated."""

    def __init__(self, face: int, faces: int) -> None:
        super().__init__(
            f"The face must be from 0 to {faces - 1}, because {faces} "
            f"{'faces were' if faces > 1 else 'face was'} translated, got {face}; use a smaller number."
        )


class NoFaceFound(EngineError):
    """The request needs a face, and the photo shows none there."""


class NoOpposite(EngineError):
    """The service has no direction from the target to the source."""

    def __init__(self, direction: str, opposite: str) -> None:
        super().__init__(
            f"cycle=true needs the opposite direction of {direction}, {opposite}, which this service does "
            "not have; leave cycle out, or add its bundle."
        )


class NoNativeFit(EngineError):
    """The network or the service takes no photos at their own shape."""


class Cancelled(EngineError):
    """The client closed its connection."""

    def __init__(self) -> None:
        super().__init__("The client closed the connection before the answer was ready.")
