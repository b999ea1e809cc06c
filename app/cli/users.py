"""`vitrine users`: accounts from the command line."""

from __future__ import annotations

import sys

import click

from app.cli.house import open_house
from app.errors import InvalidAccount
from app.services.audit_log import COMMAND_LINE


@click.group()
def users() -> None:
    """Make accounts, and let back in who lost a second factor."""


@users.command()
@click.argument("email")
@click.option("--admin", is_flag=True, help="May administer the site.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input instead of asking.")
def create(email: str, admin: bool, password_stdin: bool) -> None:
    """Make an account for EMAIL."""
    services = open_house()
    if password_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    else:
        password = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    services.accounts.create(email, password, admin=admin)
    click.echo(f"The account {email} is made.", err=True)


@users.command("second-factor-off")
@click.argument("email")
def second_factor_off(email: str) -> None:
    """Let EMAIL in by the password alone: take its app, passkeys and recovery codes off, and end its logins."""
    services = open_house()
    address = services.people.take_second_factor_off(services.accounts.number_of(email), COMMAND_LINE)
    click.echo(f"{address} needs no second factor any more, and is logged out everywhere.", err=True)


@users.command("setup-link")
def setup_link() -> None:
    """Print the one-time link that makes the first administrator."""
    services = open_house()
    token = services.accounts.setup_token()
    if token is None:
        raise InvalidAccount("There are accounts already; make more with `vitrine users create EMAIL`.")
    click.echo(f"{services.settings.address}/setup/{token}")
