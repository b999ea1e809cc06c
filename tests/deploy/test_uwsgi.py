"""uWSGI, as docs/deploy.md has it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from tests.deploy.servers import UwsgiSite
from tests.deploy.visits import assert_believes_the_proxy, assert_classifies, assert_counts
from tests.factories import CAT


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[UwsgiSite]:
    with UwsgiSite(tmp_path_factory.mktemp("uwsgi"), trusted_proxies="1") as running:
        yield running


def test_a_photo_is_classified(site: UwsgiSite) -> None:
    assert_classifies(site)


def test_prometheus_is_told_of_every_process(site: UwsgiSite) -> None:
    assert_counts(site)


def test_the_visitors_address_comes_from_the_proxy(site: UwsgiSite) -> None:
    assert_believes_the_proxy(site)


def test_many_photos_at_once_are_answered_and_kept(site: UwsgiSite) -> None:
    photo = CAT.read_bytes()
    assert site.key
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: site.predict(photo), range(40)))
    assert {answer.status for answer in answers} == {200}
    assert {answer.json["stored"] for answer in answers} == {True}


def test_it_ends_when_it_is_told_to_and_writes_down_what_it_counted(site: UwsgiSite) -> None:
    assert site.predict(CAT.read_bytes()).status == 200
    assert site.stop() == 0
    with closing(sqlite3.connect(site.data / "vitrine.db")) as database:
        (counted,) = database.execute("SELECT SUM(amount) FROM sums WHERE measure = 'classes'").fetchone()
        (kept,) = database.execute("SELECT COUNT(*) FROM predictions").fetchone()
    assert counted == kept > 0
    site.start()
    assert_classifies(site)
