"""The command line. Errors are one line and a non-zero code."""

from __future__ import annotations

import gc
import sys
from importlib import import_module
from io import TextIOWrapper

import click

from app import __version__
from app.errors import VitrineError

# With the module that each is in.
_COMMANDS = {
    "serve": "serve",
    "upgrade": "upgrading",
    "prepare": "preparing",
    "show": "showing",
    "train": "train",
    "predict": "predict",
    "models": "models",
    "users": "users",
    "keys": "keys",
    "audit": "audit",
    "collect-static": "collecting",
    "doctor": "doctor",
}


class _Commands(click.Group):
    """Commands that are imported when they are asked for: to serve takes no progress bars, and to make a key no server."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Give their names, in the order in which they are told."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Give a command: what its module calls so."""
        if cmd_name not in _COMMANDS:
            return None
        # What is imported stays: to look it through for garbage, again and again, takes a tenth of a start.
        gc.disable()
        command: click.Command = getattr(import_module(f"app.cli.{_COMMANDS[cmd_name]}"), cmd_name.replace("-", "_"))
        gc.freeze()
        gc.enable()
        return command


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="vitrine")
def vitrine() -> None:
    """Put a trained image classifier behind glass.

    Settings are read from the environment (VITRINE_...); docs/settings.md lists them.
    """


def main() -> None:
    """Run the command line, and tell what was refused in one line."""
    # The name of a file may hold bytes that are no text: it leaves as it came, in every locale.
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="surrogateescape")
    try:
        vitrine()
    except VitrineError as error:
        click.echo(f"vitrine: {error}", err=True)
        sys.exit(1)
    except UnicodeError:  # bytes in the command or its input that neither a database nor a hash can take
        click.echo("vitrine: Something that was given cannot be read as UTF-8 text.", err=True)
        sys.exit(1)
