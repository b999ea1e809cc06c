"""A thousand slow clients at bare Gunicorn."""

from __future__ import annotations

import resource
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hard.memory import pss_of
from tests.server.test_slow import HALVES, WITHIN, assert_answered, beside
from tests.serving import RunningSite

THOUSAND = 1000
FOR_SECONDS = 20.0


@pytest.fixture(autouse=True)
def many_files() -> Iterator[None]:
    """Let this process have as many connections as it needs."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.parametrize("number", [200, THOUSAND, 3 * THOUSAND])
def test_good_requests_beside_slow_ones(tmp_path: Path, number: int) -> None:
    with RunningSite(tmp_path, workers="2", key_limit="0") as site:
        assert site.key
        assert_answered(site)
        before, memory = site.workers, pss_of(site)
        halves, times = [half(site) for half in HALVES.values()], []
        with beside(site, number, *halves):
            until = time.monotonic() + FOR_SECONDS
            while time.monotonic() < until:
                began = time.monotonic()
                assert_answered(site)
                times.append(time.monotonic() - began)
                time.sleep(0.1)
            grown = pss_of(site) - memory
        assert site.workers == before
    print(
        f"\nbeside {number} half-sent requests: {len(times)} good ones answered, the slowest in {max(times):.2f} s; "
        f"{grown / 1e6:.0f} MB more memory"
    )
    assert max(times) < WITHIN
