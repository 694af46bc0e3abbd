"""The replicas of a cluster and their states, from Serve."""

from __future__ import annotations

from typing import Any

from app.cluster.processes import is_running
from app.cluster.ray_head import connect, ray_environment
from app.cluster.record import ClusterRecord


def cluster_status(record: ClusterRecord) -> dict[str, Any]:
    """Return the state of a cluster, as `ugatit cluster status --json` prints it."""
    ray = _process(record, "ray")
    if runs := ray is not None and ray["state"] == "running":
        connect(record.ray_address, ray_environment(record.ray_token))
    return {
        "url": record.url,
        "front": _process(record, "front"),
        "ray": ray,
        "redis": _process(record, "redis"),
        "replicas": replicas() if runs else [],
    }


def summary(status: dict[str, Any]) -> str:
    """Return one line for people: whether the cluster serves, and which of its processes have ended."""
    ended = [
        name
        for key, name in (("front", "front"), ("ray", "Ray"), ("redis", "Redis"))
        if status[key] is not None and status[key]["state"] == "ended"
    ]
    if ended == ["Redis"]:
        return f"The cluster serves on {status['url']}, without heat maps, because its Redis has ended."
    if ended:
        return (
            f"The cluster on {status['url']} does not serve: {' and '.join(ended)} ended; start a new one by "
            "`ugatit cluster down` and `ugatit cluster up`."
        )
    return f"The cluster serves on {status['url']}."


def replicas() -> list[dict[str, Any]]:
    """Return the replicas of all directions; this process must be connected to the cluster."""
    from ray.serve.context import _get_global_client

    from app.cluster.deployment import split_name

    found = []
    client = _get_global_client(raise_if_no_controller_running=False)
    applications = client.get_serve_details()["applications"] if client is not None else {}
    for name, application in applications.items():
        direction, version = split_name(name) or (None, None)
        if direction is None:
            continue
        found += [
            {
                "direction": direction,
                "version": version,
                "pid": each.get("pid"),  # none until its process has started
                "state": each["state"].lower(),
                "node": each.get("node_ip"),
                "node_id": each.get("node_id"),
                "id": each["replica_id"],
            }
            for deployment in application["deployments"].values()
            for each in deployment["replicas"]
        ]
    return found


def _process(record: ClusterRecord, name: str) -> dict[str, Any] | None:
    process = getattr(record, name)
    if process is None:
        return None
    return {"pid": process.pid, "state": "running" if is_running(process) else "ended"}
