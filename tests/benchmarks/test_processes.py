"""A server's processes are found and ended, and nobody else's."""

from __future__ import annotations

import subprocess
import sys

from benchmarks.servers.processes import ProcessTree

# A parent with a child in its session and one that has left it; all would sleep for a minute.
PROGRAM = """
import subprocess, sys
children = [subprocess.Popen(["sleep", "60"], start_new_session=left) for left in (False, True)]
print("ready", flush=True)
children[0].wait()
"""


def test_all_of_a_tree_are_found_and_ended_and_others_stay() -> None:
    bystander = subprocess.Popen(["sleep", "60"])
    root = subprocess.Popen([sys.executable, "-c", PROGRAM], start_new_session=True, stdout=subprocess.PIPE)
    try:
        assert root.stdout is not None
        root.stdout.readline()
        tree = ProcessTree(root.pid)
        assert len(tree.members()) == 3
        assert tree.memory_mb() > 1
        assert tree.cpu_seconds() >= 0
        tree.end(patience=0.2)
        root.communicate(timeout=5)
        assert tree.members() == set()
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()
        root.kill()
        root.communicate()
