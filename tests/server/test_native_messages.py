"""Libraries that print on their own cannot put a line into the log that is no event."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

from app.config import TREE
from tests.pictures import drawn, stored
from tests.serving import RunningSite

PROGRAM = """
import ctypes, sys, time
from app.server.native_messages import keep_log_apart, log_native_messages

keep_log_apart()
keep_log_apart()
from app.http.logs import configure_logs

configure_logs("json")
log_native_messages()
library = ctypes.CDLL(None)
for number in range(3):
    library.dprintf(2, b"line %d\\n", number)
library.dprintf(2, b"x%0600d\\n\\n", 7)
print("a line of Python's own", file=sys.stderr)
time.sleep(0.5)
for number in range(100_000):  # more than a pipe holds, while nobody can read: it must not wait
    ctypes.PyDLL(None).dprintf(2, b"flood\\n")
"""


def broken_tiff() -> bytes:
    data = bytearray(stored(drawn(160, 120), "TIFF", compression="tiff_lzw"))
    data[8:40] = b"\xff" * 32
    return bytes(data)


def test_what_is_printed_in_c_becomes_events_and_never_waits() -> None:
    made = subprocess.run([sys.executable, "-c", PROGRAM], cwd=TREE, capture_output=True, text=True, timeout=60, check=True)
    lines = made.stderr.splitlines()
    assert lines.count("a line of Python's own") == 1
    texts = [event["text"] for event in map(json.loads, filter(lambda line: line.startswith("{"), lines))]
    assert texts[:3] == ["line 0", "line 1", "line 2"]
    assert texts[3] == "x" + "0" * 499
    assert len(texts) + 1 == len(lines)


def test_a_broken_picture_leaves_only_events_in_the_log(tmp_path: Path) -> None:
    with RunningSite(tmp_path) as site:
        key, begun = site.key, len(site.log)  # before it, a start prints its few lines for people
        assert site.request("POST", "/api/v1/predict", broken_tiff(), {"Content-Type": "image/tiff"}, key=key).status == 422
        deadline = time.monotonic() + 20
        while "native_message" not in site.log:
            assert time.monotonic() < deadline, site.log
            time.sleep(0.05)
        site.stop()
        events = [json.loads(line)["event"] for line in site.log[begun:].splitlines()]
    assert sorted(events) == ["native_message", "refused", "request"]
