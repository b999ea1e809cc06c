"""`vitrine audit`: what is written down, for other programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime

import click

from app.cli.house import open_house
from app.services.listings.deeds import ListedDeed
from app.services.spreadsheets import csv_pieces

_DAY = click.DateTime(["%Y-%m-%d"])


@click.group()
def audit() -> None:
    """Read the audit log."""


@audit.command()
@click.option("--format", "form", type=click.Choice(["json", "csv"]), default="json", help="JSON lines (the default), or CSV.")
@click.option("--since", type=_DAY, metavar="DAY", help="Nothing before this day (2026-11-29).")
@click.option("--until", type=_DAY, metavar="DAY", help="Nothing after this day.")
def export(form: str, since: datetime | None, until: datetime | None) -> None:
    """Print who did what, when and from where, newest first; nothing else goes to standard output."""
    deeds = open_house().lists.deeds
    days = {name: f"{day:%Y-%m-%d}" for name, day in (("since", since), ("until", until)) if day}
    batches = deeds.batches(deeds.read(days))
    pieces = csv_pieces([column.name for column in deeds.columns], batches) if form == "csv" else map(_lines, batches)
    _write(pieces)


def _write(pieces: Iterator[bytes]) -> None:
    for piece in pieces:
        sys.stdout.buffer.write(piece)
    sys.stdout.flush()


def _lines(batch: tuple[ListedDeed, ...]) -> bytes:
    lines = ({**asdict(deed), "at": deed.at.isoformat(timespec="seconds")} for deed in batch)
    return "".join(json.dumps(line) + "\n" for line in lines).encode()
