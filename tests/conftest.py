"""What all tests have in common: one thread for arithmetic, and what running them in parallel needs.

The threads are set before torch and numpy are imported, and child processes inherit them. The networks of the
tests are too small for a second thread to help, and threads that spin while they wait take the cores from the
other processes that run tests.
"""

from __future__ import annotations

import os

import pytest

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--serial`. It leaves `-m` to whoever runs the tests."""
    parser.addoption("--serial", choices=("only", "without"), help="select tests by their marker serial")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the tests that `--serial` selects; without it, all of them."""
    wanted = config.getoption("serial")
    if wanted is None:
        return
    chosen, others = [], []
    for item in items:
        is_serial = item.get_closest_marker("serial") is not None
        (chosen if is_serial == (wanted == "only") else others).append(item)
    config.hook.pytest_deselected(items=others)
    items[:] = chosen


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name a parameter of bytes after its argument.

    Every process of a parallel run must find the same names, and bytes may differ: gzip's hold the time.
    """
    return argname if isinstance(val, bytes) else None
