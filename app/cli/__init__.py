"""The command line. Errors are one line and a non-zero code."""

from __future__ import annotations

import sys
from io import TextIOWrapper

import click

from app import __version__
from app.cli.keys import keys
from app.cli.models import models
from app.cli.predict import predict
from app.cli.serve import serve
from app.cli.train import train
from app.cli.users import users
from app.errors import VitrineError


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="vitrine")
def vitrine() -> None:
    """Put a trained image classifier behind glass.

    Settings are read from the environment (VITRINE_...); docs/settings.md lists them.
    """


for command in (serve, train, predict, models, users, keys):
    vitrine.add_command(command)


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
