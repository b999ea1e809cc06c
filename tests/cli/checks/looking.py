"""Making one check of a site, and what it found."""

from __future__ import annotations

from typing import Any

from app.cli.checks.finding import Case, Check, Finding, Level
from app.config import Settings


def look(check: Check, settings: Settings, **given: Any) -> list[Finding]:
    """Give what a check finds, all of it in sentences for one line; what is not well says how to mend it."""
    found = list(check(Case(settings, **given)))
    for finding in found:
        assert finding.what.endswith("."), finding
        assert "\n" not in finding.what + finding.mend, finding
        assert bool(finding.mend) == (finding.level is not Level.GOOD), finding
    return found


def only(check: Check, settings: Settings, **given: Any) -> Finding:
    """Give the one thing that a check finds."""
    (finding,) = look(check, settings, **given)
    return finding


def wrong(check: Check, settings: Settings, **given: Any) -> Finding:
    """Give the one thing that a check finds wrong, whatever else is well."""
    (finding,) = [finding for finding in look(check, settings, **given) if finding.level is not Level.GOOD]
    return finding


def assert_well(check: Check, settings: Settings, **given: Any) -> None:
    found = look(check, settings, **given)
    assert found
    assert {finding.level for finding in found} == {Level.GOOD}, found
