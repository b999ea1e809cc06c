"""What the machine gives, and what it lacks."""

from __future__ import annotations

import importlib.util
import os
import resource
from pathlib import Path

import pytest

from app.cli.checks import machine
from app.cli.checks.finding import Level
from app.cli.checks.machine import confinement, libraries, memory_bytes, open_files, redis, resources
from app.intake import confinement as walls
from app.intake import sandbox
from tests.cli.checks.looking import assert_well, look, only
from tests.factories import make_settings
from tests.redis_server import RunningRedis


def test_workers_that_suit_the_machine_are_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "memory_bytes", lambda: 600_000_000)
    settings = make_settings(tmp_path, workers=2)
    assert_well(resources, settings)
    monkeypatch.setattr(machine, "memory_bytes", lambda: 599_000_000)
    assert only(resources, settings).what.startswith("2 workers may want 600.0 MB of memory")


def test_more_workers_than_the_cores_can_use_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0})
    found = look(resources, make_settings(tmp_path, workers=5))
    assert found[-1].what == "5 workers share 1 cores."


@pytest.mark.parametrize(("text", "bounded"), [("123456789\n", True), ("max\n", False)])
def test_the_memory_is_what_the_control_group_may_take(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, bounded: bool
) -> None:
    (tmp_path / "memory.max").write_text(text)
    monkeypatch.setattr(machine, "_CONTROL_GROUP", tmp_path)
    assert (memory_bytes() == 123_456_789) is bounded


@pytest.mark.parametrize(("most", "level"), [(1024, Level.WARNING), (4096, Level.GOOD), (resource.RLIM_INFINITY, Level.GOOD)])
def test_too_few_open_files_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int, level: Level) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (256, most))
    assert only(open_files, make_settings(tmp_path)).level is level


def test_what_confines_an_import_is_named(tmp_path: Path) -> None:
    found = only(confinement, make_settings(tmp_path))
    assert found.level is Level.GOOD
    assert all(wall in found.what for wall in walls.ESSENTIAL)


def test_without_confinement_imports_stop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "ESSENTIAL", walls.ESSENTIAL | {"a wall that no system has"})
    found = only(confinement, make_settings(tmp_path))
    assert (found.level, "a wall that no system has" in found.what) == (Level.WARNING, True)


def test_libraries_that_the_settings_need_are_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"oidc_url": "https://login.example.org", "oidc_client": "a", "oidc_secret": "b"}
    settings = make_settings(tmp_path, redis_url="redis://127.0.0.1", database_url="postgresql://a", **given)
    assert_well(libraries, settings)
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    found = look(libraries, settings)
    assert {finding.level for finding in found} == {Level.ERROR}
    assert [finding.what.partition(",")[0] for finding in found] == [
        "VITRINE_OIDC_URL needs authlib",
        "VITRINE_OIDC_URL needs requests",
        "VITRINE_DATABASE_URL needs psycopg",
        "VITRINE_REDIS_URL needs redis",
    ]
    assert_well(libraries, make_settings(tmp_path))


def test_a_redis_that_answers_is_well_and_one_that_does_not_is_told(tmp_path: Path) -> None:
    with RunningRedis(tmp_path) as running:
        settings = make_settings(tmp_path, redis_url=running.url)
        assert_well(redis, settings)
    found = only(redis, settings)
    assert (found.level, "(ConnectionError)" in found.what) == (Level.WARNING, True)
    found = only(redis, make_settings(tmp_path, redis_url="http://:secret-word@127.0.0.1/0"))
    assert (found.level, "secret-word" in found.what) == (Level.ERROR, False)
    assert look(redis, make_settings(tmp_path)) == []
