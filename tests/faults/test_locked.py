"""A database that another program holds."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from uuid import uuid4

import pytest

from tests.faults.load import DIGITS, PHOTO
from tests.serving import Reply, RunningSite
from tests.web.visiting import Visitor


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    with RunningSite(tmp_path_factory.mktemp("locked"), workers="2", key_limit="0") as running:
        assert running.predict(PHOTO, DIGITS).json["stored"] is True
        yield running


@contextmanager
def held(site: RunningSite) -> Iterator[None]:
    """Hold the database as a program does that works on it for long."""
    with closing(sqlite3.connect(site.data / "vitrine.db", timeout=30, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield
        other.execute("ROLLBACK")


def send(site: RunningSite, number: int, headers: dict[str, str] | None = None) -> list[Reply]:
    """Send a picture so many times at once."""
    replies: list[Reply] = []
    key = site.key  # made here, once: in the threads each would begin to make it

    def ask() -> None:
        replies.append(site.request("POST", DIGITS, PHOTO, {"Content-Type": "image/png", **(headers or {})}, key=key))

    threads = [threading.Thread(target=ask) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return replies


def test_predictions_go_on_and_say_that_they_are_not_stored(site: RunningSite) -> None:
    with held(site):
        # The first in each worker wait in vain, and nobody after them.
        assert {(reply.status, reply.json["stored"]) for reply in send(site, 16)} == {(200, False)}
        began = time.monotonic()
        assert {(reply.status, reply.json["stored"]) for reply in send(site, 64)} == {(200, False)}
        print(f"locked database: 64 pictures in {time.monotonic() - began:.2f} s, eight threads")
        assert time.monotonic() - began < 15  # at five seconds each they would take 40
        assert [len(list(Path(f"/proc/{pid}/task").iterdir())) < 40 for pid in site.workers] == [True] * 2
        reply = site.request("GET", "/readyz")
        assert (reply.status, reply.json["problems"]) == (200, ["Answers are not stored: another program holds the database."])
    wait_until_stored(site)
    assert site.request("GET", "/readyz").json["problems"] == []


def wait_until_stored(site: RunningSite) -> None:
    """Send pictures until they are stored again, by both workers."""
    deadline = time.monotonic() + 30
    while not all(reply.json.get("stored") for reply in send(site, 8)):
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_what_needs_the_database_is_told_so(site: RunningSite) -> None:
    ada = Visitor(site)
    with held(site):
        (named,) = send(site, 1, {"Idempotency-Key": str(uuid4())})
        assert (named.status, named.json["code"]) == (503, "database_unavailable")
        assert int(named.headers["Retry-After"]) > 0
        login = ada.log_in()
        assert login.status == 503
        assert int(login.headers["Retry-After"]) > 0
    wait_until_stored(site)
