from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from app.config import TREE
from app.intake.wire import Message, pack, unpack

_PROGRAM = (
    "import json, sys; sys.path[:0] = [sys.argv[1]]; {first}; "
    "from app.intake.confined import main; main(**json.loads(sys.argv[2]))"
)


def run_child(work: str, values: dict[str, Any], *, first: str = "pass", **changed: Any) -> subprocess.CompletedProcess[bytes]:
    """Run the confined process itself, without the sandbox around it, after some first words of Python."""
    arguments = {
        "work": work,
        "memory_bytes": 2_000_000_000,
        "seconds": 60,
        "weak": False,
        "code": [str(Path(__file__).parent)],
        "parent": os.getpid(),
    } | changed
    command = [sys.executable, "-I", "-B", "-c", _PROGRAM.format(first=first), str(TREE), json.dumps(arguments)]
    return subprocess.run(command, input=pack(Message(values)), capture_output=True, check=False, timeout=120)


def test_the_answer_has_what_held_and_nothing_of_what_was_printed() -> None:
    answer = unpack(run_child("work:look", {"a": 1}).stdout)
    assert answer.values["job"] == {"a": 1}
    assert "system calls" in answer.values["confinement"]


def test_computing_beyond_its_time_ends_it_by_the_system_alone() -> None:
    assert run_child("misdeeds:misbehave", {"how": "spin"}, seconds=1).returncode in (-signal.SIGKILL, -signal.SIGXCPU)


@pytest.mark.parametrize(("how", "code"), [("crash", -signal.SIGSEGV), ("leave", 3), ("exit", 0), ("exit with a text", 1)])
def test_however_the_inner_half_ends_the_outer_half_ends(how: str, code: int) -> None:
    assert run_child("misdeeds:misbehave", {"how": how}).returncode == code


def test_a_server_that_waits_for_no_children_changes_nothing() -> None:
    ignoring = "import signal; signal.signal(signal.SIGCHLD, signal.SIG_IGN)"
    assert run_child("misdeeds:misbehave", {"how": "crash"}, first=ignoring).returncode == -signal.SIGSEGV


def test_an_orphan_ends_before_it_opens_anything() -> None:
    run = run_child("work:look", {}, parent=os.getppid())
    assert (run.returncode, run.stdout) == (1, b"")


def test_a_process_with_another_thread_counts_as_unconfined_and_opens_nothing() -> None:
    threaded = "import threading, time; threading.Thread(target=time.sleep, args=(60,), daemon=True).start()"
    answer = unpack(run_child("work:look", {}, first=threaded).stdout)
    assert answer.values == {"confinement": ["limits"]}


def test_on_a_system_that_is_not_linux_it_keeps_the_limits_and_opens_nothing() -> None:
    # As macOS is: another name, and no bound on the address space.
    elsewhere = (
        "sys.platform = 'darwin'; import resource; real = resource.setrlimit; "
        "resource.setrlimit = lambda limit, most: real(limit, most) if limit != resource.RLIMIT_AS else real(-1, most)"
    )
    assert unpack(run_child("work:look", {}, first=elsewhere).stdout).values == {"confinement": []}
    assert unpack(run_child("work:look", {}, first=elsewhere, weak=True).stdout).values["squares"] == [0, 1, 4, 9]


@pytest.mark.parametrize(
    ("work", "refused"),
    [
        ("nowhere:look", "The file cannot be used: ModuleNotFoundError: No module named 'nowhere'"),
        ("work:nothing", "The file cannot be used: AttributeError: module 'work' has no attribute 'nothing'"),
        ("app.intake.wire:read", "The file cannot be used: AttributeError"),
    ],
)
def test_work_that_fails_is_a_refusal(work: str, refused: str) -> None:
    assert str(unpack(run_child(work, {}).stdout).values["refused"]).startswith(refused)
