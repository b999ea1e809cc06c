"""The recorder: an answer is kept for its owner, and a database that is gone costs nobody an answer."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import event, func, select, text
from sqlalchemy.orm import Session

from app.composition import Services
from app.config import TREE
from app.services.recorder import Owner, Recorder
from app.storage.database import open_database
from app.storage.tables import StoredPrediction
from tests.factories import make_prediction, make_services

GUEST = Owner(guest="0123456789abcdef")


@pytest.fixture
def services(tmp_path: Path) -> Services:
    return make_services(tmp_path)


def stored(services: Services) -> int:
    with Session(services.engine) as session:
        return session.scalar(select(func.count()).select_from(StoredPrediction)) or 0


def test_what_is_recorded_comes_back_whole(services: Services) -> None:
    prediction = make_prediction()
    assert Recorder(engine=services.engine).record(prediction, GUEST, "cat.jpg")
    item = services.history.get(GUEST, prediction.id)
    assert (item.prediction, item.file_name, item.has_picture) == (prediction, "cat.jpg", False)


def test_the_row_can_be_searched_by_its_answer(services: Services) -> None:
    account = services.accounts.create("ada@example.org", "correct horse battery")
    Recorder(engine=services.engine).record(make_prediction(), Owner(account=account), None)
    with Session(services.engine) as session:
        row = session.scalars(select(StoredPrediction)).one()
    assert (row.user_id, row.guest, row.label, row.probability, row.file_name) == (account, None, "light", 0.75, None)


def test_what_belongs_to_nobody_is_not_stored(services: Services) -> None:
    assert not Owner().known
    assert not Recorder(engine=services.engine).record(make_prediction(), Owner(), "cat.jpg")
    assert stored(services) == 0


def test_a_long_file_name_keeps_its_end(services: Services) -> None:
    prediction = make_prediction()
    Recorder(engine=services.engine).record(prediction, GUEST, "x" * 300 + ".jpg")
    assert services.history.get(GUEST, prediction.id).file_name == "x" * 251 + ".jpg"


def test_a_database_that_is_gone_is_said_not_raised(services: Services, tmp_path: Path) -> None:
    nowhere = open_database(f"sqlite:///{tmp_path / 'nowhere' / 'a.db'}")
    assert Recorder(engine=nowhere).record(make_prediction(), GUEST, None) is False


def test_a_table_that_is_gone_is_said_not_raised(services: Services) -> None:
    with services.engine.begin() as connection:
        connection.execute(text("DROP TABLE predictions"))
    assert Recorder(engine=services.engine).record(make_prediction(), GUEST, None) is False


def test_an_account_that_was_deleted_meanwhile_is_said_not_raised(services: Services) -> None:
    assert Recorder(engine=services.engine).record(make_prediction(), Owner(account=99), None) is False
    assert stored(services) == 0


def test_where_the_history_is_off_nothing_is_stored(services: Services) -> None:
    assert Recorder(engine=services.engine, enabled=False).record(make_prediction(), GUEST, "cat.jpg") is False
    assert stored(services) == 0


@contextmanager
def locked(services: Services) -> Iterator[None]:
    """Have another connection write for as long as the block takes."""
    with closing(sqlite3.connect(services.settings.data / "vitrine.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


def record_at_once(
    recorder: Recorder, services: Services, owners: list[Owner], names: Sequence[str | None] | None = None
) -> list[bool]:
    """Have each owner's answer recorded by a thread of its own, all of them while another connection holds the database."""
    ready = threading.Barrier(len(owners) + 1)

    def record(owner: Owner, name: str | None) -> bool:
        ready.wait(30)
        return recorder.record(make_prediction(), owner, name)

    with ThreadPoolExecutor(len(owners)) as pool:
        with locked(services):
            answers = [pool.submit(record, *ask) for ask in zip(owners, names or [None] * len(owners), strict=True)]
            ready.wait(30)
            time.sleep(0.5)  # in which they get in line
        return [answer.result() for answer in answers]


def test_those_who_wait_are_stored_in_one_transaction(services: Services) -> None:
    transactions: list[str] = []  # each statement is one
    event.listen(services.engine, "after_cursor_execute", lambda *told: transactions.append(told[2]))
    assert record_at_once(Recorder(engine=services.engine), services, [GUEST] * 16) == [True] * 16
    assert stored(services) == 16
    assert 0 < len([one for one in transactions if one.startswith("INSERT")]) < 8


