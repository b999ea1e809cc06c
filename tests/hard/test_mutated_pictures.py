"""A hundred thousand damaged pictures through the decoder, and twenty thousand through page and API of a real site."""

from __future__ import annotations

import json
import multiprocessing
import os
import threading
import time
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import NamedTuple

from app.errors import InvalidImage
from app.inference.images import decode
from benchmarks.servers.processes import ProcessTree
from tests.mutations import mutated, whole
from tests.serving import RunningSite
from tests.web.visiting import Visitor, make_visitor

OFFLINE, PIECE = 100_000, 2_500
ONLINE = 20_000
_MEASURED = 0.001  # MB in a kilobyte


class Piece(NamedTuple):
    """What became of some damaged pictures in one process."""

    read: int
    refused: int
    slowest: float  # seconds of processor time
    peak: float  # MB that the process ever held


def decode_piece(first: int) -> Piece:
    """Decode a piece of the pictures; what is no InvalidImage is raised."""
    outcomes, slowest = Counter[str](), 0.0
    for seed in range(first, first + PIECE):
        data = mutated(seed)
        begun = time.process_time()
        try:
            decode(data, fit=(224, 224))
            outcomes["read"] += 1
        except InvalidImage:
            outcomes["refused"] += 1
        slowest = max(slowest, time.process_time() - begun)
    status = Path("/proc/self/status").read_text()
    return Piece(outcomes["read"], outcomes["refused"], slowest, int(status.split("VmHWM:")[1].split()[0]) * _MEASURED)


def test_a_hundred_thousand_damaged_pictures_are_read_or_refused() -> None:
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(os.cpu_count(), mp_context=context) as processes:
        pieces = list(processes.map(decode_piece, range(0, OFFLINE, PIECE)))
    read, refused = sum(piece.read for piece in pieces), sum(piece.refused for piece in pieces)
    slowest, peak = max(piece.slowest for piece in pieces), max(piece.peak for piece in pieces)
    print(f"\n{OFFLINE:,} damaged pictures: {read:,} read, {refused:,} refused, nothing else;", end=" ")
    print(f"slowest {slowest:.2f} s, peak {peak:.0f} MB in a process")
    assert read + refused == OFFLINE
    assert slowest < 2
    assert peak < 350


def test_twenty_thousand_damaged_pictures_leave_a_site_as_it_was(tmp_path: Path) -> None:
    with RunningSite(tmp_path, key_limit="0", visitor_limit="0", workers="2", keep_days="1") as site:
        good = whole()[0]
        expected = site.predict(good)
        assert expected.status == 200
        visitor = make_visitor(site)
        visitor.classify(good)
        processes = ProcessTree(site.pid)
        begun = len(site.log)
        members, before = processes.members(), processes.memory_mb()

        answers = Counter[int]()
        slowest = [0.0]
        threads = [threading.Thread(target=_send, args=(site, range(part, ONLINE, 4), answers, slowest)) for part in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        after = processes.memory_mb()
        print(f"\n{ONLINE:,} damaged pictures: {dict(sorted(answers.items()))}; slowest {slowest[0]:.2f} s;", end=" ")
        print(f"memory {before:.0f} MB before, {after:.0f} MB after")
        assert sum(answers.values()) == ONLINE
        assert not [status for status in answers if status >= 500]
        assert slowest[0] < 2
        assert processes.members() == members
        assert after - before < 300
        assert site.predict(good).json["predictions"] == expected.json["predictions"]
        events = [json.loads(line) for line in site.log[begun:].splitlines()]  # one JSON line each, whatever came in
        assert sum(event["event"] == "request" for event in events) >= ONLINE
        assert not [event for event in events if "exception" in event]


def _send(site: RunningSite, seeds: Iterable[int], answers: Counter[int], slowest: list[float]) -> None:
    visitor: Visitor | None = None
    for seed in seeds:
        picture = mutated(seed)
        begun = time.monotonic()
        if seed % 4:
            status = site.predict(picture).status
        else:
            visitor = visitor or make_visitor(site)
            status = visitor.classify(picture).status
        slowest[0] = max(slowest[0], time.monotonic() - begun)
        answers[status] += 1
