"""Something happens to the process at its n-th call that changes the disk."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

CALLS = ("open", "write", "fsync", "close", "mkdir", "rename", "replace")
"""What a save does to the disk, as far as it can fail. Names are taken away in peace."""

real_open, real_write, real_close = os.open, os.write, os.close

Strike = Callable[[str], bool]
"""Asked before each call with its name: whether it fails. It may also never return."""


@contextmanager
def striking(strike: Strike, failure: OSError) -> Iterator[None]:
    """Let disk calls fail as `strike` says: a write after half its bytes, a close after closing."""
    with pytest.MonkeyPatch.context() as patch:
        for name in CALLS:
            patch.setattr(os, name, _struck(name, getattr(os, name), strike, failure))
        yield


def _struck(name: str, call: Callable[..., Any], strike: Strike, failure: OSError) -> Callable[..., Any]:
    def struck(*arguments: Any, **options: Any) -> Any:
        if name == "open" and not arguments[1] & os.O_CREAT:
            return call(*arguments, **options)
        if not strike(name):
            return call(*arguments, **options)
        if name == "write":
            real_write(arguments[0], arguments[1][: len(arguments[1]) // 2])
        if name == "close":
            real_close(arguments[0])
        raise failure

    return struck
