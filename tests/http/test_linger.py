"""The linger time: a stopping service still admits pictures until a load balancer has noticed."""

from __future__ import annotations

import signal

from tests.http.conftest import MakeLive
from tests.http.live import head
from tests.http.problems import PNG, URL
from tests.photos import photo


def test_lingering_service_is_not_ready_and_still_translates(make_live: MakeLive) -> None:
    live = make_live(linger_seconds=600)
    live.server.stop()
    assert live.ask("GET", "/readyz")[1]["code"] == "not_ready"
    assert live.ask("GET", "/healthz")[0] == 200
    assert live.ask("POST", URL, photo(), PNG)[0] == 200
    assert b"connection: close" in live.answer(head("/directions", "", "GET")).lower()
    live.server.handle_exit(signal.SIGTERM, None)  # the second signal stops it at once
    live.thread.join(20)
    assert not live.thread.is_alive()


def test_service_stops_after_the_linger_time(make_live: MakeLive) -> None:
    live = make_live(linger_seconds=0.01)
    live.server.stop()
    live.thread.join(20)
    assert not live.thread.is_alive()
    assert live.engine.draining
