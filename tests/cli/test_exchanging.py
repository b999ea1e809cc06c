"""Data out of a site and into one, by the command line: what is said of it, and what a killed command leaves to the next."""

from __future__ import annotations

import os
import pty
import re
import shlex
import signal
import subprocess
import time
from pathlib import Path

import psycopg
import pytest

from app.composition import Services
from app.services.exchange.shapes import PREDICTIONS
from app.storage.tables import Base
from tests.cli.running import Run, output_of, refusal_of
from tests.factories import make_services
from tests.postgres import RunningPostgres
from tests.services.exchange.rows import prediction, predictions_of, read, store_predictions
from tests.serving import EMAIL, TREE, VITRINE

COUNT = 10_000


def said(run: Run, *words: str | Path) -> str:
    """Give the one line that a command says in the end; nothing stands on standard output."""
    ran = run(*words)
    assert (ran.code, ran.out) == (0, ""), ran
    return ran.err


def start(data: Path, *words: str | Path, stderr: int = subprocess.DEVNULL) -> subprocess.Popen[bytes]:
    """Start a command in a process of its own."""
    environment = {**os.environ, "VITRINE_DATA": str(data)}
    return subprocess.Popen([*VITRINE, *map(str, words)], cwd=TREE, env=environment, stderr=stderr)


def commands_of(document: str) -> list[list[list[str]]]:
    """Give the words of the commands in a document, block by block, without `vitrine` itself."""
    text = (TREE / "docs" / document).read_text(encoding="utf-8")
    blocks = re.findall(r"^ *```sh\n(.*?)^ *```$", text, re.MULTILINE | re.DOTALL)
    return [[shlex.split(line)[1:] for line in block.splitlines()] for block in blocks]


