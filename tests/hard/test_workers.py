"""Workers that are killed, ended and replaced for longer."""

from __future__ import annotations

import contextlib
import http.client
import itertools
import os
import signal
import time
from pathlib import Path

from tests.faults.load import DIGITS, PHOTO, Load, assert_kept_once
from tests.faults.test_workers import wait_for_others
from tests.serving import RunningSite

KILLS, EVERY_SECONDS = 15, 3.0
BACK_WITHIN = 1.0
TIMES = 10
# Containers are killed after as long.
GRACE_SECONDS = 30.0


def answered_after(site: RunningSite, began: float) -> tuple[float, int]:
    """Give after how many seconds a picture is answered that is sent from now on, and how often it was sent."""
    for sent in itertools.count(1):
        assert time.monotonic() < began + 30
        with contextlib.suppress(OSError, http.client.HTTPException):
            if site.predict(PHOTO, DIGITS).status == 200:
                return time.monotonic() - began, sent
    raise AssertionError


def replaced_after(site: RunningSite, pid: int, began: float) -> float:
    """Give after how many seconds another worker has taken one's place."""
    while pid in (now := site.workers) or len(now) < 2:
        assert time.monotonic() < began + 30
        time.sleep(0.005)
    return time.monotonic() - began


def test_killed_every_three_seconds(tmp_path: Path) -> None:
    with RunningSite(tmp_path, workers="2", key_limit="0", answer_within="1") as site:
        replaced, back, probes = [], [], 0
        with Load(site) as load:
            for number in range(KILLS):
                time.sleep(EVERY_SECONDS)
                pid, began = site.workers[number % 2], time.monotonic()
                os.kill(pid, signal.SIGKILL)
                seconds, sent = answered_after(site, began)
                back.append(seconds)
                probes += sent
                replaced.append(replaced_after(site, pid, began))
        assert_kept_once(site, load, others=(KILLS, probes))
    print(
        f"\nkill -9, {KILLS} times, one every {EVERY_SECONDS:g} s: {len(load.answers)} answers acknowledged, 0 lost, "
        f"0 doubled, {load.refusals.total()} requests sent again; a new request answered after at most {max(back):.2f} s, "
        f"another worker there after at most {max(replaced):.2f} s"
    )
    assert max(back) < BACK_WITHIN


def test_reloaded_ten_times(tmp_path: Path) -> None:
    with RunningSite(tmp_path, workers="2", key_limit="0") as site:
        with Load(site) as load:
            for _ in range(TIMES):
                time.sleep(1)
                before = site.workers
                os.kill(site.pid, signal.SIGHUP)
                wait_for_others(site, before)
        assert_kept_once(site, load)
    print(f"\nreload, {TIMES} times: {len(load.answers)} answers acknowledged, 0 lost, {load.refusals.total()} refused")
    assert not load.refusals


def test_ended_ten_times(tmp_path: Path) -> None:
    site, ends = RunningSite(tmp_path, workers="2", key_limit="0"), []
    site.start()
    with Load(site) as load:
        for _ in range(TIMES):
            time.sleep(1)
            began = time.monotonic()
            assert site.stop(signal.SIGTERM) == 0
            ends.append(time.monotonic() - began)
            site.start()
    assert site.stop(signal.SIGTERM) == 0
    assert_kept_once(site, load)
    print(f"\nSIGTERM, {TIMES} times: {len(load.answers)} answers acknowledged, 0 lost; code 0 after at most {max(ends):.2f} s")
    assert max(ends) < GRACE_SECONDS
