"""The production settings under a real end."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.factories import CAT
from tests.serving import TREE, RunningSite
from tests.web.visiting import Visitor

HEAD = b'--x\r\nContent-Disposition: form-data; name="images"; filename="cat.jpg"\r\n\r\n'
TAIL = b"\r\n--x--\r\n"


def sockets_of(pid: int) -> set[str]:
    """Give the sockets that a process holds."""
    links = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            links.add(str(descriptor.readlink()))
    return {link for link in links if link.startswith("socket:")}


def end(site: RunningSite) -> None:
    """Send SIGTERM, and return when Gunicorn has begun to end: its master has let go of the port."""
    held = sockets_of(site.pid)
    os.kill(site.pid, signal.SIGTERM)
    deadline = time.monotonic() + 20
    while sockets_of(site.pid) >= held:
        assert time.monotonic() < deadline, "the site did not begin to end"
        time.sleep(0.01)


def test_a_request_in_flight_is_answered_before_the_end(tmp_path: Path) -> None:
    with RunningSite(tmp_path, access="guests") as site:
        guest, photo = Visitor(site), CAT.read_bytes()
        token = guest.token_of("/")
        lines = [
            "POST / HTTP/1.1",
            f"Host: 127.0.0.1:{site.port}",
            "Accept: application/json",
            f"X-CSRFToken: {token}",
            f"Cookie: vitrine={guest.cookies['vitrine']}",
            "Content-Type: multipart/form-data; boundary=x",
            f"Content-Length: {len(HEAD) + len(photo) + len(TAIL)}",
            "Expect: 100-continue",
        ]
        with socket.create_connection(("127.0.0.1", site.port), timeout=60) as connection:
            connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
            assert connection.recv(1000).startswith(b"HTTP/1.1 100")  # a worker has begun with it
            end(site)
            connection.sendall(HEAD + photo + TAIL)
            answer = b"".join(iter(lambda: connection.recv(65_536), b""))
        assert answer.startswith(b"HTTP/1.1 200")
        assert b"This image is a Cat" in answer
        assert site.stop() == 0


# Beside the production settings: Ctrl-C before a worker has handlers of its own, and again when it has them no more.
EARLY = """
prepare = post_fork

def post_fork(server, worker):
    prepare(server, worker)
    os.kill(server.pid, signal.SIGINT)
    time.sleep(30)
"""
TWICE = """
class Last:
    def __del__(self, kill=os.kill, master=os.getpid(), end=signal.SIGINT, sleep=time.sleep):
        kill(master, end)
        sleep(1)

def post_worker_init(worker):
    sys.last = Last()
    os.kill(os.getpid(), signal.SIGINT)
"""


@pytest.mark.parametrize("moment", [EARLY, TWICE], ids=["early", "twice"])
def test_ctrl_c_ends_it_without_a_complaint_at_any_moment(tmp_path: Path, moment: str) -> None:
    settings = tmp_path / "settings.py"
    settings.write_text(f"import sys, time\n{(TREE / 'gunicorn.conf.py').read_text()}{moment}")
    words = [sys.executable, "-m", "gunicorn", "--config", str(settings)]
    environment = RunningSite(tmp_path, access="guests", workers="1").environment
    ended = subprocess.run(words, cwd=TREE, env=environment, capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stderr) == (0, "")
