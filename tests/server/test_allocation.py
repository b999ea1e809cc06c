"""What the allocator is told, in a process of its own: it holds for the whole process."""

from __future__ import annotations

import subprocess
import sys

from app.config import TREE

PROGRAM = """
import gc, threading
from app.server.allocation import bound_arenas, load_undisturbed, settle

bound_arenas(2)
load_undisturbed()
assert not gc.isenabled()
kept = [[number] for number in range(10_000)]
settle()
assert gc.get_freeze_count() > 10_000
counted = []
threads = [threading.Thread(target=lambda: counted.append(len(bytearray(1_000_000)))) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert gc.isenabled() and kept[-1] == [9999]
print(sum(counted))
"""


def test_a_process_that_was_settled_works_on_and_its_collector_leaves_the_past_alone() -> None:
    made = subprocess.run([sys.executable, "-c", PROGRAM], cwd=TREE, capture_output=True, text=True, timeout=60, check=True)
    assert (made.stdout, made.stderr) == ("8000000\n", "")
