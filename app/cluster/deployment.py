"""The Serve application of one version of a bundle."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any, Final

from ray import serve

from app.cluster.options import APPLICATION, ClusterOptions
from app.cluster.replica import ChooseModels, Replica
from app.settings.settings import Settings

_GPU_BATCH: Final = 8
_HEALTH_PERIOD_SECONDS: Final = 2.0
_HEALTH_TIMEOUT_SECONDS: Final = 5.0
"""Serve replaces a replica after three health checks that take longer: well within a picture's deadline."""
_STARTS: Final = 3
"""How often a replica that cannot start is tried again before its version is refused."""
QUIET: Final = {"enable_access_log": False, "log_level": "WARNING"}
"""Serve would log every frame; the front logs every request."""
_CONFIGURATION_DIGITS: Final = 8
_NAME: Final = re.compile(
    f"{APPLICATION}-(?P<direction>.+)-(?P<version>[0-9a-f]{{12}})-[0-9a-f]{{{_CONFIGURATION_DIGITS}}}"
)


def configuration_of(settings: Settings, options: ClusterOptions) -> str:
    """Return a hash of the settings and options that replicas are started with."""
    started_with = settings.model_dump_json() + options.model_dump_json()
    return hashlib.sha256(started_with.encode()).hexdigest()[:_CONFIGURATION_DIGITS]


def application_name(direction: str, version: str, configuration: str) -> str:
    """Return the name of the application of a version whose replicas are started with a configuration."""
    return f"{APPLICATION}-{direction}-{version}-{configuration}"


def split_name(application: str) -> tuple[str, str] | None:
    """Return the direction and the version of an application; None if it is not that of a version.

    A Ray cluster may have applications of others.
    """
    parts = _NAME.fullmatch(application)
    return (parts["direction"], parts["version"]) if parts is not None else None


def in_flight(settings: Settings, options: ClusterOptions) -> int:
    """Return how many frames a replica may hold: those of a run, and those of the next."""
    return 2 * (settings.max_batch or (_GPU_BATCH if options.replica_gpus else 1))


def version_application(
    settings: Settings, options: ClusterOptions, bundle: Path, version: str, choose_models: ChooseModels
) -> serve.Application:
    """Return the application of one version, whose replicas all hold the same models."""
    deployment = serve.deployment(Replica).options(
        name=bundle.name,
        max_ongoing_requests=in_flight(settings, options),
        ray_actor_options={"num_cpus": options.replica_cpus, "num_gpus": options.replica_gpus},
        health_check_period_s=_HEALTH_PERIOD_SECONDS,
        health_check_timeout_s=_HEALTH_TIMEOUT_SECONDS,
        graceful_shutdown_timeout_s=settings.deadline_seconds,
        graceful_shutdown_wait_loop_s=1,
        max_constructor_retry_count=_STARTS,
        logging_config=QUIET,
        **_size(settings, options),
    )
    return deployment.bind(settings, bundle, version, choose_models)


def _size(settings: Settings, options: ClusterOptions) -> dict[str, Any]:
    """Return the number of replicas, or the limits between which Serve chooses it by their load.

    A replica with more frames than one run holds has a queue: that is the signal to add another.
    """
    if options.max_replicas is None:
        return {"num_replicas": options.replicas}
    scaling = {
        "min_replicas": options.replicas,
        "max_replicas": options.max_replicas,
        "target_ongoing_requests": in_flight(settings, options) / 2,
    }
    return {"autoscaling_config": scaling}
