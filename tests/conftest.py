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
    """Add `--serial` and `--cluster`. They leave `-m` to whoever runs the tests."""
    parser.addoption("--serial", choices=("only", "without"), help="select tests by their marker serial")
    parser.addoption("--cluster", action="store_true", help="run the tests with the marker cluster too")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the tests that the options select; without `--serial` it keeps both kinds."""
    serial = config.getoption("serial")
    chosen, others = [], []
    for item in items:
        left_out = item.get_closest_marker("cluster") is not None and not config.getoption("cluster")
        is_serial = item.get_closest_marker("serial") is not None
        wanted = not left_out and (serial is None or is_serial == (serial == "only"))
        (chosen if wanted else others).append(item)
    config.hook.pytest_deselected(items=others)
    items[:] = chosen


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name a parameter of bytes after its argument.

    Every process of a parallel run must find the same names, and bytes may differ: gzip's hold the time.
    """
    return argname if isinstance(val, bytes) else None
