"""A backup of a site that is busy, and another site that is what the first one was."""

from __future__ import annotations

import sqlite3
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from app.cli import backing_up
from app.composition import Services
from app.services.private_files import use
from app.services.recorder import Owner
from tests.busy import Busy
from tests.cli.running import Run, output_of, refusal_of
from tests.deploy.manual import commands
from tests.evidence import keep
from tests.factories import make_picture, publish
from tests.serving import EMAIL, RunningSite
from tests.waiting import wait_until
from tests.web.visiting import Visitor

ELSEWHERE = "postgresql://vitrine@127.0.0.1:1/vitrine"
ANOTHER_KEY = "kX9-vQ2_mZ7.pL4~wR8!tB3@yN6#hC1$"


def predictions_in(data: Path) -> set[str]:
    with closing(sqlite3.connect(data / "vitrine.db")) as connection:
        return {identifier for (identifier,) in connection.execute("SELECT id FROM predictions")}


def pictures_in(data: Path) -> set[str]:
    return {path.name.partition(".")[0] for path in (data / "pictures").rglob("*.picture.jpg")}


def test_a_busy_site_is_backed_up_and_another_one_is_what_it_was(
    vitrine: Run, services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(services.repository)
    services.engine.dispose()
    with RunningSite(tmp_path, key_limit="0", visitor_limit="0") as site:
        with Busy(site) as busy:
            wait_until(lambda: busy.acknowledged and busy.shown)
            began = time.monotonic()
            ran = vitrine("backup", tmp_path / "site.tar")
        assert ran.err.startswith("The database, 1 versions of models and ")
        assert set(busy.statuses) == {200, 303}  # by key, and by a page that leads to the answer
        assert "A site runs on" in refusal_of(vitrine("restore", tmp_path / "site.tar", "--replace"))
    monkeypatch.setenv("VITRINE_DATA", str(tmp_path / "other" / "data"))
    output_of(vitrine("restore", tmp_path / "site.tar"))
    stored, kept = predictions_in(tmp_path / "other" / "data"), pictures_in(tmp_path / "other" / "data")
    answered, shown = ({it for moment, it in kind if moment < began} for kind in (busy.acknowledged, busy.shown))
    assert answered
    assert shown
    assert answered | shown <= stored <= predictions_in(site.data)
    assert shown <= kept <= stored
    with RunningSite(tmp_path / "other") as other:
        assert Visitor(other).log_in().status in (302, 303)
        (visitor,) = busy.visitors
        visitor.site = other  # whose cookie is as good as it was
        for identifier in shown:
            assert visitor.get(f"/predictions/{identifier}/picture").headers["Content-Type"] == "image/jpeg"
        sent = {"Content-Type": "image/png"}
        answer = other.request("POST", "/api/v1/models/shade/predict", make_picture(), sent, key=site.key)
        assert (answer.status, answer.json["model"]) == (200, {"name": "shade", "version": "1"})


def test_what_is_in_it_is_told_and_it_replaces_what_is_there_only_where_that_is_said(
    vitrine: Run, services: Services, account: int, tmp_path: Path
) -> None:
    keep(services, Owner(account), 150, 20)
    publish(services.repository)
    services.engine.dispose()
    told = "The database, 1 versions of models and 2 pictures (0.2 MB)"
    ran = vitrine("backup", tmp_path / "a.tar")
    assert (output_of(ran), ran.err.startswith(told), ran.err.count("\n")) == ("", True, 1)
    assert "There is a site in" in refusal_of(vitrine("restore", tmp_path / "a.tar"))
    ran = vitrine("restore", tmp_path / "a.tar", "--replace")
    assert (ran.code, ran.err.startswith(f"{told}, as they were at "), ran.err.count("\n")) == (0, True, 1)
    assert EMAIL in output_of(vitrine("users", "list"))


def test_the_documented_commands_work_as_they_stand(vitrine: Run, services: Services, tmp_path: Path) -> None:
    services.engine.dispose()
    for line in commands("Backup").replace("/var/backups", str(tmp_path)).splitlines():
        assert line.startswith(".venv/bin/vitrine ")
        output_of(vitrine(*line.split()[1:]))
    assert (tmp_path / "vitrine.tar").stat().st_mode & 0o777 == 0o600


def test_another_database_is_not_backed_up_by_halves(
    vitrine: Run, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VITRINE_DATABASE_URL", ELSEWHERE)
    for command in ("backup", "restore"):
        assert "pg_dump and pg_restore" in refusal_of(vitrine(command, tmp_path / "a.tar"))
    assert not data.exists()
    assert not (tmp_path / "a.tar").exists()


def test_what_machines_share_is_not_backed_up_by_halves(vitrine: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VITRINE_STORE", str(tmp_path / "shared"))
    for command in ("backup", "restore"):
        assert "VITRINE_STORE names where models and pictures are kept" in refusal_of(vitrine(command, tmp_path / "a.tar"))
    assert not (tmp_path / "a.tar").exists()


def test_a_file_of_the_operators_own_is_backed_up_and_not_restored_there(
    vitrine: Run, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VITRINE_DATABASE_URL", f"sqlite:///{tmp_path / 'own.db'}")
    output_of(vitrine("prepare"))
    output_of(vitrine("backup", tmp_path / "a.tar"))
    assert "restore without it" in refusal_of(vitrine("restore", tmp_path / "a.tar", "--replace"))
    monkeypatch.delenv("VITRINE_DATABASE_URL")
    output_of(vitrine("restore", tmp_path / "a.tar", "--replace"))
    assert (data / "vitrine.db").exists()


def test_a_key_that_is_set_is_not_in_it_and_another_one_is_told(
    vitrine: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VITRINE_SECRET_KEY", ANOTHER_KEY)
    output_of(vitrine("prepare"))
    ran = vitrine("backup", tmp_path / "a.tar")
    assert "The secret key is not: it is set (VITRINE_SECRET_KEY)" in ran.err
    assert "The secret key is another" not in vitrine("restore", tmp_path / "a.tar", "--replace").err
    monkeypatch.delenv("VITRINE_SECRET_KEY")
    assert "The secret key is another" in vitrine("restore", tmp_path / "a.tar", "--replace").err


def test_a_place_that_cannot_be_written_to_is_refused(vitrine: Run, services: Services, tmp_path: Path) -> None:
    refused = refusal_of(vitrine("backup", tmp_path / "nowhere" / "a.tar"))
    assert refused.startswith(f"The backup cannot be written to {tmp_path / 'nowhere' / 'a.tar'}: No such file or directory (")


@pytest.mark.parametrize("words", [("users", "list"), ("upgrade",), ("backup", "again.tar")])
def test_the_next_command_ends_what_a_killed_one_began(
    words: tuple[str, ...], vitrine: Run, services: Services, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    services.engine.dispose()
    (data / ".restored").mkdir()
    (data / "vitrine.db").rename(data / ".restored" / "vitrine.db")
    (data / "models").mkdir()
    output_of(vitrine(*words))
    assert (data / "vitrine.db").exists()
    assert not any((data / name).exists() for name in (".restored", ".placing", "models"))


def test_a_start_sweeps_what_a_killed_one_had_unpacked(vitrine: Run, services: Services, data: Path) -> None:
    (data / ".unpacked" / "models").mkdir(parents=True)
    end = use(data)
    output_of(vitrine("prepare"))
    assert (data / ".unpacked").exists()  # somebody may be restoring, for all that can be told
    end()
    output_of(vitrine("prepare"))
    assert not (data / ".unpacked").exists()


def test_on_a_terminal_a_large_one_tells_how_far_it_is(
    vitrine: Run, services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backing_up, "_MANY_BYTES", 1)
    assert "backing up" not in vitrine("backup", tmp_path / "a.tar").err
    monkeypatch.setattr(type(sys.stderr), "isatty", lambda _: True)
    assert "backing up" in vitrine("backup", tmp_path / "a.tar").err
    assert "100%" in vitrine("restore", tmp_path / "a.tar", "--replace").err
