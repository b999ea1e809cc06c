"""Two hosts behind Nginx, of which one is killed under load: nothing that was acknowledged is lost or there twice."""

from __future__ import annotations

import http.client
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from sqlalchemy import text

from tests.faults.load import Load
from tests.machines.front import Front
from tests.machines.hosts import Host, Machines, running_machines

KILLS, BETWEEN_SECONDS = 6, 5.0


@dataclass
class Site:
    """The site as visitors see it."""

    machines: Machines
    front: Front

    @property
    def key(self) -> str:
        """An API key of the usual account."""
        return self.machines.one.key

    def connect(self) -> http.client.HTTPConnection:
        """Give a connection to Nginx."""
        return self.front.connect()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("machines")
    front = Front(folder / "nginx")
    with running_machines(folder, front.address, key_limit="0") as machines:
        try:
            yield Site(machines, front.start(machines.both))
        finally:
            front.stop()


def stored(machines: Machines) -> set[str]:
    """Give the identifiers of all predictions in the database, of which there are no two alike."""
    with machines.services.engine.connect() as connection:
        rows = connection.execute(text("SELECT id FROM predictions")).scalars().all()
    assert len(set(rows)) == len(rows)
    return set(rows)


def answers(host: Host) -> bool:
    try:
        return host.request("GET", "/readyz").status == 200
    except OSError:
        return False


def test_a_host_that_is_killed_under_load_takes_no_answer_with_it(site: Site) -> None:
    began = time.monotonic()
    with Load(site, programs=8) as load:
        for number in range(KILLS):
            time.sleep(BETWEEN_SECONDS)
            victim = site.machines.both[number % 2]
            before = len(load.answers)
            victim.die()
            time.sleep(BETWEEN_SECONDS)
            assert len(load.answers) > before, "the other one goes on"
            assert not answers(victim)
            victim.start()
        time.sleep(BETWEEN_SECONDS)
    took = time.monotonic() - began
    given = [answer["id"] for answer in load.answers.values()]
    print(f"{len(given)} answered in {took:.0f} s, {KILLS} hosts killed, sent again {dict(load.refusals)}")
    assert all(answer["stored"] for answer in load.answers.values())
    assert len(set(given)) == len(given)
    assert stored(site.machines) == set(given)
