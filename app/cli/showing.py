"""`vitrine show`: from a model file to a page on this machine, of which nothing stays behind.

The module is not called as the command: `show` is what `vitrine models show` does.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import click
from gunicorn.app.wsgiapp import WSGIApplication

from app.cli.house import open_house
from app.cli.importing import bring_in
from app.cli.recipe_options import recipe_options
from app.cli.scratch import scratch_folder
from app.config import TREE
from app.errors import InvalidSettings
from app.inference.package import valid_name

_LOOPBACK = "127.0.0.1"
# What is set for a site that runs on this machine, or for what else runs there, must not reach this one.
_OF_OTHERS = re.compile(r"VITRINE_.*|GUNICORN_.*|HOST|PORT|LISTEN_(PID|FDS)|PROMETHEUS_MULTIPROC_DIR", re.IGNORECASE)


@click.command("show")
@click.argument("file", type=click.Path(path_type=Path))
@recipe_options
@click.option("--port", type=click.IntRange(1, 65535), help="Port to listen on (default: one that is free).")
def show(file: Path, port: int | None, **options: Any) -> None:
    """Show the trained classifier in FILE on a page of this machine, until Ctrl-C.

    The file is imported as `vitrine models import` does it, into a folder that is removed in the end. Whoever can reach the
    page from this machine may use it without a login; nothing that they send is kept. A site that is set up here is left alone.
    """
    with _held(port) as door, scratch_folder("vitrine-show-") as folder:
        _move_into(folder, door.getsockname()[1])
        if sys.stderr.isatty():  # a large model takes a minute, which is long for somebody who waits
            click.echo(f"Importing {file.name}: it is read, opened once in confinement, converted and proven.", err=True)
        house = open_house()
        bring_in(house.repository, file, name_of(file), **options)
        house.engine.dispose()
        _Window(door.detach(), house.settings.address).run()


def name_of(file: Path) -> str:
    """Give what the model is called: as its file is, where a model may be called so."""
    name = "-".join(re.findall("[a-z0-9]+", file.absolute().stem.lower()))
    return name if valid_name(name) else "model"


def _move_into(folder: Path, port: int) -> None:
    """Let every setting of this process be that of a site in a folder: of one model, for guests, and without a memory."""
    for name in [name for name in os.environ if _OF_OTHERS.fullmatch(name)]:
        del os.environ[name]
    os.environ.update(
        VITRINE_DATA=str(folder),
        VITRINE_MODELS=str(folder / "none"),
        VITRINE_HOST=_LOOPBACK,
        VITRINE_PORT=str(port),
        VITRINE_ACCESS="guests",
        VITRINE_REGISTRATION="off",
        VITRINE_HISTORY="no",
        VITRINE_VISITOR_LIMIT="0",
        # Browsers send a cookie to every port of an address: one is not to be logged out of a site that runs beside this one.
        VITRINE_COOKIE=f"vitrine-{port}",
        VITRINE_LOG_REQUESTS="no",
        # One is there sooner than two, and enough for one visitor.
        VITRINE_WORKERS="1",
    )


@contextmanager
def _held(port: int | None) -> Iterator[socket.socket]:
    """Take a port without listening yet, or raise InvalidSettings: nobody else gets it while the file is imported."""
    with socket.socket() as door:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            door.bind((_LOOPBACK, port or 0))
        except OSError as error:
            raise InvalidSettings(
                f"Port {port} of {_LOOPBACK} cannot be used ({error.strerror}): leave --port out, and a free one is taken."
            ) from error
        yield door


class _Window(WSGIApplication):  # type: ignore[misc] # Gunicorn has no types
    """Gunicorn with the site's settings, behind a port that is held already, until its terminal closes at the latest."""

    def __init__(self, door: int, address: str) -> None:
        self._door, self._address = door, address
        self._hangs_up = signal.getsignal(signal.SIGHUP) != signal.SIG_IGN
        self._prepare: Callable[[Any], None]
        super().__init__(prog="gunicorn")

    def load_config(self) -> None:
        """Read the site's settings alone: no words of the command line, nothing out of the folder that this was called in."""
        self.cfg.set("chdir", str(TREE))
        self.chdir()
        self.load_config_from_file(str(TREE / "gunicorn.conf.py"))
        self.app_uri = self.cfg.wsgi_app
        self.cfg.set("bind", f"fd://{self._door}")
        self._prepare = self.cfg.when_ready
        self.cfg.set("when_ready", self._open)

    def _open(self, server: Any) -> None:
        """Say where to go, now that it listens."""
        self._prepare(server)
        # Gunicorn would read its settings again, and go on in a terminal that has closed.
        signal.signal(signal.SIGHUP, partial(_end, server) if self._hangs_up else signal.SIG_IGN)
        click.echo(f"Your model is at {self._address} (Ctrl-C ends it)")


def _end(server: Any, _number: int, frame: object) -> None:
    server.signal(signal.SIGTERM, frame)
