"""Set the variables that Ray reads when it is imported. This file does not import it."""

from __future__ import annotations

import os
import secrets

from app.cluster.ray_head import ray_environment


def prepare_environment() -> None:
    """Keep a Ray that this process will start to this machine and user; send no statistics.

    Ray would listen on every address and run the code of whoever connects. A cluster at RAY_ADDRESS has its
    own rules.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    if os.environ.get("RAY_ADDRESS"):
        return
    os.environ.update(ray_environment(secrets.token_hex(32)))
