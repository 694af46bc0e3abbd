from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.service import running_service


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    """A service with the bundles that are shipped."""
    with running_service() as address:
        yield address
