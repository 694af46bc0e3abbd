"""Keep the replicas of a cluster as its folder of bundles is: one Serve application for each version."""

from __future__ import annotations

import asyncio
import logging
import time
from pathlib import Path
from typing import Final

from ray import serve
from ray.serve.schema import ApplicationStatus, ApplicationStatusOverview

from app.cluster.deployed_direction import DeployedDirection, running
from app.cluster.deployment import configuration_of, in_flight, split_name, version_application
from app.cluster.loopback import stay_on_loopback
from app.cluster.options import ClusterOptions
from app.cluster.replica import ChooseModels
from app.cluster.served import Served, ServedVersion
from app.engine.directions.registry import bundle_directories
from app.settings.settings import Settings
from models.files.text import as_text

log = logging.getLogger("ugatit.cluster")

_REPLACE_SECONDS: Final = 1.0
"""A directory is missing for a moment while it is replaced; one that is missing for longer was removed."""
_LOOK_SECONDS: Final = 0.5
"""Between two looks at the replicas."""
_LEARN_SECONDS: Final = 10.0
"""Within this time every front has learned of a new version."""
_Applications = dict[str, ApplicationStatusOverview]
_ANSWER_SECONDS: Final = 10.0
"""Within this time a replica that runs says what it runs."""


class Deployer:
    """Deploys each version of a bundle, and removes it once the next one serves."""

    async def __init__(  # type: ignore[misc]  # Serve awaits it.
        self, settings: Settings, options: ClusterOptions, choose_models: ChooseModels
    ) -> None:
        """Start; a deployer that is started again, also with other options, finds the replicas that run.

        Raises:
            OSError: the folder of bundles cannot be read.
        """
        stay_on_loopback()
        self._settings = settings
        self._options = options
        self._choose_models = choose_models
        self._directions: dict[str, DeployedDirection] = {}
        # Without its folder a deployer must not start: it would end the replicas that run.
        self._directions |= {name: self._direction(path) for name, path in self._bundles().items()}
        self._retired: dict[str, float] = {}
        """When an application was replaced."""
        self._requested = True
        self._read_at = 0.0
        self._loop = asyncio.create_task(self._keep())

    def served(self) -> Served:
        """Return all directions: the preferred one first, then in alphabetical order."""
        first = self._settings.preferred_direction
        names = sorted(self._directions, key=lambda name: (name != first, name))
        folder, replicas = self._settings.bundles_dir, self._options.replicas
        return {name: self._directions[name].describe(folder, replicas) for name in names}

    def reload(self) -> None:
        """Read the folder of bundles again soon."""
        self._requested = True

    def check_health(self) -> None:
        """Raise if the loop ended; Serve then starts another deployer."""
        if self._loop.done():
            raise RuntimeError("The deployer stopped.")

    async def _keep(self) -> None:
        while True:
            try:
                await self._look()
            except Exception:  # such as a controller that restarts: the replicas serve on
                log.exception("The replicas could not be compared with the folder of bundles")
            await asyncio.sleep(_LOOK_SECONDS)

    async def _look(self) -> None:
        polls = self._settings.reload == "poll"
        due = polls and time.monotonic() - self._read_at >= self._settings.reload_poll_seconds
        if self._requested or due:
            requested, self._requested, self._read_at = self._requested, False, time.monotonic()
            await self._read(retry=requested)
        applications = (await asyncio.to_thread(serve.status)).applications
        for direction in list(self._directions.values()):
            await self._advance(direction, applications)
        await self._retire(applications)

    async def _read(self, *, retry: bool) -> None:
        """Compare the directions with the folder, and find the version of each bundle that changed.

        Args:
            retry: also verify unchanged bundles again that were refused.
        """
        try:
            found = await asyncio.to_thread(self._bundles)
            if self._directions.keys() - found.keys():
                await asyncio.sleep(_REPLACE_SECONDS)
                found = await asyncio.to_thread(self._bundles)
        except OSError as error:
            log.error("%s cannot be read (%s); the replicas serve on", error.filename, error.strerror)
            return
        for name in self._directions.keys() - found.keys():
            log.info("%s was removed and is no longer offered", name)
            del self._directions[name]
        for name, path in found.items():
            await self._directions.setdefault(name, self._direction(path)).read(retry=retry)

    def _bundles(self) -> dict[str, Path]:
        """Return the directories of bundles by their directions' names.

        A known direction counts as a bundle when its manifest is lost: its replicas still serve.

        Raises:
            OSError: the folder cannot be read.
        """
        found = bundle_directories(self._settings.bundles_dir, required=True)
        bundles = {as_text(path.name): path for path in found.bundles}
        known = {as_text(path.name): path for path in found.ignored if as_text(path.name) in self._directions}
        return bundles | known

    def _direction(self, path: Path) -> DeployedDirection:
        return DeployedDirection(path, configuration_of(self._settings, self._options))

    async def _advance(self, direction: DeployedDirection, applications: _Applications) -> None:
        """Deploy the version in a direction's directory, and serve it once its replicas run."""
        name = direction.wanted_application
        if name is not None and name not in applications:
            await asyncio.to_thread(self._deploy, name, direction)
        elif name is not None and not direction.serves(name):
            overview = applications[name]
            if _can_serve(overview):
                direction.serve(await self._serving(name, overview))
            elif overview.status is ApplicationStatus.DEPLOY_FAILED:
                direction.refuse(_cause(overview))
        if not direction.serves_any:
            await self._adopt(direction, applications)
        direction.count(applications)

    async def _adopt(self, direction: DeployedDirection, applications: _Applications) -> None:
        """Serve with the newest replicas of an earlier deployer, until those that are wanted run."""
        found = [
            (overview.last_deployed_time_s, name)
            for name, overview in applications.items()
            if name != direction.wanted_application
            and (parts := split_name(name)) is not None
            and parts[0] == direction.path.name
            and _can_serve(overview)
        ]
        if found:
            _, newest = max(found)
            direction.serve(await self._serving(newest, applications[newest]))

    def _deploy(self, name: str, direction: DeployedDirection) -> None:
        assert direction.wanted is not None
        log.info("%s: starting the replicas of version %s", direction.name, direction.wanted)
        application = version_application(
            self._settings, self._options, direction.path, direction.wanted, self._choose_models
        )
        target = serve.RunTarget(target=application, name=name, route_prefix=None)
        serve.run_many(
            [target], wait_for_ingress_deployment_creation=False, wait_for_applications_running=False
        )

    async def _serving(self, name: str, overview: ApplicationStatusOverview) -> ServedVersion:
        handle = await asyncio.to_thread(serve.get_app_handle, name)
        async with asyncio.timeout(_ANSWER_SECONDS):
            return ServedVersion(
                application=name,
                bundle=await handle.info.remote(),
                execution=await handle.execution.remote(),
                float32_reason=await handle.float32_reason.remote(),
                replicas=running(overview),
                in_flight=in_flight(self._settings, self._options),
            )

    async def _retire(self, applications: _Applications) -> None:
        """Remove the versions that no direction needs, some time after they were replaced."""
        needed = {name for direction in self._directions.values() for name in direction.needed}
        now = time.monotonic()
        unneeded = [name for name in applications.keys() - needed if split_name(name) is not None]
        self._retired = {name: self._retired.get(name, now) for name in unneeded}
        # A picture keeps the version that it began with until its deadline.
        patience = _LEARN_SECONDS + self._settings.deadline_seconds
        for name, replaced in self._retired.items():
            if now - replaced >= patience:
                await asyncio.to_thread(serve.delete, name, _blocking=False)


def _can_serve(overview: ApplicationStatusOverview) -> bool:
    """Return whether replicas of an application run: all that it needs, or those that a fault left."""
    status = overview.status
    return status is ApplicationStatus.RUNNING or (
        status is ApplicationStatus.UNHEALTHY and running(overview) > 0
    )


def _cause(overview: ApplicationStatusOverview) -> str:
    """Return the last line of what a replica raised while it started."""
    messages = [each.message for each in overview.deployments.values() if each.message]
    lines = [line.strip() for message in messages for line in message.splitlines() if line.strip()]
    return lines[-1] if lines else "Its replicas could not start."
