"""A site under another server than Gunicorn, started as docs/deploy.md has it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.deploy.manual import adapted, commands
from tests.serving import TREE, RunningSite

# Where scripts/install-servers puts what pip would install beside Vitrine's own libraries.
SERVERS = TREE / ".venv" / "servers"


class ServerSite(RunningSite):
    """A site whose commands stand below a heading; the last of them becomes the server."""

    def __init__(self, folder: Path, heading: str, changes: Mapping[str, str], **settings: str) -> None:
        super().__init__(folder, **settings)
        self._heading = heading
        self._changes = changes

    @property
    def environment(self) -> dict[str, str]:
        """The environment, with the servers found before everything else."""
        folders = [SERVERS / "bin", Path(sys.executable).parent]
        path = os.pathsep.join([*map(str, folders), os.environ["PATH"], "/usr/sbin"])
        return {**super().environment, "PATH": path, "PYTHONPATH": str(SERVERS)}

    @property
    def script(self) -> str:
        """The commands, with pip's left out: their server is installed already."""
        lines = [line for line in commands(self._heading).splitlines() if "pip install" not in line]
        script = adapted("\n".join([*lines[:-1], f"exec {lines[-1]}"]), self._changes)
        return script.replace("127.0.0.1:8000", f"127.0.0.1:{self.port}")

    def launch(self) -> None:
        """Do what the manual says."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                ["sh", "-euc", self.script], cwd=TREE, env=self.environment, stdout=log, stderr=log
            )


class WaitressSite(ServerSite):
    """A site under Waitress; below a path where one is given, which Waitress itself takes off."""

    def __init__(self, folder: Path, *, mounted_at: str = "", **settings: str) -> None:
        changes = {".venv/bin/waitress-serve": "python -m waitress", ".venv/bin/vitrine": "python -m app.cli"}
        mounted = {" wsgi:app": f" --url-prefix={mounted_at} wsgi:app"} if mounted_at else {}
        super().__init__(folder, "Waitress, and IIS", {**changes, **mounted}, **settings)


class UwsgiSite(ServerSite):
    """A site under uWSGI, with the file of deploy/ but for the port, which mounts it at a path where one is given."""

    def __init__(self, folder: Path, *, mounted_at: str = "", **settings: str) -> None:
        mounted = f" --mount {mounted_at}=wsgi.py --manage-script-name" if mounted_at else ""
        self._ini = folder / "vitrine.ini"
        changes = {
            ".venv/bin/uwsgi": "uwsgi",
            ".venv/bin/vitrine": "python -m app.cli",
            "deploy/uwsgi/vitrine.ini": f"{self._ini}{mounted}",
        }
        super().__init__(folder, "uWSGI", changes, **settings)

    @property
    def script(self) -> str:
        """The commands, with the port and the folder in which processes count put in."""
        port, folder = f"s/127.0.0.1:8000/127.0.0.1:{self.port}/", f"s#/dev/shm/vitrine-uwsgi#{self._ini.parent}/numbers#"
        here = f"sed -e {port} -e {folder} deploy/uwsgi/vitrine.ini >{self._ini}\n"
        return here + super().script
