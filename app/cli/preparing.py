"""`vitrine prepare`: what `vitrine serve` does before it listens, for other servers."""

from __future__ import annotations

import click

from app.cli.house import make_ready
from app.config import load_settings


@click.command()
def prepare() -> None:
    """Make the data folder and the database ready for a server, and print the link for the first administrator."""
    services = make_ready(load_settings())
    token = services.accounts.setup_token(renew=True)
    if token is not None:
        click.echo(f"{services.settings.address}/setup/{token}")
