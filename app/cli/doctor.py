"""`vitrine doctor`: what is wrong with the site, and how to mend it; nothing is changed."""

from __future__ import annotations

import json
import logging
import sys
import warnings
from collections.abc import Iterator

import click
import structlog

from app.cli.checks.address import online_address, public_address, running_site
from app.cli.checks.clock import clock
from app.cli.checks.configuration import agreement, letters
from app.cli.checks.database import database
from app.cli.checks.disk import disk
from app.cli.checks.finding import Case, Check, Finding, Level, error
from app.cli.checks.machine import confinement, libraries, open_files, redis, resources
from app.cli.checks.models import models
from app.cli.checks.permissions import data_folder, key_of_the_site, writers_of_models
from app.cli.checks.reading import read_settings
from app.cli.checks.store import store
from app.cli.tables import plain
from app.errors import InvalidSettings, VitrineError

CHECKS: tuple[tuple[str, Check], ...] = (
    ("settings", agreement),
    ("libraries", libraries),
    ("secret key", key_of_the_site),
    ("letters", letters),
    ("data folder", data_folder),
    ("disk", disk),
    ("database", database),
    ("clock", clock),
    ("redis", redis),
    ("store", store),
    ("models", writers_of_models),
    ("models", models),
    ("imports", confinement),
    ("machine", resources),
    ("machine", open_files),
    ("address", public_address),
    ("address", running_site),
    ("address", online_address),
)
_COLOURS = {Level.GOOD: "green", Level.WARNING: "yellow", Level.ERROR: "red"}


@click.command()
@click.option("--online", is_flag=True, help="Ask the running site and its public address over the network, too.")
@click.option("--quiet", is_flag=True, help="Print only what is wrong.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def doctor(online: bool, quiet: bool, as_json: bool) -> None:
    """Look the site over, and say what is wrong and how to mend it, one line each; nothing is changed.

    The exit code is 0 where all is well, 1 where the worst is a warning, 2 where it is an error. Beside the database, the
    Redis and the store that the settings name nobody is asked anything, unless --online says so.
    """
    # What is logged meanwhile is told as a finding.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    worst, told = Level.GOOD, []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for about, finding in examine(online=online):
            worst = max(worst, finding.level)
            if quiet and finding.level is Level.GOOD:
                continue
            if as_json:
                level = finding.level.name.lower()
                told.append({"about": about, "level": level, "what": finding.what, "mend": finding.mend})
            else:
                click.echo(_line(about, finding))
    if as_json:
        click.echo(json.dumps({"level": worst.name.lower(), "findings": told}, indent=2))
    sys.exit(int(worst))


def examine(*, online: bool) -> Iterator[tuple[str, Finding]]:
    """Make every check, and give what each finds with what it is about; one that fails itself stops no other."""
    try:
        settings, found = read_settings()
    except InvalidSettings as wrong:
        yield "settings", error(str(wrong), "docs/settings.md lists every setting with its meaning.")
        return
    yield from (("settings", finding) for finding in found)
    case = Case(settings, online=online)
    for about, check in CHECKS:
        try:
            for finding in check(case):
                yield about, finding
        except Exception as fault:  # whatever is broken may break a check in a way that nobody thought of
            yield about, error(f"This could not be looked at: {_reason(fault)}.", "Mend what else is told; then ask again.")


def _reason(fault: Exception) -> str:
    """Give what may be told of a fault: of one that nobody thought of only what it is called, for it may hold a secret."""
    if isinstance(fault, VitrineError):
        return str(fault).rstrip(".")
    return fault.strerror if isinstance(fault, OSError) and fault.strerror else type(fault).__name__


def _line(about: str, finding: Finding) -> str:
    level = click.style(f"{finding.level.name.lower():<8}", fg=_COLOURS[finding.level])
    mend = f" → {plain(finding.mend)}" if finding.mend else ""
    return f"{level} {about}: {plain(finding.what)}{mend}"
