"""`vitrine upgrade`: bring the database up to date and start nothing, as a job before the new machines does."""

from __future__ import annotations

import click

from app.cli.house import open_house


@click.command()
def upgrade() -> None:
    """Bring the database up to date and say so; several at once do it once, and the others wait for it."""
    open_house()
    click.echo("The database is up to date.")
