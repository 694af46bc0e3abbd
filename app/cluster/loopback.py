"""Keep Serve's own ports on 127.0.0.1 where the whole cluster is on one machine."""

from __future__ import annotations

from typing import Any

import ray
from ray.serve._private import replica

_LOOPBACK = "127.0.0.1"


def stay_on_loopback() -> None:
    """Let this replica's gRPC server listen on 127.0.0.1, if Ray does.

    Serve binds it to every address, without a secret, and it unpickles what it receives. It is started after
    the replica's own `__init__`, which calls this.
    """
    if ray.util.get_node_ip_address() != _LOOPBACK:
        return
    add_port = replica.add_port_to_grpc_server

    def add_loopback_port(server: Any, _address: str) -> Any:
        return add_port(server, f"{_LOOPBACK}:0")

    replica.add_port_to_grpc_server = add_loopback_port
