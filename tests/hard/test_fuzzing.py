"""A minute of fuzzing for each reader of strangers' files; `python -m tests.hard.fuzzing` takes as long as one likes."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from app.config import TREE

SECONDS = 60


@pytest.mark.parametrize("what", ["pictures", "models"])
def test_whatever_is_read_is_read_or_refused_and_nothing_else(what: str) -> None:
    command = [sys.executable, "-m", "tests.hard.fuzzing", what, "--seconds", str(SECONDS)]
    done = subprocess.run(command, cwd=TREE, capture_output=True, text=True, timeout=20 * SECONDS, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    figures = dict(re.findall(r"stat::(\w+):\s+(\d+)", done.stderr))
    print(f"{what}: {figures}")
    assert int(figures["number_of_executed_units"]) > 1000
    assert int(figures["slowest_unit_time_sec"]) <= 2
    assert int(figures["peak_rss_mb"]) < 1000
