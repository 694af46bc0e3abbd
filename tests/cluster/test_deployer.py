"""The deployer keeps Serve's applications as the folder of bundles is; a double of Serve records calls."""

from __future__ import annotations

import asyncio
import importlib.util
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from app.cluster.options import APPLICATION, ClusterOptions
from app.engine.directions.direction_state import State
from app.settings.settings import Settings
from models.bundle.manifest import MANIFEST, version_of
from tests.engine.conftest import until
from tests.fake_engine import write_fake_bundle

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.filterwarnings("ignore"),  # Ray's own
    pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="ray is not installed"),
]


class FakeServe:
    """Serve's applications by name, and the names of those that were deployed and removed."""

    def __init__(self) -> None:
        self.applications: dict[str, Any] = {APPLICATION: None, "summaries": None}
        self.deployments = 0
        self.deployed: list[str] = []
        self.removed: list[str] = []
        self.looks = 0
        self.after_deploying = "DEPLOY_FAILED"

    RunTarget = SimpleNamespace

    def status(self) -> SimpleNamespace:
        self.looks += 1
        return SimpleNamespace(applications=dict(self.applications))

    def run_many(self, targets: list[SimpleNamespace], **_options: object) -> None:
        for each in targets:
            self.deployments += 1
            self.become(each.name, self.after_deploying)
            self.deployed.append(each.name)  # last: a test waits for it, and then changes the status

    def become(self, name: str, status: str, *, running: int = 0) -> None:
        from ray.serve.schema import ApplicationStatus

        states = {"RUNNING": running} if running else {}
        replicas = SimpleNamespace(message="Traceback\nthe disk is full", replica_states=states)
        self.applications[name] = SimpleNamespace(
            status=ApplicationStatus(status),
            deployments={"cat2dog": replicas},
            last_deployed_time_s=self.deployments,
        )

    def get_app_handle(self, name: str) -> SimpleNamespace:
        async def of_replica() -> str:
            return name

        return SimpleNamespace(
            **dict.fromkeys(["info", "execution", "float32_reason"], SimpleNamespace(remote=of_replica))
        )

    def delete(self, name: str, **_options: object) -> None:
        self.removed.append(name)
        del self.applications[name]


Start = Callable[..., Awaitable[Any]]


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> FakeServe:
    from app.cluster import deployer

    fake = FakeServe()
    monkeypatch.setattr(deployer, "serve", fake)
    monkeypatch.setattr(deployer, "stay_on_loopback", lambda: None)
    monkeypatch.setattr(deployer, "_LOOK_SECONDS", 0)
    monkeypatch.setattr(deployer, "_LEARN_SECONDS", 0)
    monkeypatch.setattr(deployer, "_REPLACE_SECONDS", 0)
    return fake


@pytest.fixture
async def start(serve: FakeServe, tmp_path: Path) -> AsyncIterator[Start]:
    """Return a function that starts a deployer, as Serve does, that reads its folder at every look."""
    from app.cluster.deployer import Deployer
    from tests.cluster.ray_cluster import fake_models

    started: list[Any] = []

    async def deployer(options: ClusterOptions | None = None) -> Deployer:
        settings = Settings(bundles_dir=tmp_path, reload="poll", deadline_seconds=0.1)
        settings = settings.model_copy(update={"reload_poll_seconds": 0})
        new = Deployer.__new__(Deployer)
        started.append(new)
        await new.__init__(settings, options or ClusterOptions(), fake_models)  # type: ignore[misc]
        return new

    yield deployer
    loops = [each._loop for each in started if hasattr(each, "_loop")]
    for loop in loops:
        loop.cancel()
    await asyncio.gather(*loops, return_exceptions=True)


async def deploying(
    serve: FakeServe, start: Start, folder: Path, options: ClusterOptions | None = None
) -> tuple[Any, str]:
    """Start a deployer that finds one bundle; return it, and the application whose replicas start."""
    write_fake_bundle(folder)
    serve.after_deploying = "DEPLOYING"
    deployer = await start(options)
    await until(lambda: len(serve.deployed) == 1)
    return deployer, serve.deployed[0]


async def looks(serve: FakeServe, number: int) -> None:
    seen = serve.looks
    await until(lambda: serve.looks >= seen + number)


