"""The record of the cluster that `ugatit cluster up` started here: its address and its processes."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict

from app.cluster.processes import StartedProcess, is_running
from app.settings.settings import Settings

_FILE: Final = "cluster.json"


class ClusterRecord(BaseModel):
    """A cluster on this machine."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str
    ray_address: str
    ray_token: str
    """Without it nobody connects to the cluster's Ray."""
    ray: StartedProcess | None = None
    redis: StartedProcess | None = None
    """None if there is no Redis of the cluster's own."""
    front: StartedProcess | None = None


def folder_of(settings: Settings) -> Path:
    """Return the folder of the cluster at the settings' port: its record, logs and Ray's sockets.

    Its path is short, because Ray's sockets are below it and their paths are bounded.
    """
    root = Path("/tmp") if Path("/tmp").is_dir() else Path(tempfile.gettempdir())  # noqa: S108
    return root / f"ugatit-cluster-{os.getuid()}-{settings.port}"


def write_record(folder: Path, record: ClusterRecord) -> None:
    """Write the record, readable by its owner only."""
    temporary = folder / f".{_FILE}"
    temporary.touch(mode=0o600)
    temporary.write_text(record.model_dump_json())
    temporary.replace(folder / _FILE)


def read_record(folder: Path) -> ClusterRecord | None:
    """Return the record of a cluster, if one of its processes runs; else None."""
    try:
        record = ClusterRecord.model_validate_json((folder / _FILE).read_text())
    except (OSError, ValueError):
        return None
    owned = folder.stat().st_uid == os.getuid()  # not a folder that another user made
    alive = any(each is not None and is_running(each) for each in (record.ray, record.front, record.redis))
    return record if owned and alive else None
