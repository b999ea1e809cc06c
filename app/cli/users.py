"""`vitrine users`: accounts from the command line."""

from __future__ import annotations

import sys

import click

from app.cli.house import open_house, tell_unrecorded
from app.cli.tables import show_table
from app.errors import InvalidAccount
from app.services.accounts.accounts import checked_email
from app.services.audit_log import COMMAND_LINE, subject_of_account


@click.group()
def users() -> None:
    """Make, list, disable and delete accounts, and let back in who lost a second factor."""


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


@users.command("list")
def list_users() -> None:
    """List the accounts."""
    services = open_house()
    number, rows = 0, []
    while True:
        number += 1
        page = services.people.page(number)
        for person in page.people:
            role, state = "administrator" if person.admin else "member", "good" if person.active else "disabled"
            seen = f"{person.logged_in_at:%Y-%m-%d %H:%M}" if person.logged_in_at else "never"
            rows.append((person.email, role, state, f"{person.created_at:%Y-%m-%d}", seen))
        if number >= page.pages:
            break
    show_table(("email", "role", "state", "made", "last login"), rows)


@users.command()
@click.argument("email")
def disable(email: str) -> None:
    """Let the account EMAIL in nowhere any more; its logins end, and its keys within seconds."""
    services = open_house()
    services.people.disable(services.accounts.number_of(email), COMMAND_LINE)
    click.echo(f"{email} is let in no more.", err=True)


@users.command()
@click.argument("email")
def enable(email: str) -> None:
    """Let the disabled account EMAIL in again."""
    services = open_house()
    services.people.enable(services.accounts.number_of(email), COMMAND_LINE)
    click.echo(f"{email} may log in again.", err=True)


@users.command()
@click.argument("email")
@click.option("--yes", is_flag=True, help="Do not ask.")
def delete(email: str, yes: bool) -> None:
    """Delete the account EMAIL for good, with its keys, logins, answers and pictures."""
    services = open_house()
    number = services.accounts.number_of(email)
    if not yes:
        click.confirm(f"Delete {email} with everything that is kept of it, for good?", abort=True, err=True)
    services.personal_data.delete(number, COMMAND_LINE)
    click.echo(f"{email} is deleted.", err=True)


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
