"""A server without work: measures the least time that a request takes on this machine at this moment.

python -m tests.load.bare
"""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tests.cli.command import ROOT, environment
from tests.load.service import Service

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


async def main() -> None:
    """Serve until killed."""
    server = await asyncio.start_server(_answer, "127.0.0.1", 0)
    print("http://{}:{}".format(*server.sockets[0].getsockname()), flush=True)
    await server.serve_forever()


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(ANSWER)
    writer.close()


@contextmanager
def bare_server() -> Iterator[Service]:
    """Run the server in its own process, like the service."""
    command = [sys.executable, "-m", "tests.load.bare"]
    with subprocess.Popen(command, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            address = re.fullmatch(r"http://(.+):(\d+)\n", process.stdout.readline())
            assert address is not None, "the bare server did not start"
            yield Service(process, address[1], int(address[2]))
        finally:
            process.kill()


if __name__ == "__main__":
    asyncio.run(main())
