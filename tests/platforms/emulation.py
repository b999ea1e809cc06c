"""A site as a platform starts it: the image's environment, the platform's variables, and a disk that may only be read."""

from __future__ import annotations

import os
import shlex
import signal
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.factories import EIGHT
from tests.serving import TREE, VITRINE, Reply, RunningSite
from tests.test_dockerfile import LAST, words_of

PUBLIC = "photos.example.org"
KEY = "9YxmQ1n7KfTz3LpVw8sRb5Hd2CgJe6Ua"
# Everything but what is named first may only be read from here on; it becomes what is named last.
_READ_ONLY = """
for folder in "$1" "$2"; do mount --bind "$folder" "$folder"; done
mount --bind "$3" "$3"
mount -o remount,bind,ro "$3"
mount -o remount,bind,ro /
cd "$3"
shift 3
exec "$@"
"""


def image_environment() -> dict[str, str]:
    """Give what the Dockerfile sets for whatever runs in the image."""
    return dict(word.split("=", 1) for words in words_of("ENV", LAST) for word in shlex.split(words))


class PlatformSite(RunningSite):
    """Listens on the loopback address alone and has its data in the test's folder, but for that as the platform has it."""

    def __init__(self, folder: Path, given: Mapping[str, str], *, read_only: bool = False) -> None:
        super().__init__(folder)
        self._given = dict(given)
        self._read_only = read_only
        self._temporary = folder / "tmp"
        self._temporary.mkdir()
        self.data.mkdir(mode=0o700)

    @property
    def environment(self) -> dict[str, str]:
        """What the image and the platform set; nothing of this machine but where its programs are."""
        image = {name: value for name, value in image_environment().items() if name != "PATH"}
        here = {"PATH": os.environ["PATH"], "OMP_NUM_THREADS": "1", "TMPDIR": str(self._temporary)}
        where = {"HOST": "127.0.0.1", "PORT": str(self.port), "VITRINE_DATA": str(self.data)}
        # A folder that is mounted there is one of the data folder's here.
        store = {"VITRINE_STORE": str(self.data / "shared")} if self._given.get("VITRINE_STORE", "").startswith("/") else {}
        return {**image, **self._given, **here, **where, **store}

    def launch(self) -> None:
        """Start, and wait for nothing."""
        if not self._read_only:
            super().launch()
            return
        apart = ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--user", "--map-root-user"])]
        within = ["sh", "-euc", _READ_ONLY, "sh", str(self.data), str(self._temporary), str(TREE), *VITRINE, "serve"]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen([*apart, *within], cwd=TREE, env=self.environment, stdout=log, stderr=log)

    def visit(
        self, method: str, path: str, body: bytes | None = None, *, host: str = PUBLIC, visitor: str = "203.0.113.9"
    ) -> Reply:
        """Ask as the platform's proxy does, which speaks TLS with the visitor."""
        told = {"Host": host, "X-Forwarded-For": visitor, "X-Forwarded-Proto": "https"}
        return self.request(method, path, body, told, key=self.key if path.startswith("/api/") else None)

    @contextmanager
    def half_sent(self) -> Iterator[socket.socket]:
        """Give the line of a request whose picture has come half."""
        picture = EIGHT.read_bytes()
        head = (
            f"POST /api/v1/models/digits/predict HTTP/1.1\r\nHost: {PUBLIC}\r\nX-Forwarded-Proto: https\r\n"
            f"Authorization: Bearer {self.key}\r\nContent-Type: application/octet-stream\r\n"
            f"Content-Length: {len(picture)}\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n"
        )
        with socket.create_connection(("127.0.0.1", self.port), timeout=60) as line:
            line.sendall(head.encode())
            assert line.recv(1000).startswith(b"HTTP/1.1 100 ")
            line.sendall(picture[: len(picture) // 2])
            yield line

    def tell_to_end(self) -> None:
        """Send SIGTERM, and wait for nothing."""
        os.kill(self.pid, signal.SIGTERM)

    def killed_after(self, seconds: float) -> int:
        """Wait for the end for as long as the platform does, and give the exit code: -9 where it was killed."""
        assert self._process is not None
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait(30)

    @property
    def workers(self) -> list[int]:
        """The processes that Gunicorn's master has started."""
        return list(map(int, Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()))

    @property
    def may_write(self) -> set[str]:
        """Which mounts of the site's own may be written to, of those that it was given."""
        mounts = (line.split() for line in Path(f"/proc/{self.pid}/mountinfo").read_text().splitlines())
        ours = {str(self.data), str(self._temporary), str(TREE), "/"}
        state = {mount[4]: mount[5].split(",")[0] for mount in mounts if mount[4] in ours}
        assert state.keys() == ours
        return {place for place, how in state.items() if how == "rw"}
