"""The audit log for other programs: whole, newest first, and nothing else on standard output."""

from __future__ import annotations

import csv
import json
from io import StringIO

import pytest

from app.composition import Services
from app.services.audit_log import COMMAND_LINE, Actor
from tests.cli.running import Run, output_of


@pytest.fixture
def written(services: Services) -> Services:
    services.audit_log.record(COMMAND_LINE, "imported", "model:shade", "version 1\nand a second line")
    services.audit_log.record(Actor("ada@example.org", None, "192.0.2.7"), "activated", "model:shade", "=1+1")
    return services


def test_every_deed_is_a_line_of_json(vitrine: Run, written: Services) -> None:
    lines = [json.loads(line) for line in output_of(vitrine("audit", "export")).splitlines()]
    assert [line.pop("at")[-6:] for line in lines] == ["+00:00", "+00:00"]
    assert lines == [
        {
            "id": 2,
            "actor": "ada@example.org",
            "action": "activated",
            "subject": "model:shade",
            "detail": "=1+1",
            "address": "192.0.2.7",
        },
        {
            "id": 1,
            "actor": "command line",
            "action": "imported",
            "subject": "model:shade",
            "detail": "version 1\nand a second line",
            "address": None,
        },
    ]


def test_as_a_file_for_a_spreadsheet_nothing_in_it_is_run(vitrine: Run, written: Services) -> None:
    head, *rows = csv.reader(StringIO(output_of(vitrine("audit", "export", "--format", "csv")), newline=""))
    assert head == ["at", "actor", "action", "subject", "detail", "address"]
    assert [row[4] for row in rows] == ["'=1+1", "version 1\nand a second line"]


def test_only_the_days_that_are_asked_for_are_told(vitrine: Run, written: Services) -> None:
    assert output_of(vitrine("audit", "export", "--since", "2200-01-01")) == ""
    assert output_of(vitrine("audit", "export", "--until", "2001-01-01")) == ""
    assert len(output_of(vitrine("audit", "export", "--since", "2001-01-01", "--until", "2200-01-01")).splitlines()) == 2


def test_what_is_no_day_is_refused(vitrine: Run, written: Services) -> None:
    assert vitrine("audit", "export", "--since", "yesterday").code == 2
