"""`vitrine keys`: API keys from the command line."""

from __future__ import annotations

import click

from app.cli.house import open_house
from app.cli.tables import show_table
from app.errors import InvalidKey
from app.services.accounts.api_keys import MOST_DAILY, SCOPES, USUAL_SCOPES
from app.services.audit_log import COMMAND_LINE


@click.group()
def keys() -> None:
    """Make, list and revoke API keys."""


@keys.command()
@click.option("--user", required=True, metavar="EMAIL", help="Whose key it is.")
@click.option("--name", required=True, help="What will use it.")
@click.option(
    "--scope", "scopes", multiple=True, type=click.Choice(SCOPES), help="What it is good for (default: predict, models:read)."
)
@click.option("--days", type=click.IntRange(1), help="How long it lives (default: no end).")
@click.option("--daily", type=click.IntRange(1, MOST_DAILY), help="Pictures it may send in a day (default: any number).")
def create(user: str, name: str, scopes: tuple[str, ...], days: int | None, daily: int | None) -> None:
    """Make a key and print it, this once; nothing else goes to standard output."""
    services = open_house()
    account = services.accounts.number_of(user)
    key = services.recorded_keys.create(account, name, COMMAND_LINE, scopes=scopes or USUAL_SCOPES, days=days, daily=daily)
    click.echo(key)


@keys.command("list")
@click.option("--user", required=True, metavar="EMAIL", help="Whose keys.")
def list_keys(user: str) -> None:
    """List a user's keys."""
    services = open_house()
    rows = []
    for key in services.api_keys.list(services.accounts.number_of(user)):
        used = f"{key.last_used_at:%Y-%m-%d %H:%M}" if key.last_used_at else "never"
        rows.append((key.id, key.name, ", ".join(key.scopes), f"{key.created_at:%Y-%m-%d}", used, key.state))
    show_table(("key", "name", "scopes", "made", "last used", "state"), rows)


@keys.command()
@click.argument("key_id")
@click.option("--user", required=True, metavar="EMAIL", help="Whose key it is.")
def revoke(key_id: str, user: str) -> None:
    """End the key KEY_ID (the part after vtr_); workers forget it within five seconds."""
    services = open_house()
    if not services.recorded_keys.revoke(services.accounts.number_of(user), key_id, COMMAND_LINE):
        raise InvalidKey(f"{user} has no key {key_id!r}.")
    click.echo(f"The key {key_id} is revoked.", err=True)
