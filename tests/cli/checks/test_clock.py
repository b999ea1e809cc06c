"""A clock that cannot be right."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.cli.checks.clock import clock
from app.cli.checks.finding import Case, Level
from app.services.recorder import Owner, Recorder
from app.storage.inspection import Seen
from tests.cli.checks.looking import assert_well, only
from tests.factories import make_prediction, make_services, make_settings


def test_a_clock_that_is_later_than_everything_may_be_right(tmp_path: Path) -> None:
    services = make_services(tmp_path)
    assert Recorder(engine=services.engine).record(make_prediction(), Owner(guest="a"), None)
    assert_well(clock, services.settings)
    assert_well(clock, make_settings(tmp_path / "not" / "yet"))


def test_a_row_from_the_future_is_an_error(tmp_path: Path) -> None:
    services = make_services(tmp_path)
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    assert Recorder(engine=services.engine).record(make_prediction(created_at=tomorrow), Owner(guest="a"), None)
    found = only(clock, services.settings)
    assert (found.level, f"{tomorrow:%Y-%m-%d}" in found.what) == (Level.ERROR, True)


def test_a_file_from_the_future_is_told(tmp_path: Path) -> None:
    settings = make_settings(tmp_path)
    settings.data.mkdir()
    file = settings.data / "secret_key"
    file.touch()
    os.utime(file, (time.time() + 3600,) * 2)
    found = only(clock, settings)
    assert (found.level, str(file) in found.what) == (Level.WARNING, True)


@pytest.mark.parametrize(
    ("ahead", "level"), [(4.9, Level.GOOD), (-5.1, Level.WARNING), (59.0, Level.WARNING), (-61.0, Level.ERROR)]
)
def test_a_server_whose_clock_is_another_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ahead: float, level: Level
) -> None:
    monkeypatch.setattr(Case, "seen", Seen("PostgreSQL 15.6", 0, None, None, ahead_seconds=ahead))
    assert only(clock, make_settings(tmp_path)).level is level
