"""Workers that are killed, ended and replaced while pictures come; the longer runs are in tests/hard."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from tests.faults.load import Load, assert_kept_once
from tests.serving import RunningSite


def wait_for_others(site: RunningSite, before: list[int]) -> None:
    """Wait until none of these workers is left, and as many others are there."""
    deadline = time.monotonic() + 40
    while set(site.workers) & set(before) or len(site.workers) != len(before):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_killed_worker_loses_and_doubles_nothing(tmp_path: Path) -> None:
    with RunningSite(tmp_path, workers="2", key_limit="0", answer_within="1") as site:
        with Load(site) as load:
            for _ in range(3):
                time.sleep(1)
                os.kill(site.workers[0], signal.SIGKILL)
        assert_kept_once(site, load)


def test_a_reload_refuses_nobody(tmp_path: Path) -> None:
    with RunningSite(tmp_path, workers="2", key_limit="0") as site:
        with Load(site) as load:
            for _ in range(2):
                time.sleep(1)
                before = site.workers
                os.kill(site.pid, signal.SIGHUP)
                wait_for_others(site, before)
        assert_kept_once(site, load)
        assert not load.refusals


def test_the_end_under_load_loses_nothing(tmp_path: Path) -> None:
    site = RunningSite(tmp_path, workers="2", key_limit="0")
    site.start()
    with Load(site) as load:
        time.sleep(1)
        assert site.stop(signal.SIGTERM) == 0
        site.start()  # who was not answered asks again
    assert site.stop(signal.SIGTERM) == 0
    assert_kept_once(site, load)
