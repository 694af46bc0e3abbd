"""The engine of a cluster's front: its models run in replicas on Ray Serve."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Final

from ray import serve
from ray.exceptions import RayError
from ray.serve.exceptions import RayServeException
from ray.serve.handle import DeploymentHandle

from app.cluster.options import APPLICATION, DEPLOYER
from app.cluster.remote_directions import RemoteDirections
from app.engine.engine import PictureEngine
from app.engine.events import EngineEvents
from app.engine.store.stores import TranslationStore
from app.settings.settings import Settings

log = logging.getLogger("ugatit.cluster")

_LOOK_SECONDS: Final = 0.5
_ANSWER_SECONDS: Final = 10.0


class ClusterWatcher:
    """Asks the cluster what it serves, again and again."""

    def __init__(self, directions: RemoteDirections) -> None:
        self._directions = directions
        self._deployer: DeploymentHandle | None = None
        self._answered = True
        self._loaded = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._reloading: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start asking."""
        self._task = asyncio.create_task(self._watch())

    async def wait_until_loaded(self) -> None:
        """Wait until every direction that existed at the start serves or is defunct."""
        await self._loaded.wait()

    def request_reload(self) -> None:
        """Let the cluster read its folder of bundles again."""
        self._reloading = asyncio.create_task(self._reload())

    def close(self) -> None:
        """Stop asking."""
        for task in (self._task, self._reloading):
            if task is not None:
                task.cancel()

    async def _watch(self) -> None:
        while True:
            try:
                self._directions.update(await self._ask("served"))
                self._answered = True
            except (RayError, RayServeException, TimeoutError) as error:
                self._log_failure(error)
            if self._directions.loaded:
                self._loaded.set()
            await asyncio.sleep(_LOOK_SECONDS)

    async def _reload(self) -> None:
        try:
            await self._ask("reload")
        except (RayError, RayServeException, TimeoutError) as error:
            log.error("The cluster could not be asked to reload: %s", type(error).__name__)

    async def _ask(self, method: str) -> Any:
        """Return what a method of the deployer returns.

        Raises:
            RayError, RayServeException, TimeoutError: it does not answer.
        """
        if self._deployer is None:  # Serve may start later than the front
            self._deployer = serve.get_deployment_handle(DEPLOYER, APPLICATION, _check_exists=False)
        response = getattr(self._deployer, method).remote()
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                return await response
        except (TimeoutError, asyncio.CancelledError):
            response.cancel()
            raise

    def _log_failure(self, error: Exception) -> None:
        """Log the first of several failures: pictures are translated without the deployer."""
        if self._answered:
            log.warning("The cluster does not say what it serves: %s", type(error).__name__)
        self._answered = False


class RemoteEngine(PictureEngine):
    """Translates encoded pictures by the replicas of a cluster."""

    def __init__(self, settings: Settings, store: TranslationStore | None = None) -> None:
        """Prepare; Ray must be connected before `start`.

        Args:
            settings: the limits.
            store: keeps the translations; the one that the settings choose by default.
        """
        events = EngineEvents()
        self.directions = RemoteDirections(permits=settings.queue_size, events=events)
        super().__init__(settings, self.directions, ClusterWatcher(self.directions), events, store)
