"""Apache with mod_wsgi, as docs/deploy.md has it."""

from __future__ import annotations

import http.client
from collections.abc import Iterator

import pytest

from tests.deploy.apache import ApacheSite
from tests.deploy.visits import assert_classifies, assert_counts
from tests.factories import CAT


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApacheSite]:
    with ApacheSite(tmp_path_factory.mktemp("apache")) as running:
        yield running


def test_a_photo_is_classified(site: ApacheSite) -> None:
    assert_classifies(site)


def test_prometheus_is_told_of_every_process(site: ApacheSite) -> None:
    assert_counts(site)


def test_a_photo_that_comes_in_chunks_is_classified(site: ApacheSite) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=30)
    pieces = [CAT.read_bytes()[:1000], CAT.read_bytes()[1000:]]
    connection.request("POST", "/api/v1/predict", iter(pieces), {"Authorization": f"Bearer {site.key}"}, encode_chunked=True)
    assert connection.getresponse().status == 200
    connection.close()


def test_nothing_of_the_tree_is_answered(site: ApacheSite) -> None:
    assert [site.request("GET", path).status for path in ("/wsgi.py", "/app/config.py", "/.git/config")] == [404, 404, 404]
