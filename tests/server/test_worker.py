"""Connections in real Gunicorn: shared evenly, kept without being forgotten, and refused in words where there are too many."""

from __future__ import annotations

import http.client
import json
import os
import random
import signal
import socket
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest

from tests.factories import CAT, EIGHT
from tests.serving import RunningSite
from tests.waiting import wait_until

DIGITS, CATS = "/api/v1/models/digits/predict", "/api/v1/models/cats-vs-dogs/predict"
PHOTO = EIGHT.read_bytes()
PATIENCE = 30.0
# What gunicorn.conf.py and the worker have: requests in line for a thread, beyond the one that it is busy with.
LONGEST_LINE = 128


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    """Give a running site of two workers."""
    with RunningSite(tmp_path_factory.mktemp("workers"), workers="2", key_limit="0") as running:
        assert running.key
        wait_for_both(running)
        yield running


def sockets_of(pid: int) -> set[str]:
    """Give the inodes of the sockets that a process holds."""
    held = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        try:
            kind, _, inode = str(descriptor.readlink()).partition(":")
        except OSError:
            continue  # closed meanwhile
        if kind == "socket":
            held.add(inode.strip("[]"))
    return held


def holders(site: RunningSite, connections: Sequence[http.client.HTTPConnection]) -> list[int | None]:
    """Give which worker holds the other end of each connection; None where nobody has taken it yet."""
    inodes: dict[int, str] = {}
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if int(fields[1].rpartition(":")[2], 16) == site.port:
            inodes[int(fields[2].rpartition(":")[2], 16)] = fields[9]
    held = {inode: pid for pid in site.workers for inode in sockets_of(pid)}
    return [held.get(inodes.get(connection.sock.getsockname()[1], "")) for connection in connections]


def ask(connection: http.client.HTTPConnection, path: str = "/livez") -> int:
    """Send a request on a connection that is kept, and give the status of its answer."""
    connection.request("GET", path)
    answer = connection.getresponse()
    answer.read()
    return answer.status


@contextmanager
def kept(site: RunningSite, number: int) -> Iterator[list[http.client.HTTPConnection]]:
    """Open connections one after another, each of which has been answered once; all are closed at the end."""
    with ExitStack() as opened:
        connections = []
        for _ in range(number):
            connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=PATIENCE)
            connections.append(opened.enter_context(closing(connection)))
            assert ask(connection) == 200
            time.sleep(0.025)  # who leaves a connection to the other does so for 10 ms
        yield connections
    # Until each worker has seen the end of its connections and holds the one socket alone that it listens on.
    wait_until(lambda: all(len(sockets_of(pid)) <= 1 for pid in site.workers))


def shares(site: RunningSite, number: int) -> list[int]:
    """Open connections and give how many each worker holds of them, fewest first."""
    with kept(site, number) as connections:
        found = holders(site, connections)
        assert None not in found
        return sorted(found.count(pid) for pid in site.workers)


def wait_for_both(site: RunningSite) -> None:
    """Wait until each of two workers has begun to answer: one is ready before the other."""
    wait_until(lambda: len(site.workers) == 2 and min(shares(site, 4)) >= 1)


def assert_shared_evenly(site: RunningSite) -> None:
    """See that of eight connections each of two workers gets four; on a busy machine one may come too late for its fourth."""
    seen = [shares(site, 8) for _ in range(3)]
    assert [4, 4] in seen, seen
    assert all(fewest >= 3 for fewest, _ in seen), seen


def test_connections_are_shared_evenly(site: RunningSite) -> None:
    assert_shared_evenly(site)


def test_a_connection_stays_with_its_worker_and_goes_on_being_answered(site: RunningSite) -> None:
    with kept(site, 8) as connections:
        before = holders(site, connections)

        def talk(number: int) -> set[int]:
            pauses = random.Random(number)
            statuses = set()
            for _ in range(60):
                statuses.add(ask(connections[number], pauses.choice(["/livez", "/login"])))
                time.sleep(pauses.choice([0, 0, 0.002, 0.005, 0.006, 0.02]))  # shorter and longer than a thread stays
            return statuses

        with ThreadPoolExecutor(8) as pool:
            assert list(pool.map(talk, range(8))) == [{200}] * 8
        assert holders(site, connections) == before


def test_more_connections_than_threads_are_all_answered(site: RunningSite) -> None:
    def talk(connection: http.client.HTTPConnection) -> set[int]:
        return {ask(connection) for _ in range(20)}

    with kept(site, 24) as connections, ThreadPoolExecutor(24) as pool:
        assert list(pool.map(talk, connections)) == [{200}] * 24


