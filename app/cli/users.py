"""`vitrine users`: accounts from the command line."""

from __future__ import annotations

import sys

import click

from app.cli.house import open_house, tell_unrecorded
from app.errors import InvalidAccount
from app.services.accounts import checked_email
from app.services.audit_log import COMMAND_LINE, subject_of_account


@click.group()
def users() -> None:
    """Make accounts."""


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
    subject = subject_of_account(checked_email(email))
    tell_unrecorded(services.audit_log.record(COMMAND_LINE, "made", subject, "as administrator" if admin else "as member"))
    click.echo(f"The account {email} is made.", err=True)


@users.command("setup-link")
def setup_link() -> None:
    """Print the one-time link that makes the first administrator."""
    services = open_house()
    token = services.accounts.setup_token()
    if token is None:
        raise InvalidAccount("There are accounts already; make more with `vitrine users create EMAIL`.")
    click.echo(f"{services.settings.address}/setup/{token}")
