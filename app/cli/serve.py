"""`vitrine serve`: prepare everything, say where to go, and become Gunicorn."""

from __future__ import annotations

import os
import socket
import sys

import click
import gunicorn.__main__
import gunicorn.config

from app.cli.house import make_ready_apart
from app.composition import Services
from app.config import TREE, Settings, load_settings
from app.errors import InvalidSettings

_ANY = ("0.0.0.0", "::")  # noqa: S104 - compared with, not bound to


@click.command()
@click.option("--host", help="Address to listen on (default 127.0.0.1).")
@click.option("--port", type=int, help="Port to listen on (default 8000).")
def serve(host: str | None, port: int | None) -> None:
    """Start the site."""
    given = {name: value for name, value in (("host", host), ("port", port)) if value is not None}
    settings = load_settings(**given)
    if not listened_on_already():
        check_port(settings)
    services = make_ready_apart(settings)
    for line in greeting(services):
        click.echo(line)
    services.engine.dispose()
    os.environ.update(VITRINE_HOST=settings.host, VITRINE_PORT=str(settings.port))
    sys.stdout.flush()
    os.chdir(TREE)
    # Where this was called, and what Gunicorn would import from first: there may be a wsgi.py of somebody else's.
    gunicorn.config.Chdir.default = str(TREE)
    # In this very process: everything is imported already. It starts itself anew as what stands in its command line.
    sys.argv = [gunicorn.__main__.__file__, "--config", str(TREE / "gunicorn.conf.py")]
    gunicorn.__main__.run(prog="gunicorn")


def listened_on_already() -> bool:
    """Tell whether systemd listens, and hands its socket to this process."""
    return os.environ.get("LISTEN_PID") == str(os.getpid())


def check_port(settings: Settings) -> None:
    """Raise InvalidSettings where the port cannot be listened on, with the way out."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            raise InvalidSettings(
                f"Port {settings.port} of {settings.host} cannot be used ({error.strerror}): "
                f"stop what holds it, or choose another with PORT={settings.port + 1}."
            ) from error


def greeting(services: Services) -> list[str]:
    """Give the lines that say where to go."""
    settings = services.settings
    lines = [f"Vitrine is at {settings.address}"]
    if settings.host in _ANY and not settings.public_url:
        lines.append(f"On your network: http://{_own_address()}:{settings.port}")
        if not settings.plain_http:
            lines.append(
                "Plain http can be read on its way, so logging in works on this machine alone; put https in front "
                "(VITRINE_PUBLIC_URL), or allow it with VITRINE_PLAIN_HTTP=yes."
            )
    token = services.accounts.setup_token(renew=True)
    if token is not None:
        lines.append(f"Make the first account, once: {settings.address}/setup/{token}")
    return lines


def _own_address() -> str:
    # Asking the routing table sends nothing: a datagram socket only chooses its own end.
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
            return str(probe.getsockname()[0])
        except OSError:
            return socket.gethostname()
