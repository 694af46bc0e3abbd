"""The memory of all request bodies: limited, shared among clients, always released."""

from __future__ import annotations

import pytest

from app.http.access.client_address import client_of
from app.http.middleware.body_memory import BodyMemory, HeldBody
from app.http.problems.request_errors import ReceivingFull


class Bodies:
    """Bodies in one body memory, and the list of displaced bodies."""

    def __init__(self, limit_bytes: int) -> None:
        self.body_memory = BodyMemory(limit_bytes)
        self.woken: list[HeldBody] = []

    def body(self, client: str, count: int = 0) -> HeldBody:
        body = HeldBody(client, lambda: self.woken.append(body))
        self.body_memory.add(body, count)
        return body


def test_memory_limit_is_exact() -> None:
    bodies = Bodies(100)
    body = bodies.body("a", 60)
    bodies.body_memory.add(body, 40)
    with pytest.raises(ReceivingFull) as refused:
        bodies.body("a", 1)
    assert refused.value.retry_after_seconds >= 1
    bodies.body_memory.release(body)
    assert bodies.body_memory.held_bytes == 0
    bodies.body("a", 100)


def test_refused_body_releases_its_memory() -> None:
    bodies = Bodies(100)
    bodies.body("a", 60)
    body = bodies.body("a", 30)
    with pytest.raises(ReceivingFull):
        bodies.body_memory.add(body, 20)
    assert bodies.body_memory.held_bytes == 60


def test_client_that_holds_most_makes_room_for_another_client() -> None:
    bodies = Bodies(100)
    old, new = bodies.body("crowd", 50), bodies.body("crowd", 50)
    bodies.body("newcomer", 20)
    assert bodies.woken == [new]
    assert bodies.body_memory.held_bytes == 70
    assert not old.displaced
    with pytest.raises(ReceivingFull):
        bodies.body_memory.add(new, 1)


def test_complete_body_is_not_displaced() -> None:
    bodies = Bodies(100)
    bodies.body("crowd", 100).complete = True
    with pytest.raises(ReceivingFull):
        bodies.body("newcomer", 20)
    assert bodies.woken == []


def test_client_cannot_displace_a_client_that_holds_less() -> None:
    bodies = Bodies(100)
    bodies.body("a", 60)
    body = bodies.body("b", 40)
    with pytest.raises(ReceivingFull):
        bodies.body_memory.add(body, 30)
    assert bodies.woken == []


@pytest.mark.parametrize(
    ("host", "client"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("testclient", "testclient"),
    ],
)
def test_client_is_identified_by_ipv4_address_or_ipv6_network(host: str, client: str) -> None:
    assert client_of({"client": (host, 5)}) == client


def test_unix_socket_client_has_an_empty_address() -> None:
    assert client_of({"client": None}) == ""
