"""One direction as the deployer knows it: the version in its directory, and the one whose replicas serve."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

from ray.serve.schema import ApplicationStatusOverview

from app.cluster.deployment import application_name
from app.cluster.served import ServedDirection, ServedVersion
from app.engine.directions.direction import Fingerprint, fingerprint
from app.engine.directions.direction_state import State
from app.engine.directions.reasons import without_folders
from app.engine.directions.verification import check_name
from models.bundle.directory import read_bundle
from models.bundle.errors import BundleError
from models.files.text import as_text


class DeployedDirection:
    """The versions of one direction, and why the newest does not serve."""

    def __init__(self, path: Path, configuration: str) -> None:
        self.path = path
        self._configuration = configuration
        self.name = as_text(path.name)
        self.wanted: str | None = None
        """The version in its directory, to be served; None if it is refused."""
        self._refusal: str | None = None
        self._fingerprint: Fingerprint | None = None
        self._serving: ServedVersion | None = None

    @property
    def wanted_application(self) -> str | None:
        """The application of the version to be served."""
        if self.wanted is None:
            return None
        return application_name(self.path.name, self.wanted, self._configuration)

    @property
    def serves_any(self) -> bool:
        """Whether a version serves."""
        return self._serving is not None

    @property
    def needed(self) -> list[str]:
        """The applications that serve or will serve."""
        serving = self._serving.application if self._serving is not None else None
        return [name for name in (self.wanted_application, serving) if name is not None]

    def serves(self, application: str) -> bool:
        """Return whether that application serves."""
        return self._serving is not None and self._serving.application == application

    async def read(self, *, retry: bool) -> None:
        """Verify the bundle in the directory, to serve it next; the earlier version serves until then.

        Without a change in the directory nothing is done, except with `retry` for a bundle that was refused.
        """
        found = await asyncio.to_thread(fingerprint, self.path)
        changed, self._fingerprint = found != self._fingerprint, found
        if not changed and not (retry and self._refusal is not None):
            return
        try:
            self.wanted, self._refusal = await asyncio.to_thread(_verified_version, self.path), None
        except (BundleError, OSError) as error:
            self.refuse(str(error))

    def refuse(self, reason: str) -> None:
        """Do not serve what is in the directory; the earlier version serves on."""
        self.wanted, self._refusal = None, as_text(reason)

    def serve(self, version: ServedVersion) -> None:
        """Serve a version whose replicas run."""
        self._serving = version

    def count(self, applications: Mapping[str, ApplicationStatusOverview]) -> None:
        """Count the replicas that run."""
        if self._serving is not None:
            overview = applications.get(self._serving.application)
            self._serving = self._serving._replace(replicas=running(overview) if overview is not None else 0)

    def describe(self, bundles_dir: Path, replicas: int) -> ServedDirection:
        """Return its state; clients read the reason, so it names no folder.

        Args:
            bundles_dir: the folder of bundles.
            replicas: how many there should be at least.
        """
        state, fault = self._state(replicas)
        float32_reason = self._serving.float32_reason if self._serving is not None else None
        reason = " ".join(filter(None, [fault, float32_reason]))
        return ServedDirection(self.name, state, without_folders(reason, bundles_dir) or None, self._serving)

    def _state(self, replicas: int) -> tuple[State, str | None]:
        serving = self._serving
        if serving is None:
            return (State.DEFUNCT, self._refusal) if self._refusal is not None else (State.STARTING, None)
        if self._refusal is not None:
            version = serving.bundle.version
            return State.DEGRADED, (
                f"The bundle in its folder was rejected, so version {version} still serves: {self._refusal}"
            )
        if self.wanted_application != serving.application:
            return State.READY, "New replicas are starting; the earlier ones serve until those run."
        if serving.replicas < replicas:
            return State.DEGRADED, f"{serving.replicas} of {replicas} replicas run; Ray starts the others."
        return State.READY, None


def _verified_version(path: Path) -> str:
    bundle = read_bundle(path)
    check_name(bundle.manifest, path)
    return bundle.version


def running(overview: ApplicationStatusOverview) -> int:
    """Return how many replicas of an application run."""
    return sum(
        count
        for deployment in overview.deployments.values()
        for state, count in deployment.replica_states.items()
        if state == "RUNNING"
    )