def head_of(site: RunningSite, path: str, length: int, *lines: str) -> bytes:
    """Give the head of a request that brings a picture."""
    given = [f"POST {path} HTTP/1.1", f"Host: 127.0.0.1:{site.port}", f"Authorization: Bearer {site.key}", *lines]
    return "\r\n".join([*given, f"Content-Length: {length}", "", ""]).encode()


@pytest.mark.parametrize("piece", [1_000_000, 100], ids=["at once", "in pieces"])
def test_requests_that_follow_without_waiting_are_answered_in_their_order(site: RunningSite, piece: int) -> None:
    sent = b"".join(head_of(site, f"{DIGITS}?top_k={number}", len(PHOTO)) + PHOTO for number in range(1, 11))
    with socket.create_connection(("127.0.0.1", site.port), timeout=PATIENCE) as connection:
        for begin in range(0, len(sent), piece):
            connection.sendall(sent[begin : begin + piece])
        counts = []
        with connection.makefile("rb") as answers:
            for _ in range(10):
                assert answers.readline() == b"HTTP/1.1 200 OK\r\n"
                length = http.client.parse_headers(answers)["Content-Length"]
                counts.append(len(json.loads(answers.read(int(length)))["predictions"]))
    assert counts == list(range(1, 11))


def test_a_client_that_says_nothing_keeps_no_thread_from_others(site: RunningSite) -> None:
    with ExitStack() as opened:
        for _ in range(24):
            opened.enter_context(socket.create_connection(("127.0.0.1", site.port), timeout=PATIENCE))
        assert {site.request("GET", "/livez").status for _ in range(8)} == {200}


def test_a_worker_that_stands_still_keeps_nobody_from_being_answered(site: RunningSite) -> None:
    frozen, _ = site.workers
    os.kill(frozen, signal.SIGSTOP)
    try:
        began = time.monotonic()
        assert [site.request("GET", "/livez").status for _ in range(10)] == [200] * 10
        assert time.monotonic() - began < 10
    finally:
        os.kill(frozen, signal.SIGCONT)
    assert_shared_evenly(site)


def test_a_worker_in_the_place_of_a_killed_one_takes_its_share(site: RunningSite) -> None:
    before = site.workers
    with kept(site, 4):
        os.kill(before[0], signal.SIGKILL)
        wait_until(lambda: len(site.workers) == 2 and before[0] not in site.workers)
    wait_for_both(site)
    assert_shared_evenly(site)


@pytest.mark.parametrize("asked", [True, False], ids=["answered before", "silent"])
def test_connections_that_are_kept_do_not_put_off_the_end(tmp_path: Path, asked: bool) -> None:
    with RunningSite(tmp_path, workers="2") as site, ExitStack() as opened:
        wait_for_both(site)
        for _ in range(6):
            connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=PATIENCE)
            opened.enter_context(closing(connection))
            connection.connect()
            assert not asked or ask(connection) == 200
        began = time.monotonic()
        assert site.stop(signal.SIGTERM) == 0
        assert time.monotonic() - began < 15  # containers are killed after 30


def answer_on(connection: socket.socket) -> tuple[int, dict[str, str], bytes]:
    """Read the one answer on a connection."""
    answer = http.client.HTTPResponse(connection)
    answer.begin()
    return answer.status, dict(answer.headers), answer.read()


def test_one_too_many_is_told_so_at_once_and_all_others_are_answered(tmp_path: Path) -> None:
    with RunningSite(tmp_path, workers="1", threads="1", key_limit="0") as site, ExitStack() as opened:
        assert site.key
        (worker,) = site.workers

        def ask_for(body: bytes) -> socket.socket:
            connection = socket.create_connection(("127.0.0.1", site.port), timeout=PATIENCE)
            connection.sendall(head_of(site, CATS, len(body)) + body)
            return opened.enter_context(connection)

        # They come while the worker stands still, and then all at once.
        os.kill(worker, signal.SIGSTOP)
        connections = [ask_for(CAT.read_bytes()) for _ in range(LONGEST_LINE + 80)]
        # Some still send when they are refused: they must see the answer all the same.
        with ThreadPoolExecutor(4) as pool:
            sent = [pool.submit(ask_for, bytes(2_000_000)) for _ in range(4)]
            os.kill(worker, signal.SIGCONT)
            answers = [answer_on(connection) for connection in [*connections, *(future.result() for future in sent)]]
        statuses = [status for status, _, _ in answers]
        assert statuses.count(200) > LONGEST_LINE
        assert set(statuses[: len(connections)]) == {200, 503}
        assert set(statuses[len(connections) :]) <= {415, 503}
        for status, headers, body in answers:
            if status == 503:
                assert (headers["Content-Type"], headers["Connection"]) == ("application/problem+json", "close")
                assert int(headers["Retry-After"]) > 0
                problem = json.loads(body)
                assert (problem["status"], problem["code"]) == (503, "overloaded")
        assert site.request("GET", "/livez").status == 200
