"""A PostgreSQL that is stopped, or frozen so that it takes what it is sent and never answers."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import pytest

from tests.faults.test_locked import send, wait_until_stored
from tests.postgres import RunningPostgres
from tests.serving import Reply, RunningSite
from tests.web.visiting import Visitor

# Stopped and started again, frozen and let go on.
CASES = [(RunningPostgres.stop, RunningPostgres.start), (RunningPostgres.freeze, RunningPostgres.thaw)]
WITHIN_SECONDS = 15  # so long at most for any answer, on a machine that does much else


@pytest.fixture(scope="module")
def server() -> Iterator[RunningPostgres]:
    with RunningPostgres() as running:
        yield running


@pytest.fixture(scope="module")
def site(server: RunningPostgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    folder = tmp_path_factory.mktemp("postgres")
    with RunningSite(folder, workers="2", key_limit="0", database_url=server.database()) as running:
        wait_until_stored(running)
        yield running


@pytest.fixture(params=CASES, ids=["stopped", "frozen"])
def away(request: pytest.FixtureRequest, site: RunningSite, server: RunningPostgres) -> Iterator[str]:
    """Give the name of what has happened to the database; it is well again after the test, and the site with it."""
    happens, ends = request.param
    send(site, 16)  # each worker knows the key
    happens(server)
    yield str(request.node.callspec.id)
    ends(server)
    began = time.monotonic()
    wait_until_stored(site)
    print(f"{request.node.callspec.id}: stored again {time.monotonic() - began:.1f} s after the end")
    while site.request("GET", "/readyz").json != {"status": "ready", "problems": []}:
        assert time.monotonic() < began + WITHIN_SECONDS
        time.sleep(0.2)


def timed(ask: Callable[[], Reply]) -> tuple[Reply, float]:
    began = time.monotonic()
    return ask(), time.monotonic() - began


def test_predictions_go_on_while_their_key_is_known(site: RunningSite, away: str) -> None:
    began = time.monotonic()
    first = send(site, 1)
    print(f"{away}: the first picture after {time.monotonic() - began:.1f} s")
    assert [(reply.status, reply.json["stored"]) for reply in first] == [(200, False)]
    while time.monotonic() < began + WITHIN_SECONDS and (replies := send(site, 16)):
        assert {reply.status for reply in replies} <= {200, 503}
        assert not any(reply.json["stored"] for reply in replies if reply.status == 200)
        if all(reply.status == 503 for reply in replies):
            break
    else:
        pytest.fail("a key is known for five seconds and no longer")
    assert {reply.json["code"] for reply in replies} == {"database_unavailable"}
    assert all(int(reply.headers["Retry-After"]) > 0 for reply in replies)


def test_many_at_once_do_not_hang(site: RunningSite, away: str) -> None:
    began = time.monotonic()
    with ThreadPoolExecutor(1) as beside:
        for _ in range(3):
            many = beside.submit(send, site, 64)
            time.sleep(0.2)
            alive, seconds = timed(lambda: site.request("GET", "/livez"))
            assert {reply.status for reply in many.result()} <= {200, 503}
            assert alive.status == 200
            print(f"{away}: /livez beside 64 pictures after {seconds:.2f} s")
    print(f"{away}: 192 pictures, 64 at a time, in {time.monotonic() - began:.1f} s")
    assert time.monotonic() - began < 2 * WITHIN_SECONDS  # waited for one by one, it would be a minute
    assert [len(list(Path(f"/proc/{pid}/task").iterdir())) < 40 for pid in site.workers] == [True] * 2


def test_what_needs_it_is_told_so_within_seconds(site: RunningSite, away: str) -> None:
    for name, ask in {
        "readiness": lambda: site.request("GET", "/readyz"),
        "a login": lambda: Visitor(site).log_in(),
        "a named picture": lambda: send(site, 1, {"Idempotency-Key": str(uuid4())})[0],
    }.items():
        reply, seconds = timed(ask)
        print(f"{away}: {name} answered {reply.status} after {seconds:.1f} s")
        assert seconds < WITHIN_SECONDS
        assert reply.status == 503, name
        if name == "readiness":
            assert reply.json["problems"] == ["The database does not answer; please try again in a moment."]
        else:
            assert int(reply.headers["Retry-After"]) > 0, name