def test_every_answer_that_is_said_to_be_stored_is_there_by_then(services: Services) -> None:
    recorder = Recorder(engine=services.engine)

    def record(_: int) -> bool:
        prediction = make_prediction()
        assert recorder.record(prediction, GUEST, None)
        return services.history.get(GUEST, prediction.id).prediction == prediction

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(record, range(200)))
    assert stored(services) == 200


def test_an_account_that_was_deleted_meanwhile_costs_the_others_nothing(services: Services) -> None:
    account = services.accounts.create("ada@example.org", "correct horse battery")
    owners = [Owner(account=account), GUEST, Owner(account=99), GUEST, Owner(account=account), Owner(account=98)] * 2
    assert record_at_once(Recorder(engine=services.engine), services, owners) == [True, True, False, True, True, False] * 2
    assert stored(services) == 8


@pytest.mark.parametrize("name", ["half a character \ud800.jpg", "nothing \x00.jpg"], ids=["half a character", "zero"])
def test_a_file_name_that_cannot_be_written_costs_the_others_nothing(services: Services, name: str) -> None:
    names = ["cat.jpg", name, "dog.jpg", "cat.jpg"]
    outcomes = record_at_once(Recorder(engine=services.engine), services, [GUEST] * 4, names)
    assert (outcomes[0], outcomes[2], outcomes[3]) == (True, True, True)


def test_a_database_that_takes_nothing_is_asked_once_a_second_and_not_by_everybody(services: Services) -> None:
    engine = open_database(services.settings.database)
    event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA busy_timeout=0"))
    asked: list[float] = []
    moments = [0.0]
    event.listen(engine, "before_cursor_execute", lambda *_: asked.append(moments[0]))
    recorder = Recorder(engine=engine, clock=lambda: moments[0])
    with locked(services):
        for moment in (0.0, 0.1, 0.9, 1.0, 1.5, 2.0, 2.9):
            moments[0] = moment
            assert not recorder.record(make_prediction(), GUEST, None)
    assert asked == [0.0, 1.0, 2.0]
    moments[0] = 3.0
    assert [recorder.record(make_prediction(), GUEST, None) for _ in range(3)] == [True] * 3
    assert stored(services) == 3


def test_a_database_that_somebody_else_writes_to_for_long_is_said_not_raised(services: Services) -> None:
    engine = open_database(services.settings.database)
    event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA busy_timeout=100"))
    moments = [0.0]
    recorder = Recorder(engine=engine, clock=lambda: moments[0])
    with locked(services), ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda _: recorder.record(make_prediction(), GUEST, None), range(8))) == [False] * 8
    moments[0] += 1
    assert recorder.record(make_prediction(), GUEST, None)
    assert stored(services) == 1


RECORDING = """
import sys
from concurrent.futures import ThreadPoolExecutor
from app.services.recorder import Owner, Recorder
from app.storage.database import open_database
from tests.factories import make_prediction

recorder = Recorder(engine=open_database(sys.argv[1]))

def record(_):
    prediction = make_prediction()
    assert recorder.record(prediction, Owner(guest="0123456789abcdef"), None)
    sys.stdout.write(prediction.id + "\\n")
    sys.stdout.flush()

with ThreadPoolExecutor(4) as pool:
    list(pool.map(record, range(100_000)))
"""


def test_what_was_said_to_be_stored_is_there_after_the_process_was_killed(services: Services) -> None:
    command = [sys.executable, "-c", RECORDING, services.settings.database]
    environment = {**os.environ, "PYTHONPATH": str(TREE)}
    with subprocess.Popen(command, cwd=TREE, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = [process.stdout.readline().strip() for _ in range(300)]
        process.send_signal(signal.SIGKILL)
        said += [line.strip() for line in process.stdout if line.endswith("\n")]
    assert process.returncode == -signal.SIGKILL
    with Session(services.engine) as session:
        there = set(session.scalars(select(StoredPrediction.id)))
    assert set(said) - there == set()
    assert len(there) <= len(said) + 4