def test_one_line_tells_how_many_went_out_and_came_in(
    vitrine: Run, services: Services, account: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store_predictions(services, [prediction(1, owner=EMAIL, guest=None), prediction(2)])
    assert said(vitrine, "export", "predictions", "--to", tmp_path / "p.csv") == "2 predictions exported.\n"
    assert said(vitrine, "export", "users", "--to", tmp_path / "u.jsonl") == "1 account exported.\n"
    assert said(vitrine, "export", "audit-log", "--to", tmp_path / "a.csv") == "3 entries of the audit log exported.\n"
    again = said(vitrine, "export", "users", "--to", tmp_path / "u.jsonl")
    assert again == "Going on after 1, the last that is there.\n0 accounts exported.\n"
    monkeypatch.setenv("VITRINE_DATA", str(tmp_path / "new"))
    left = "1 left out, whose owners have no account here: import users first"
    assert said(vitrine, "import", "predictions", "--from", tmp_path / "p.csv") == f"1 prediction imported; {left}.\n"
    assert said(vitrine, "import", "users", "--from", tmp_path / "u.jsonl") == "1 account imported.\n"
    again = said(vitrine, "import", "predictions", "--from", tmp_path / "p.csv")
    assert again == "1 prediction imported; 1 was there already.\n"
    assert said(vitrine, "import", "audit-log", "--from", tmp_path / "a.csv") == "3 entries of the audit log imported.\n"
    deeds = make_services(tmp_path / "x", data=tmp_path / "new").audit_log.before(None, 99)
    assert [(deed.action, deed.subject) for deed in deeds if deed.action == "imported"] == [
        ("imported", f"list:{what}") for what in ("audit-log", "predictions", "users", "predictions")
    ]


def test_standard_output_holds_the_rows_alone_and_standard_input_takes_them(
    vitrine: Run, services: Services, account: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = vitrine("export", "users", "--to", "-")
    assert ran.err == "1 account exported.\n"
    assert output_of(ran).splitlines()[0] == "id,email,roles,active,created_at,logged_in_at"
    monkeypatch.setenv("VITRINE_DATA", str(tmp_path / "new"))
    taken = vitrine("import", "users", "--from", "-", given=ran.out.encode())
    assert (taken.code, taken.err) == (0, "1 account imported.\n")


def test_whoever_means_a_model_is_told_how(vitrine: Run) -> None:
    assert refusal_of(vitrine("import", "model.pkl")) == (
        "That is a model: import it with vitrine models import model.pkl --name NAME."
    )
    assert "vitrine export everything --to URL" in refusal_of(vitrine("import", "everything", "--from", "sqlite:///a.db"))


@pytest.mark.parametrize(
    "words", [("export", "passwords", "--to", "-"), ("import", "everybody", "--from", "-"), ("import", "users")]
)
def test_what_is_not_exchanged_is_refused(vitrine: Run, words: tuple[str, ...]) -> None:
    ran = vitrine(*words)
    assert (ran.code, ran.out) == (2, "")
    assert "is none of predictions, users, audit-log" in ran.err or "Missing option '--from'" in ran.err


def test_a_damaged_file_is_refused_by_its_line(vitrine: Run, tmp_path: Path) -> None:
    (tmp_path / "u.csv").write_text("email,active\nada@example.org,yes\nbob@example.org,perhaps\n")
    assert refusal_of(vitrine("import", "users", "--from", tmp_path / "u.csv")) == (
        f"Line 3 of {tmp_path / 'u.csv'} is not taken: active is not yes or no. Nothing was taken."
    )


def test_an_export_that_is_killed_is_gone_on_with_and_nothing_is_missing_or_doubled(
    vitrine: Run, services: Services, data: Path, tmp_path: Path
) -> None:
    rows = [prediction(number) for number in range(COUNT)]
    store_predictions(services, rows)
    file = tmp_path / "rows.csv"
    killed = start(data, "export", "predictions", "--to", file)
    while not file.exists() or file.stat().st_size < 500_000:
        assert killed.poll() is None, "it was too quick"
        time.sleep(0.005)
    killed.send_signal(signal.SIGKILL)
    assert killed.wait(30) == -signal.SIGKILL
    assert 0 < file.read_bytes().count(b"\n") < COUNT
    assert "Going on after " in said(vitrine, "export", "predictions", "--to", file)
    assert read(file, PREDICTIONS) == rows


def test_a_terminal_sees_how_far_it_is(services: Services, data: Path, tmp_path: Path) -> None:
    store_predictions(services, [prediction(number) for number in range(1500)])
    screen, terminal = pty.openpty()
    started = start(data, "export", "predictions", "--to", tmp_path / "p.csv", stderr=terminal)
    assert started.wait(60) == 0
    os.close(terminal)
    seen = os.read(screen, 65_536).decode()
    os.close(screen)
    assert "100%" in seen
    assert seen.rstrip().endswith("1,500 predictions exported.")


def test_the_commands_of_the_document_do_what_it_says(
    vitrine: Run, services: Services, account: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, back, (move,) = commands_of("data.md")
    assert [len(out), len(back)] == [3, 3]
    monkeypatch.chdir(tmp_path)
    store_predictions(services, [prediction(number, owner=EMAIL, guest=None, scores=[["a", 1.0]]) for number in range(5)])
    for command in out:
        assert said(vitrine, *command).endswith(" exported.\n")
    with RunningPostgres() as server:
        url = server.database()
        told = said(vitrine, *move[:-1], url)
        assert told == f"10 rows in {len(Base.metadata.tables)} tables moved, and each is the same in both databases.\n"
        assert "holds a site already" in refusal_of(vitrine(*move[:-1], url))
        with psycopg.connect(url) as connection:
            assert connection.execute("SELECT email FROM users").fetchall() == [(EMAIL,)]
    monkeypatch.setenv("VITRINE_DATA", str(tmp_path / "new"))
    for command in back:
        assert said(vitrine, *command).endswith(" imported.\n")
    assert predictions_of(make_services(tmp_path / "x", data=tmp_path / "new")) == predictions_of(services)
