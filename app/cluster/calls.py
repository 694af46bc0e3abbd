"""Call a replica: once more if it was lost, and not at all once the caller has left."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Final, TypeVar

from ray.exceptions import RayError, RayTaskError
from ray.serve.exceptions import RayServeException
from ray.serve.handle import DeploymentHandle

from app.engine.errors import EngineError, Loading
from app.engine.retry import with_jitter

log = logging.getLogger("ugatit.cluster")

T = TypeVar("T")

_ATTEMPTS: Final = 2
_RETRY_SECONDS: Final = 5


async def call_replica(handle: DeploymentHandle, method: str, argument: Any, direction: str) -> Any:
    """Return the result of a method on one replica, or on another if the first was lost meanwhile.

    Cancelling the caller cancels the call on the replica.

    Args:
        handle: of the replicas; Serve chooses one that has few calls.
        method: its name.
        argument: its only argument.
        direction: its name, for messages.

    Raises:
        EngineError: what the replica raised; Loading if the second replica was lost too.
    """
    for attempt in range(_ATTEMPTS):
        response = getattr(handle, method).remote(argument)
        try:
            return await response
        except asyncio.CancelledError:
            response.cancel()
            raise
        except RayTaskError as error:
            if isinstance(error.cause, EngineError):
                raise error.cause from None
            log.warning("%s: a replica failed (attempt %d): %s", direction, attempt + 1, error.cause)
        except (RayError, RayServeException) as error:
            log.warning("%s: a replica was lost (attempt %d): %s", direction, attempt + 1, _line(error))
    wait = with_jitter(_RETRY_SECONDS)
    raise Loading(f"The replicas of {direction} are being replaced; try again in {wait} s.", wait)


def _line(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]}"
