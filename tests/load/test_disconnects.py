"""Clients that disconnect at each stage of a request: all permits, memory and connections are released.

`UGATIT_TESTS_DISCONNECTS` sets how many disconnect at each stage.
"""

from __future__ import annotations

import gc
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.engine.rendering import render_picture
from app.engine.scheduling.admission import Permit
from app.http.middleware.body_memory import HeldBody
from app.settings.settings import Settings
from tests.fake_engine import FakeModel, fake_engine
from tests.http.live import Live, head, held, metric, serving, until
from tests.http.problems import PNG, URL
from tests.photos import photo

ROUNDS = int(os.environ.get("UGATIT_TESTS_DISCONNECTS", "50"))
BODY = photo()
REQUEST = head(URL, f"Content-Type: image/png\r\nContent-Length: {len(BODY)}\r\n") + BODY


class Encoder:
    """Encodes answers once the test allows it."""

    def __init__(self) -> None:
        self.entered = threading.Semaphore(0)
        self.go = threading.Event()
        self.go.set()

    def render(self, *arguments: object) -> object:
        """Replace `render_picture`."""
        go = self.go
        self.entered.release()
        assert go.wait(60), "a test held the encoder and never released it"
        return render_picture(*arguments)


class Stage:
    """A service, and ways to hold a request at any stage."""

    def __init__(self, live: Live, model: FakeModel, encoder: Encoder) -> None:
        self.live = live
        self.model = model
        self.encoder = encoder

    def disconnect_while_sending(self) -> None:
        with self.live.raw(REQUEST[:-1]):
            until(lambda: metric(self.live, "ugatit_receiving_bytes") == len(BODY) - 1)

    def disconnect_while_waiting(self) -> None:
        self.model.hold()
        with self.live.raw(REQUEST):
            entered(self.model.entered)
            with self.live.raw(REQUEST):
                until(lambda: self.live.engine.registry["cat2dog"].queued == 1)
            until(lambda: held(self.live) == 1)

    def disconnect_during_the_run(self) -> None:
        self.model.hold()
        with self.live.raw(REQUEST):
            entered(self.model.entered)

    def disconnect_while_encoding(self) -> None:
        self.encoder.go = threading.Event()
        with self.live.raw(REQUEST):
            entered(self.encoder.entered)

    def next_one_is_served(self) -> None:
        """Check that a request is served: then the earlier run has ended, perhaps terminated."""
        until(lambda: held(self.live) == 0)
        self.model.release()
        self.encoder.go.set()
        assert self.live.ask("POST", URL, BODY, PNG)[0] == 200
        for semaphore in (self.model.entered, self.encoder.entered):
            while semaphore.acquire(blocking=False):
                pass


def entered(semaphore: threading.Semaphore) -> None:
    assert semaphore.acquire(timeout=60), "the request did not reach the stage"


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    model, encoder = FakeModel(), Encoder()
    monkeypatch.setattr("app.engine.drawing.render_picture", encoder.render)
    settings = Settings(bundles_dir=tmp_path / "bundles", queue_size=4)
    with serving(settings, fake_engine(settings, model)) as live:
        while model.entered.acquire(blocking=False):
            pass
        yield Stage(live, model, encoder)
        model.release()


@pytest.mark.parametrize(
    "disconnect",
    [
        Stage.disconnect_while_sending,
        Stage.disconnect_while_waiting,
        Stage.disconnect_during_the_run,
        Stage.disconnect_while_encoding,
    ],
)
def test_a_disconnected_client_releases_permit_memory_and_connection(
    stage: Stage, disconnect: Callable[[Stage], None]
) -> None:
    live, threads = stage.live, threading.active_count()
    for _ in range(ROUNDS):
        disconnect(stage)
        stage.next_one_is_served()
    until(lambda: not live.server.server_state.connections)
    until(lambda: not live.server.server_state.tasks)
    assert held(live) == 0
    assert live.engine.registry["cat2dog"].queued == 0
    assert metric(live, "ugatit_receiving_bytes") == 0
    assert threading.active_count() <= threads + live.engine._settings.decoders + THREADS_TO_ENCODE
    until(lambda: not kept())


THREADS_TO_ENCODE = min(32, (os.cpu_count() or 1) + 4)
"""The maximum size of asyncio's default thread pool."""


def kept() -> list[object]:
    """Return the objects that a finished request must release."""
    gc.collect()
    # Not `isinstance`: it reads attributes of other packages' objects, some of which warn then.
    return [each for each in gc.get_objects() if type(each) in (Permit, HeldBody)]
