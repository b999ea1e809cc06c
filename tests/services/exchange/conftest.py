"""Sites to export from and to import into, and a database for those that grow up."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.composition import Services
from tests.factories import make_services
from tests.postgres import RunningPostgres


@pytest.fixture(scope="session")
def server() -> Iterator[RunningPostgres]:
    with RunningPostgres() as running:
        yield running


@pytest.fixture
def services(tmp_path: Path) -> Services:
    return make_services(tmp_path)


@pytest.fixture
def other(tmp_path: Path) -> Services:
    """Give another site, which knows nobody."""
    (tmp_path / "other").mkdir()
    return make_services(tmp_path / "other")