async def test_versions_of_no_bundle_are_removed_but_never_the_applications_of_others(
    serve: FakeServe, start: Start, tmp_path: Path
) -> None:
    write_fake_bundle(tmp_path)
    serve.become("ugatit-dog2cat-0123456789ab-01234567", "DEPLOY_FAILED")
    await start()
    await until(lambda: "ugatit-dog2cat-0123456789ab-01234567" in serve.removed)
    await looks(serve, 5)
    assert serve.applications.keys() >= {APPLICATION, "summaries"}


async def test_directions_are_known_from_the_first_moment(start: Start, tmp_path: Path) -> None:
    write_fake_bundle(tmp_path)
    deployer = await start()
    assert {name: each.state for name, each in deployer.served().items()} == {"cat2dog": State.STARTING}


async def test_a_version_that_cannot_start_is_refused_until_a_reload_is_requested(
    serve: FakeServe, start: Start, tmp_path: Path
) -> None:
    path = write_fake_bundle(tmp_path)
    version = version_of((path / MANIFEST).read_bytes())
    deployer = await start()
    await until(lambda: len(serve.removed) == 1)
    (name,) = serve.removed
    assert name.startswith(f"{APPLICATION}-cat2dog-{version}-")
    await looks(serve, 5)
    assert serve.deployed == [name]
    described = deployer.served()["cat2dog"]
    assert (described.state, described.reason) == (State.DEFUNCT, "the disk is full")
    deployer.reload()
    await until(lambda: serve.deployed == [name, name])


async def test_other_options_start_other_replicas_and_the_earlier_ones_serve_until_those_run(
    serve: FakeServe, start: Start, tmp_path: Path
) -> None:
    first, earlier = await deploying(serve, start, tmp_path)
    serve.become(earlier, "RUNNING", running=1)
    await until(lambda: first.served()["cat2dog"].state is State.READY)
    first._loop.cancel()
    second = await start(ClusterOptions(replica_cpus=2))
    await until(lambda: len(serve.deployed) == 2)
    wanted = serve.deployed[1]
    await looks(serve, 5)
    described = second.served()["cat2dog"]
    assert described.version.application == earlier
    assert described.reason.startswith("New replicas are starting; the earlier ones serve until those run.")
    serve.become(wanted, "RUNNING", running=1)
    await until(lambda: serve.removed == [earlier])
    assert second.served()["cat2dog"].version.application == wanted


async def test_a_version_that_lost_some_replicas_is_served_by_a_deployer_that_starts(
    serve: FakeServe, start: Start, tmp_path: Path
) -> None:
    first, name = await deploying(serve, start, tmp_path)
    first._loop.cancel()
    serve.become(name, "UNHEALTHY", running=1)
    second = await start()
    await until(lambda: second.served()["cat2dog"].state is State.READY)
    assert (serve.deployed, serve.removed) == ([name], [])


async def test_a_version_is_served_once_all_its_first_replicas_run(
    serve: FakeServe, start: Start, tmp_path: Path
) -> None:
    deployer, name = await deploying(serve, start, tmp_path, ClusterOptions(replicas=2))
    serve.become(name, "DEPLOYING", running=1)
    await looks(serve, 5)
    assert deployer.served()["cat2dog"].state is State.STARTING
    serve.become(name, "RUNNING", running=2)
    await until(lambda: deployer.served()["cat2dog"].state is State.READY)


@pytest.mark.parametrize("direction", ["cat2dog", "cat-2-dog"])
def test_an_application_is_recognised_by_its_name(direction: str) -> None:
    from app.cluster.deployment import application_name, split_name

    assert split_name(application_name(direction, "0123456789ab", "01234567")) == (direction, "0123456789ab")
    assert split_name(f"ugatit-{direction}-summaries") is None


async def test_a_folder_that_disappears_takes_no_direction_away(
    serve: FakeServe, start: Start, tmp_path: Path
) -> None:
    write_fake_bundle(tmp_path)
    deployer = await start()
    await looks(serve, 3)
    shutil.rmtree(tmp_path)
    await looks(serve, 3)
    assert deployer.served().keys() == {"cat2dog"}


async def test_a_deployer_without_its_folder_does_not_start(start: Start, tmp_path: Path) -> None:
    shutil.rmtree(tmp_path)
    with pytest.raises(FileNotFoundError):
        await start()
