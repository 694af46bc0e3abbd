"""A cluster on this machine in one command: Ray, Redis, the replicas, and the front that answers HTTP."""

from __future__ import annotations

import logging
import os
import secrets
import shutil
import socket
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Final

from pydantic import SecretStr

from app.cluster import processes
from app.cluster.options import APPLICATION, ClusterOptions
from app.cluster.processes import StartedProcess
from app.cluster.ray_head import answers, connect, free_port, head_command, serve_environment
from app.cluster.record import ClusterRecord, folder_of, read_record, write_record
from app.engine.directions.registry import bundle_directories
from app.engine.runtime.cpu_quota import threads_per_worker
from app.http.server.server import open_socket, url_of
from app.settings.environment import variable
from app.settings.settings import Settings, SettingsError
from models.files.text import as_text

_POLL_SECONDS: Final = 0.1
_RAY_SECONDS: Final = 120.0
_REDIS_SECONDS: Final = 20.0
_RAY_STOP_SECONDS: Final = 20.0
_FRONT_MARGIN_SECONDS: Final = 5.0
_REDIS_MEMORY: Final = "512mb"
_NO_REDIS: Final = (
    "There is no redis-server, so heat maps stay in the memory of the front; install Redis to share them."
)


class Machine:
    """The processes of one cluster, and the record of them."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.folder = folder_of(settings)
        self.record = read_record(self.folder)

    def up(self, options: ClusterOptions, say: Callable[[str], None]) -> str:
        """Start everything, wait until it is ready, and return the address.

        Args:
            options: how many replicas, and what each may use.
            say: prints a sentence for the user.

        Raises:
            SettingsError: a cluster runs already, the address is taken, there is no bundle, or a process
                could not start.
        """
        if self.record is not None:
            raise SettingsError(f"A cluster runs on {self.record.url}; stop it by `ugatit cluster down`.")
        self._require_bundle()
        listening = open_socket(self._settings.host, self._settings.port)
        self._make_folder()
        self.record = ClusterRecord(
            url=url_of(listening),
            ray_address=f"127.0.0.1:{free_port()}",
            ray_token=secrets.token_hex(32),
        )
        url = self.record.url
        with listening:  # the front inherits it
            try:
                self._start(options, listening, say)
            except BaseException:
                self.down()
                raise
        return url

    def down(self) -> None:
        """Answer the admitted pictures, then stop everything.

        Raises:
            SettingsError: no cluster runs.
        """
        record = self.require_record()
        grace_seconds = self._settings.linger_seconds + self._settings.grace_seconds
        for process, seconds in (
            (record.front, grace_seconds + _FRONT_MARGIN_SECONDS),
            (record.ray, _RAY_STOP_SECONDS),
            (record.redis, _REDIS_SECONDS),
        ):
            if process is not None:
                processes.stop(process, seconds)
        self.record = None
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def serves(self) -> bool:
        """Whether the front runs."""
        front = self.record.front if self.record is not None else None
        return front is not None and processes.is_running(front)

    def require_record(self) -> ClusterRecord:
        """Return the record.

        Raises:
            SettingsError: no cluster runs.
        """
        if self.record is None:
            host, port = self._settings.host, self._settings.port
            raise SettingsError(f"No cluster runs on {host}:{port}; start one by `ugatit cluster up`.")
        return self.record

    def _start(self, options: ClusterOptions, listening: socket.socket, say: Callable[[str], None]) -> None:
        store_url = self._start_redis(say)
        self._start_ray()
        settings = self._settings.model_copy(
            update={
                "store_url": SecretStr(store_url),
                "intra_op_threads": self._settings.intra_op_threads or threads_per_worker(options.replicas),
            }
        )
        # The front starts beside the replicas: both import for seconds.
        front = self._start_front(store_url, listening)
        _deploy(self.require_record(), settings, options)
        self._wait("front", front, lambda: _is_ready(self.require_record().url), settings.load_seconds)

    def _start_redis(self, say: Callable[[str], None]) -> str:
        """Return the address of the store, after starting a Redis unless the settings name one."""
        if url := self._settings.store_url.get_secret_value():
            return url
        program = shutil.which("redis-server")
        if program is None:
            say(_NO_REDIS)
            return ""
        port = free_port()
        memory = ("--maxmemory", _REDIS_MEMORY, "--maxmemory-policy", "allkeys-lru")
        disk = ("--save", "", "--appendonly", "no", "--dir", str(self.folder))
        process = self._run(
            "redis", [program, "--port", str(port), "--bind", "127.0.0.1", *memory, *disk], os.environ.copy()
        )
        self._wait("redis", process, lambda: answers(port), _REDIS_SECONDS)
        return f"redis://127.0.0.1:{port}/0"

    def _start_ray(self) -> None:
        record = self.require_record()
        port = int(record.ray_address.rpartition(":")[2])
        environment = os.environ | serve_environment(record.ray_token)
        process = self._run("ray", head_command(port, self.folder / "ray"), environment)
        self._wait("ray", process, lambda: answers(port), _RAY_SECONDS)

    def _start_front(self, store_url: str, listening: socket.socket) -> StartedProcess:
        record = self.require_record()
        environment = os.environ | serve_environment(record.ray_token) | {variable("store_url"): store_url}
        command = [sys.executable, "-m", "app", "cluster", "front", "--address", record.ray_address]
        inherited = listening.fileno()
        return self._run("front", [*command, "--socket", str(inherited)], environment, inherited=inherited)

    def _run(
        self, name: str, command: list[str], environment: dict[str, str], *, inherited: int | None = None
    ) -> StartedProcess:
        """Start a process and record it at once, so that `down` stops it whatever happens next."""
        descriptors = [] if inherited is None else [inherited]
        process = processes.start(command, self._log(name), environment, inherited=descriptors)
        self.record = self.require_record().model_copy(update={name: process})
        write_record(self.folder, self.record)
        return process

    def _wait(self, name: str, process: StartedProcess, ready: Callable[[], bool], seconds: float) -> None:
        until = time.monotonic() + seconds
        while not ready():
            ended = not processes.is_running(process)
            if ended or time.monotonic() > until:
                found = "ended" if ended else f"was not ready within {seconds:g} s"
                raise SettingsError(f"The cluster's {name} {found}: {self._last_line(name)}")
            time.sleep(_POLL_SECONDS)

    def _require_bundle(self) -> None:
        folder = self._settings.bundles_dir
        if not bundle_directories(folder).bundles:
            raise SettingsError(
                f"There is no bundle in {as_text(folder)}; put one there, or set UGATIT_BUNDLES_DIR."
            )

    def _make_folder(self) -> None:
        """Make the folder new: what an interrupted cluster left there is removed."""
        shutil.rmtree(self.folder, ignore_errors=True)
        try:
            self.folder.mkdir(mode=0o700)
        except OSError as error:
            raise SettingsError(
                f"{self.folder} cannot be made ({error.strerror}); remove it, or set another UGATIT_PORT."
            ) from None

    def _log(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    def _last_line(self, name: str) -> str:
        lines = self._log(name).read_text(errors="replace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "its log is empty")


def _deploy(record: ClusterRecord, settings: Settings, options: ClusterOptions) -> None:
    """Start the application that keeps the replicas.

    Raises:
        SettingsError: the replicas of one direction need more GPUs than Ray has found.
    """
    connect(record.ray_address, serve_environment(record.ray_token))
    import ray
    from ray import serve

    from app.cluster.application import cluster_application

    try:
        require_gpus(options, ray.cluster_resources().get("GPU", 0))
        logging.getLogger("ray.serve").setLevel(logging.WARNING)
        serve.start(proxy_location="Disabled")
        target = serve.RunTarget(
            target=cluster_application(settings, options), name=APPLICATION, route_prefix=None
        )
        serve.run_many(
            [target], wait_for_ingress_deployment_creation=False, wait_for_applications_running=False
        )
    finally:
        ray.shutdown()


def require_gpus(options: ClusterOptions, found: float) -> None:
    """Check that the replicas of a direction can start; Ray would wait for more GPUs without an end.

    Raises:
        SettingsError: they need more GPUs than Ray has found.
    """
    needed = options.replicas * options.replica_gpus
    if needed > found:
        raise SettingsError(
            f"The replicas of each direction need {needed:g} GPUs, this machine has {found:g}; lower "
            "--replicas or --replica-gpus."
        )


def _is_ready(url: str) -> bool:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # whatever http_proxy says
    try:
        with direct.open(f"{url}/readyz", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
