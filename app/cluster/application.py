"""The Serve application of a cluster: what `ugatit cluster up` and `serve deploy` start."""

from __future__ import annotations

from typing import Any

from ray import serve

from app.cluster.deployer import Deployer
from app.cluster.deployment import QUIET
from app.cluster.options import DEPLOYER, ClusterOptions
from app.cluster.replica import ChooseModels, onnxruntime_models
from app.settings.load import load_settings
from app.settings.settings import Settings


def build(arguments: dict[str, Any]) -> serve.Application:
    """Return the application for the settings in the environment; a Serve config file imports this.

    Args:
        arguments: the fields of `ClusterOptions`.
    """
    return cluster_application(load_settings(), ClusterOptions.model_validate(arguments))


def cluster_application(
    settings: Settings, options: ClusterOptions, choose_models: ChooseModels = onnxruntime_models
) -> serve.Application:
    """Return the application that keeps the replicas of every bundle.

    Args:
        settings: of the service.
        options: how many replicas, and what each may use.
        choose_models: returns how a replica opens its models.
    """
    absolute = settings.model_copy(update={"bundles_dir": settings.bundles_dir.absolute()})
    deployment = serve.deployment(Deployer).options(
        name=DEPLOYER,
        num_replicas=1,
        max_ongoing_requests=1000,
        ray_actor_options={"num_cpus": 0},
        health_check_period_s=2,
        health_check_timeout_s=30,
        graceful_shutdown_timeout_s=1,
        logging_config=QUIET,
    )
    return deployment.bind(absolute, options, choose_models)
