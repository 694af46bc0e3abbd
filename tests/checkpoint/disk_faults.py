"""Make calls that change the disk fail, or kill the process in them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

CALLS = ("open", "write", "fsync", "close", "mkdir", "rename", "replace")
"""The calls of a save that can fail. Deleting files never fails here."""

real_open, real_write, real_close = os.open, os.write, os.close

ShouldFail = Callable[[str], bool]
"""Called with a call's name before it: whether it fails. It may also kill the process."""


@contextmanager
def failing_disk(should_fail: ShouldFail, failure: OSError) -> Iterator[None]:
    """Make disk calls fail as `should_fail` returns: a write after half its bytes, a close after closing."""
    with pytest.MonkeyPatch.context() as patch:
        for name in CALLS:
            patch.setattr(os, name, _failing(name, getattr(os, name), should_fail, failure))
        yield


def _failing(
    name: str, call: Callable[..., Any], should_fail: ShouldFail, failure: OSError
) -> Callable[..., Any]:
    def failing(*arguments: Any, **options: Any) -> Any:
        if name == "open" and not arguments[1] & os.O_CREAT:
            return call(*arguments, **options)
        if not should_fail(name):
            return call(*arguments, **options)
        if name == "write":
            real_write(arguments[0], arguments[1][: len(arguments[1]) // 2])
        if name == "close":
            real_close(arguments[0])
        raise failure

    return failing
