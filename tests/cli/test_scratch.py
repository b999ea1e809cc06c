"""A folder that lasts as long as the process that made it: gone after a signal, swept after a kill, and no other is touched."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.cli.scratch import scratch_folder
from app.errors import InvalidSettings
from tests.serving import TREE
from tests.showing import heed_signals

PREFIX = "vitrine-test-"
HOLDER = """
import sys, time
from app.cli.scratch import scratch_folder
with scratch_folder("vitrine-test-") as folder:
    print(folder, flush=True)
    time.sleep(60)
"""
FORKER = """
import os, sys
from app.cli.scratch import scratch_folder
with scratch_folder("vitrine-test-") as folder:
    if (child := os.fork()) == 0:
        sys.exit(0)
    os.waitpid(child, 0)
    print(folder.is_dir())
print(folder.is_dir())
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the folder in which this test's temporary files are made."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@contextmanager
def holding(place: Path) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """Give a process that holds such a folder, and the folder."""
    environment = {**os.environ, "TMPDIR": str(place)}
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER],
        cwd=TREE,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        preexec_fn=heed_signals,
    ) as holder:
        assert holder.stdout is not None
        try:
            yield holder, Path(holder.stdout.readline().strip())
        finally:
            holder.kill()


def test_it_is_for_its_owner_alone_and_gone_in_the_end(place: Path) -> None:
    with scratch_folder(PREFIX) as folder:
        assert (folder.parent, folder.stat().st_mode & 0o777) == (place, 0o700)
        (folder / "deep").mkdir()
        (folder / "deep" / "file").write_bytes(b"x")
    assert list(place.iterdir()) == []


def test_it_is_gone_after_an_error(place: Path) -> None:
    with pytest.raises(ZeroDivisionError), scratch_folder(PREFIX):
        raise ZeroDivisionError
    assert list(place.iterdir()) == []


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, -signal.SIGINT)])
def test_it_is_gone_after_a_signal(place: Path, number: int, code: int) -> None:
    with holding(place) as (holder, folder):
        assert folder.is_dir()
        holder.send_signal(number)
        assert holder.wait(timeout=30) == code
        assert list(place.iterdir()) == []


def test_what_a_killed_process_left_is_swept_and_what_another_holds_is_not(place: Path) -> None:
    with holding(place) as (first, abandoned), holding(place) as (_, held):
        first.kill()
        first.wait(timeout=30)
        assert abandoned.is_dir()
        with scratch_folder(PREFIX) as own:
            assert sorted(place.iterdir()) == sorted([held, own])


def test_what_only_has_such_a_name_is_left_alone(place: Path) -> None:
    notes, link, file = place / f"{PREFIX}notes", place / f"{PREFIX}link", place / f"{PREFIX}file"
    notes.mkdir()
    (notes / "diary").write_text("mine")
    link.symlink_to(notes, target_is_directory=True)
    file.write_text("mine")
    with scratch_folder(PREFIX):
        pass
    assert sorted(place.iterdir()) == sorted([notes, link, file])
    assert (notes / "diary").read_text() == "mine"


def test_a_mark_that_leads_elsewhere_marks_nothing(place: Path) -> None:
    with scratch_folder(PREFIX) as folder:
        (mark,) = folder.iterdir()
        other = place / f"{PREFIX}other"
        other.mkdir()
        (other / mark.name).symlink_to(place / "target")
        (place / "target").write_text("")
    with scratch_folder(PREFIX):
        assert other.is_dir()


def test_a_child_that_passes_the_end_leaves_it_to_its_parent(place: Path) -> None:
    environment = {**os.environ, "TMPDIR": str(place)}
    ran = subprocess.run([sys.executable, "-c", FORKER], cwd=TREE, env=environment, capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["True", "False"]


def test_a_signal_that_was_ignored_stays_so_and_others_are_as_before(place: Path) -> None:
    before = signal.getsignal(signal.SIGTERM)
    hangup = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with scratch_folder(PREFIX):
            assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
            assert signal.getsignal(signal.SIGTERM) != before
        assert signal.getsignal(signal.SIGTERM) == before
    finally:
        signal.signal(signal.SIGHUP, hangup)


def test_a_place_that_is_not_there_is_told(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(place / "gone"))
    with (
        pytest.raises(InvalidSettings, match=r"\(No such file or directory\): name another place in TMPDIR\."),
        scratch_folder(PREFIX),
    ):
        pass
