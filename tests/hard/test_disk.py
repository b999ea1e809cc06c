"""A data folder on a full disk, and one that cannot be written to: pictures are answered, and it is said what is not kept."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from tests.factories import CAT
from tests.faults.load import DIGITS, PHOTO
from tests.serving import Reply, RunningSite
from tests.waiting import wait_until


def mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True)


@contextmanager
def mounted(folder: Path, *arguments: str) -> Iterator[None]:
    """Mount something there, which takes root: so these tests are not among those of `make test`."""
    folder.mkdir(exist_ok=True)
    mount(*arguments, str(folder))
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """Fill a disk to the last byte."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (1_048_576, 4096, 1):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                continue
    return filler


def ask(site: RunningSite, photo: bytes = PHOTO, path: str = DIGITS) -> Reply:
    reply = site.predict(photo, path)
    assert reply.status == 200, reply.body
    return reply


def assert_sound(site: RunningSite) -> int:
    """See that the database is whole, and give how many answers it holds."""
    with closing(sqlite3.connect(site.data / "vitrine.db", timeout=30)) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return int(database.execute("SELECT count(*) FROM predictions").fetchone()[0])


def test_on_a_full_disk_pictures_are_answered_and_nothing_is_damaged(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    with mounted(disk, "-t", "tmpfs", "-o", "size=600m", "tmpfs"), RunningSite(disk, workers="2", key_limit="0") as site:
        kept = {ask(site).json["id"] for _ in range(5)}
        filler = fill(disk)
        # Some room may be left in pages that the database has already.
        wait_until(lambda: not ask(site).json["stored"])
        replies = [ask(site, photo, path) for photo, path in ((PHOTO, DIGITS), (CAT.read_bytes(), "/api/v1/predict")) * 8]
        assert {reply.json["label"] for reply in replies} == {"8", "cat"}
        assert not any(reply.json["stored"] for reply in replies)
        ready = site.request("GET", "/readyz")
        assert ready.status == 200
        assert ready.json["problems"] == ["Answers are not stored: the disk of the data folder is full."]
        filler.unlink()
        wait_until(lambda: all(ask(site).json["stored"] for _ in range(4)))
        assert site.request("GET", "/readyz").json["problems"] == []
        with closing(sqlite3.connect(site.data / "vitrine.db", timeout=30)) as database:
            assert kept <= {row[0] for row in database.execute("SELECT id FROM predictions")}
        assert_sound(site)


def test_on_a_folder_that_cannot_be_written_to_pictures_are_answered(tmp_path: Path) -> None:
    with RunningSite(tmp_path, workers="2", key_limit="0") as site:
        assert all(ask(site).json["stored"] for _ in range(8))
        before, workers = assert_sound(site), site.workers
        with mounted(site.data, "--bind", str(site.data)):
            mount("-o", "remount,bind,ro", str(site.data))
            # Files that are open may still be written to: workers that come now open them anew.
            os.kill(site.pid, signal.SIGHUP)
            wait_until(lambda: len(site.workers) == 2 and not set(site.workers) & set(workers))
            replies = [ask(site) for _ in range(8)]
            assert {reply.json["label"] for reply in replies} == {"8"}
            assert not any(reply.json["stored"] for reply in replies)
            ready = site.request("GET", "/readyz")
            assert ready.json["problems"] == ["Answers are not stored: the data folder cannot be written to."]
        wait_until(lambda: all(ask(site).json["stored"] for _ in range(4)))
        assert assert_sound(site) > before
        assert site.request("GET", "/readyz").json["problems"] == []
