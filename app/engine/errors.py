"""Everything that can go wrong in the engine, as one hierarchy that other layers map once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Final

from app.engine.retry import spread

_STORE_RETRY_SECONDS: Final = 2
_DRAINING_RETRY_SECONDS: Final = 10


class EngineError(Exception):
    """The engine cannot do what was asked. The message is a sentence for the one who asked."""

    code: ClassVar[str]


class Busy(EngineError):
    """Not now; the same request may succeed later."""

    def __init__(self, sentence: str, retry_after_seconds: int) -> None:
        super().__init__(sentence)
        self.retry_after_seconds = retry_after_seconds


class QueueFull(Busy):
    """Every permit of the direction is taken."""

    code = "queue_full"


class FairShare(Busy):
    """This client holds its share of the direction's permits, and others want theirs."""

    code = "fair_share"


class Loading(Busy):
    """The direction is not ready yet."""

    code = "loading"


class Draining(Busy):
    """The service is about to stop and admits nothing more."""

    code = "draining"

    def __init__(self) -> None:
        sentence = "The service is about to stop; try again in a moment."
        super().__init__(sentence, spread(_DRAINING_RETRY_SECONDS))


class StoreUnavailable(Busy):
    """The store of heat maps does not answer."""

    code = "store_unavailable"

    def __init__(self) -> None:
        wait = spread(_STORE_RETRY_SECONDS)
        super().__init__(f"The store of heat maps does not answer; try again in {wait} s.", wait)


class DeadlineExceeded(EngineError):
    """The translation was not done in time."""

    code = "deadline"

    def __init__(self, seconds: float) -> None:
        super().__init__(
            f"The translation was not done within {seconds:g} seconds; try again when less is going on."
        )


class UnknownDirection(EngineError):
    """No bundle of that name."""

    code = "unknown_direction"

    def __init__(self, direction: str, known: Iterable[str]) -> None:
        names = ", ".join(known)
        remedy = f"choose one of: {names}" if names else "this service has no bundle yet"
        super().__init__(f"There is no direction {direction[:64]!r}; {remedy}.")


class DirectionDefunct(EngineError):
    """The direction's bundle was refused, or its model stopped working."""

    code = "direction_defunct"

    def __init__(self, direction: str) -> None:
        super().__init__(f"The direction {direction} is out of order; /directions tells why.")


class NetworkDefunct(EngineError):
    """The direction translates, but its discriminators stopped working."""

    code = "network_defunct"

    def __init__(self, direction: str) -> None:
        super().__init__(
            f"The discriminators of {direction} are out of order, /directions tells why; "
            "the generator's attention can be had."
        )


class AttentionGone(EngineError):
    """No translation is kept under that id: it expired, made room for others, or never was."""

    code = "attention_gone"

    def __init__(self) -> None:
        super().__init__("No attention is kept under this id (any more); translate the picture again.")


class NoSuchNetwork(EngineError):
    """The bundle has no such network, or that network has no attention."""

    code = "no_such_network"

    def __init__(self, direction: str, network: str) -> None:
        super().__init__(
            f"The direction {direction} has no {network} attention; /directions tells what it has."
        )


class Cancelled(EngineError):
    """The one who asked has left."""

    code = "cancelled"

    def __init__(self) -> None:
        super().__init__("The client left before the answer was ready.")
