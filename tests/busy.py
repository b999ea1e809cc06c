"""A site that is busy: programs with a key and visitors of its pages send pictures one after the other."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Self

from tests.factories import CAT, EIGHT
from tests.serving import RunningSite
from tests.web.visiting import Visitor, make_visitor


class Crowd:
    """Threads that work from entry to exit, until `_over` is set."""

    def __init__(self, *works: Callable[[], None]) -> None:
        self._over = threading.Event()
        self._threads = [threading.Thread(target=work) for work in works]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()


class Busy(Crowd):
    """Sends from entry to exit.

    `statuses` counts what came back, `seconds` tells how long each answer by key took, `acknowledged` and `shown` when which
    prediction was given: to programs, and to visitors, who delete half of theirs where they are `fickle`.
    """

    def __init__(self, site: RunningSite, *, programs: int = 2, visitors: int = 1, fickle: bool = False) -> None:
        self.statuses: Counter[int] = Counter()
        self.seconds: list[float] = []
        self.acknowledged: list[tuple[float, str]] = []
        self.shown: list[tuple[float, str]] = []
        self.visitors = [make_visitor(site) for _ in range(visitors)]
        self._site, self._key, self._fickle = site, site.key, fickle
        super().__init__(*[self._send] * programs, *(partial(self._visit, visitor) for visitor in self.visitors))

    def _send(self) -> None:
        photo, sent = EIGHT.read_bytes(), {"Content-Type": "image/png"}
        while not self._over.is_set():
            began = time.monotonic()
            reply = self._site.request("POST", "/api/v1/models/digits/predict", photo, sent, key=self._key)
            self.seconds.append(time.monotonic() - began)
            self.statuses[reply.status] += 1
            if reply.status == 200:
                self.acknowledged.append((time.monotonic(), reply.json["id"]))

    def _visit(self, visitor: Visitor) -> None:
        photo = CAT.read_bytes()
        while not self._over.is_set():
            reply = visitor.classify(photo, model="digits")
            identifier = reply.headers["Location"].rpartition("/")[2]
            self.statuses[reply.status] += 1
            self.shown.append((time.monotonic(), identifier))
            if self._fickle and identifier[-1] in "02468":
                deleted = visitor.submit(f"/predictions/{identifier}/delete", page=f"/predictions/{identifier}")
                self.statuses[deleted.status] += 1
