"""Run the service: sockets, connections, worker processes, signals."""
