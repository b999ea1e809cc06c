"""Programs that send pictures under names of their own, and send again what was not answered."""

from __future__ import annotations

import http.client
import json
import sqlite3
import time
from collections import Counter
from contextlib import closing
from typing import Any, Protocol
from uuid import uuid4

from tests.busy import Crowd
from tests.factories import EIGHT
from tests.serving import RunningSite

DIGITS = "/api/v1/models/digits/predict"
PHOTO = EIGHT.read_bytes()
_GIVEN_UP_AFTER = 60.0


class Site(Protocol):
    """Where pictures are sent, and the key that lets them in."""

    @property
    def key(self) -> str:
        """An API key."""

    def connect(self) -> http.client.HTTPConnection:
        """Give a connection of its own to where visitors come in."""


class Load(Crowd):
    """Several programs at once, from entry to exit; at the exit each still waits for the answer to what it has sent.

    `answers` holds what each name was answered; `refusals` counts the statuses of what was sent again, None where none came.
    """

    def __init__(self, site: Site, *, programs: int = 4) -> None:
        self.answers: dict[str, dict[str, Any]] = {}
        self.refusals: Counter[int | None] = Counter()
        self._site = site
        self._key = site.key
        self._given_up: list[str] = []
        super().__init__(*[self._run] * programs)

    def __exit__(self, *_: object) -> None:
        super().__exit__()
        assert not self._given_up

    def _run(self) -> None:
        while not self._over.is_set():
            name, until = str(uuid4()), time.monotonic() + _GIVEN_UP_AFTER
            while (answer := self._ask(name)) is None:
                if time.monotonic() > until:
                    self._given_up.append(name)
                    return
                time.sleep(0.05)
            self.answers[name] = answer

    def _ask(self, name: str) -> dict[str, Any] | None:
        headers = {"Authorization": f"Bearer {self._key}", "Content-Type": "image/png", "Idempotency-Key": name}
        connection = self._site.connect()
        try:
            connection.request("POST", DIGITS, PHOTO, headers)
            answer = connection.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException):
            self.refusals[None] += 1
            return None
        finally:
            connection.close()
        if answer.status == 200:
            return dict(json.loads(content))
        self.refusals[answer.status] += 1
        return None


def assert_kept_once(site: RunningSite, load: Load, *, others: tuple[int, int] = (0, 0)) -> None:
    """See that every answer that was given is in the database, and that no name has two.

    `others` are pictures that were sent without a name: so many were answered, and so many were sent.
    """
    with closing(sqlite3.connect(site.data / "vitrine.db", timeout=30)) as database:
        rows = {row[0] for row in database.execute("SELECT id FROM predictions")}
        (damage,) = database.execute("PRAGMA integrity_check").fetchone()
    given = [answer["id"] for answer in load.answers.values()]
    assert given, "something was answered"
    assert all(answer["stored"] for answer in load.answers.values())
    assert len(set(given)) == len(given)
    assert set(given) <= rows
    assert others[0] <= len(rows) - len(given) <= others[1]
    assert damage == "ok"
