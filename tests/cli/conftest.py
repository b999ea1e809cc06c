"""The command line in this process, over a data folder of the test's own."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from io import BytesIO, TextIOWrapper
from pathlib import Path

import pytest
import structlog

from app.cli import main
from app.composition import Services
from tests.cli.running import Ran, Run
from tests.factories import make_services
from tests.serving import EMAIL, PASSWORD


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the data folder that the commands of this test work on; nobody has made it yet."""
    monkeypatch.setenv("VITRINE_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.fixture
def vitrine(data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Run]:
    """Give `vitrine` as a function of its words and its standard input."""
    monkeypatch.setenv("COLUMNS", "160")

    def run(*words: str | Path, given: bytes = b"") -> Ran:
        monkeypatch.setattr(sys, "argv", ["vitrine", *map(str, words)])
        monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(given), encoding="utf-8", errors="surrogateescape"))
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            main()
        return Ran(int(end.value.code or 0), *capsys.readouterr())

    # A command's logs go to its own standard error, which is closed when the next test writes one.
    handlers, events = logging.root.handlers[:], structlog.get_config()
    yield run
    logging.root.handlers[:] = handlers
    structlog.configure(**events)


@pytest.fixture
def services(data: Path) -> Services:
    """Give the services over the same data folder, to see what a command has changed."""
    return make_services(data.parent)


@pytest.fixture
def account(services: Services) -> int:
    """Give the number of an account that exists."""
    return services.accounts.create(EMAIL, PASSWORD)
