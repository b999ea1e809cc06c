"""What needs other servers, root or minutes is collected only where `make test-deploy` has set TEST_DEPLOY."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy.containers import Engine

_QUICK = {"test_prefix.py"}
_HERE = Path(__file__).parent
collect_ignore = [] if os.environ.get("TEST_DEPLOY") else sorted({path.name for path in _HERE.glob("test_*.py")} - _QUICK)


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    with Engine() as engine:
        engine.make_base()
        yield engine


@pytest.fixture(scope="session")
def image(engine: Engine) -> str:
    return engine.build("vitrine:test")


@pytest.fixture(scope="session")
def image_with_extras(engine: Engine) -> str:
    return engine.build("vitrine:extras", "LIBRARIES=extras")
