"""What machines share, there and away."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from app.cli.checks.finding import Level
from app.cli.checks.models import models
from app.cli.checks.store import store
from app.config import Settings
from tests.cli.checks.looking import assert_well, look, only
from tests.factories import make_settings
from tests.s3_server import RunningS3


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "shared").mkdir()
    return make_settings(tmp_path, store=str(tmp_path / "shared"))


def test_a_site_without_a_store_is_not_asked_for_one(tmp_path: Path) -> None:
    assert look(store, make_settings(tmp_path)) == []


def test_a_folder_that_can_be_written_to_is_well(settings: Settings) -> None:
    assert_well(store, settings)


def test_a_folder_that_is_not_mounted_is_told(settings: Settings) -> None:
    shutil.rmtree(settings.kept)
    found = only(store, settings)
    assert (found.level, found.mend) == (Level.ERROR, "Mount it, or mend VITRINE_STORE.")


def test_a_bucket_is_read_and_one_that_is_away_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = make_settings(tmp_path, store=RunningS3.url)
    with RunningS3(tmp_path) as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        assert only(store, settings).what == f"The store {RunningS3.url} answers, and holds no model yet."
        assert_well(models, settings)
    found = only(store, settings)
    assert found.level is Level.ERROR
    assert found.what.startswith(f"The store {RunningS3.url} cannot be read: ")
    assert [path.name for path in tmp_path.iterdir()] == ["s3.log"]  # nothing was made
