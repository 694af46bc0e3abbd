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
from app.cluster.deployment import in_flight, version_application
from app.cluster.loopback import stay_on_loopback
from app.cluster.options import APPLICATION, ClusterOptions
from app.cluster.replica import ChooseModels
from app.cluster.served import Served, ServedVersion
from app.engine.directions.registry import bundle_directories
from app.engine.directions.verification import check_name
from app.settings.settings import Settings
from models.bundle.directory import read_bundle
from models.bundle.errors import BundleError

log = logging.getLogger("ugatit.cluster")

_REPLACE_SECONDS: Final = 1.0
"""A directory is missing for a moment while it is replaced; one that is missing for longer was removed."""
_LOOK_SECONDS: Final = 0.5
"""Between two looks at the replicas."""
_RETIRE_SECONDS: Final = 10.0
"""How long a replaced version runs on: every front has learned of the new one by then."""
_Applications = dict[str, ApplicationStatusOverview]
_FAILED: Final = (ApplicationStatus.DEPLOY_FAILED, ApplicationStatus.UNHEALTHY)


class Deployer:
    """Deploys each version of a bundle, and removes it once the next one serves."""

    async def __init__(  # type: ignore[misc]  # Serve awaits it.
        self, settings: Settings, options: ClusterOptions, choose_models: ChooseModels
    ) -> None:
        """Start; a deployer that is started again finds the replicas that run."""
        stay_on_loopback()
        self._settings = settings
        self._options = options
        self._choose_models = choose_models
        self._directions: dict[str, DeployedDirection] = {}
        self._retired: dict[str, float] = {}
        """When an application was replaced."""
        self._read_folder = True
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
        self._read_folder = True

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
        if self._read_folder or due:
            self._read_folder, self._read_at = False, time.monotonic()
            await asyncio.to_thread(self._read)
        applications = (await asyncio.to_thread(serve.status)).applications
        for direction in list(self._directions.values()):
            await self._advance(direction, applications)
        await self._retire(applications)

    def _read(self) -> None:
        """Find the version of each bundle, after verifying its files."""
        found = self._bundles()
        if self._directions.keys() - found.keys():
            time.sleep(_REPLACE_SECONDS)
            found = self._bundles()
        for name in self._directions.keys() - found.keys():
            log.info("%s was removed and is no longer offered", name)
            del self._directions[name]
        for name, path in found.items():
            direction = self._directions.setdefault(name, DeployedDirection(path))
            try:
                bundle = read_bundle(path)
                check_name(bundle.manifest, path)
            except (BundleError, OSError) as error:
                direction.refuse(str(error))
            else:
                direction.want(bundle.version)

    def _bundles(self) -> dict[str, Path]:
        return {path.name: path for path in bundle_directories(self._settings.bundles_dir).bundles}

    async def _advance(self, direction: DeployedDirection, applications: _Applications) -> None:
        """Deploy the version in a direction's directory, and serve it once its replicas run."""
        name = direction.wanted_application
        if name is not None and name not in applications:
            await asyncio.to_thread(self._deploy, name, direction)
        elif name is not None and not direction.serves(name):
            overview = applications[name]
            if overview.status is ApplicationStatus.RUNNING:
                direction.serve(await self._serving(name, overview))
            elif overview.status in _FAILED:
                direction.refuse(_cause(overview))
        direction.count(applications)

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
        handle = serve.get_app_handle(name)
        return ServedVersion(
            application=name,
            bundle=await handle.info.remote(),
            execution=await handle.execution.remote(),
            replicas=running(overview),
            in_flight=in_flight(self._settings, self._options),
        )

    async def _retire(self, applications: _Applications) -> None:
        """Remove the applications that no direction needs, some time after they were replaced."""
        needed = {name for direction in self._directions.values() for name in direction.needed}
        now = time.monotonic()
        for name in applications.keys() - needed - {APPLICATION}:
            if now - self._retired.setdefault(name, now) >= _RETIRE_SECONDS:
                await asyncio.to_thread(serve.delete, name, _blocking=False)
        self._retired = {
            name: at for name, at in self._retired.items() if name in applications.keys() - needed
        }


def _cause(overview: ApplicationStatusOverview) -> str:
    """Return the last line of what a replica raised while it started."""
    messages = [each.message for each in overview.deployments.values() if each.message]
    lines = [line.strip() for message in messages for line in message.splitlines() if line.strip()]
    return lines[-1] if lines else "Its replicas could not start."
