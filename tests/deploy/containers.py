"""A container engine, and a site that runs in a container of it."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from tests.serving import EMAIL, PASSWORD, TREE, RunningSite

BASE = "docker.io/library/python:3.11-slim-bookworm"
# As little as a container can be given: the root file system cannot be written to, and nothing can be gained.
CONFINED = ["--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"]


class Engine:
    """The shell functions of the folder that CONTAINERS names, with a store of images and volumes that goes at the end."""

    def __init__(self) -> None:
        self._tools = (TREE / os.environ.get("CONTAINERS", "../shared/containers")).resolve()
        # Engines put sockets below this folder, and a socket's path is short.
        self._store = Path(tempfile.mkdtemp(prefix="ctr-"))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.call("ctr_clean", check=False)

    def call(self, *words: str, given: str | None = None, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run one of the functions (`ctr`, `ctr_build`, `ctr_run`, ...) in the tree, and see that it succeeded."""
        done = subprocess.run(
            ["bash", "-c", '. "$0/engine.sh" && "$@"', str(self._tools), *words],
            cwd=TREE,
            env={**os.environ, "CTR_DIR": str(self._store)},
            input=given,
            capture_output=True,
            text=True,
            timeout=1800,
            check=False,
        )
        assert not check or done.returncode == 0, f"{' '.join(words)}\n{done.stdout}\n{done.stderr}"
        return done

    def make_base(self) -> None:
        """Make what the Dockerfile begins from."""
        root = self._store / "base.tar"
        subprocess.run([self._tools / "make-base", "bookworm", root], check=True, timeout=1200)
        self.call("ctr_base", str(root), BASE)
        root.unlink()

    def build(self, tag: str, *arguments: str) -> str:
        """Build the tree's Dockerfile, print how large it is, and give its tag."""
        words = [word for argument in (f"BASE={BASE}", *arguments) for word in ("--build-arg", argument)]
        self.call("ctr_build", ".", tag, *words, *_package_folders())
        size = int(self.call("ctr", "image", "inspect", "-f", "{{.Size}}", tag).stdout)
        print(f"\nimage size of {tag}: {size / 1_000_000:.0f} MB")
        return tag

    def run(self, *words: str, given: str | None = None, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run one command in a confined container that goes with it."""
        return self.call(
            "ctr", "run", "--rm", "-i", "--pull=never", "--network", "none", *CONFINED, *words, given=given, check=check
        )


def _package_folders() -> list[str]:
    # An index in a folder of this machine keeps its files beside its pages, and pip reads both.
    settings = subprocess.run(["pip", "config", "list"], capture_output=True, text=True, check=True).stdout
    folders = sorted({str(Path(page).parent) for page in re.findall(r"file://(/[\w./-]+)", settings)})
    return [word for folder in folders for word in ("-v", f"{folder}:{folder}:ro")]


class ContainerSite(RunningSite):
    """A site in a confined container on the loopback address; its data is in a named volume."""

    def __init__(self, engine: Engine, image: str, *, name: str, volume: str, options: Sequence[str] = ()) -> None:
        super().__init__(Path(volume))
        self._engine = engine
        self._image = image
        self._options = options
        self.name = name
        self.volume = volume
        self.started_within = 0.0

    @property
    def log(self) -> str:
        """Everything the site has printed."""
        printed = self._engine.call("ctr", "logs", self.name)
        return printed.stdout + printed.stderr

    def start(self, *words: str) -> None:
        """Start a new container, and wait until pictures can be answered."""
        began = time.monotonic()
        where = [
            "--network",
            "host",
            "-e",
            "HOST=127.0.0.1",
            "-e",
            f"PORT={self.port}",
            "-v",
            f"{self.volume}:/data",
            *self._options,
        ]
        self._engine.call("ctr_run", "--name", self.name, *CONFINED, *where, self._image, *words)
        # Asking the engine would take the processor from the start that is measured, so a container that died is found late.
        while not self._ready():
            assert time.monotonic() < began + 60, self.log
            time.sleep(0.05)
        self.started_within = time.monotonic() - began

    def stop(self, number: int = 15) -> int:
        """End the container with a signal, remove it and give its exit code."""
        self.send(number)
        return self.ended()

    def send(self, number: int) -> None:
        """Send the container's first process a signal."""
        self._engine.call("ctr", "kill", "--signal", str(number), self.name)

    def ended(self) -> int:
        """Wait for the container's end as long as platforms do, remove it and give its exit code."""
        deadline = time.monotonic() + 30
        while self._asked("{{.State.Running}}") == "true" and time.monotonic() < deadline:
            time.sleep(0.1)
        self._engine.call("ctr", "stop", "-t", "0", self.name)
        code = int(self._asked("{{.State.ExitCode}}"))
        self._engine.call("ctr", "rm", self.name)
        return code

    def inside(self, *words: str) -> str:
        """Give what a program prints inside the container."""
        return self._engine.call("ctr", "exec", self.name, *words).stdout.strip()

    def run(self, *arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
        """Run a command of `vitrine` inside the container."""
        return self._engine.call("ctr", "exec", "-i", self.name, "vitrine", *arguments, given=given, check=False)

    def make_account(self, email: str = EMAIL, password: str = PASSWORD, *, admin: bool = False) -> None:
        """Make an account where there is none of that name: the volume is reached from inside alone."""
        made = self.run("users", "create", email, "--password-stdin", *(["--admin"] if admin else []), given=f"{password}\n")
        assert made.returncode == 0 or "already" in made.stderr, made.stderr

    def make_key(self) -> str:
        """Make a key of the usual account."""
        made = self.run("keys", "create", "--user", EMAIL, "--name", "tests")
        assert made.returncode == 0, made.stderr
        return made.stdout.strip()

    def healthy(self) -> bool:
        """Ask the image's own health check."""
        return self._engine.call("ctr", "healthcheck", "run", self.name, check=False).returncode == 0

    def _ready(self) -> bool:
        try:
            return self.request("GET", "/readyz").status == 200
        except OSError:
            return False

    def _asked(self, what: str) -> str:
        return self._engine.call("ctr", "inspect", "-f", what, self.name).stdout.strip()
