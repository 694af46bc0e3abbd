"""Fixtures of the end-to-end tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.service import running_service


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    """Run the service with the shipped bundles and return its address."""
    with running_service() as address:
        yield address
