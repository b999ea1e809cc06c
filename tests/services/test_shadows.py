"""Shadows are begun and ended for somebody, and written down; shares are read as people write them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from app.composition import Services
from app.errors import InvalidRequest, ModelNotFound, VitrineError
from app.inference.pointer import Shadow
from app.services.audit_log import COMMAND_LINE, Actor
from app.services.shadows import share_in_words, share_of
from tests.factories import make_services, publish


@pytest.fixture
def services(tmp_path: Path) -> Services:
    """Give services over three versions of a model, of which the first is active."""
    services = make_services(tmp_path)
    for _ in range(3):
        publish(services.repository)
    return services


def deeds(services: Services) -> list[tuple[str, str, str]]:
    return [(deed.actor, deed.action, deed.detail) for deed in services.versions.deeds("shade")]


def test_both_ends_are_written_down(services: Services) -> None:
    ada = Actor("ada@example.org", services.accounts.create("ada@example.org", "correct horse battery"))
    assert services.shadows.begin("shade", "2", 0.125, ada)
    assert services.shadows.state("shade") == Shadow("2", 0.125)
    assert services.shadows.end("shade", ada, version="2")
    assert services.shadows.state("shade") is None
    assert deeds(services) == [
        ("ada@example.org", "shadow ended", "version 2"),
        ("ada@example.org", "shadow begun", "version 2, on 12.5 % of the pictures"),
    ]


def test_what_cannot_be_written_down_is_done_all_the_same(services: Services) -> None:
    with services.engine.begin() as connection:
        connection.execute(text("DROP TABLE audit_log"))
    assert not services.shadows.begin("shade", "2", 1, COMMAND_LINE)
    assert services.shadows.state("shade") == Shadow("2", 1.0)
    assert not services.shadows.end("shade", COMMAND_LINE)
    assert services.shadows.state("shade") is None


@pytest.mark.parametrize(
    ("refused", "error"),
    [
        (lambda shadows: shadows.begin("shade", "1", 1, COMMAND_LINE), InvalidRequest),
        (lambda shadows: shadows.begin("shade", "2", 2, COMMAND_LINE), InvalidRequest),
        (lambda shadows: shadows.begin("shade", "9", 1, COMMAND_LINE), ModelNotFound),
        (lambda shadows: shadows.end("shade", COMMAND_LINE), InvalidRequest),
    ],
)
def test_what_is_refused_is_not_written_down(
    services: Services, refused: Callable[..., object], error: type[VitrineError]
) -> None:
    with pytest.raises(error):
        refused(services.shadows)
    assert (services.shadows.state("shade"), deeds(services)) == (None, [])


def test_a_form_that_ends_what_runs_no_more_ends_nothing_else(services: Services) -> None:
    services.shadows.begin("shade", "3", 1, COMMAND_LINE)
    with pytest.raises(InvalidRequest, match="Version '2' of 'shade' runs in the shadow no more"):
        services.shadows.end("shade", COMMAND_LINE, version="2")
    assert services.shadows.state("shade") == Shadow("3", 1.0)


def test_figures_are_told_against_the_version_that_is_active_now(services: Services) -> None:
    assert services.shadows.agreement("shade", "2").against == "1"
    services.repository.activate("shade", "3")
    assert services.shadows.agreement("shade", "2").against == "3"
    assert services.shadows.disagreements("shade", "2", None) == []


@pytest.mark.parametrize(
    ("written", "share"), [("10%", 0.1), (" 2.5 % ", 0.025), ("100%", 1.0), ("0.1", 0.1), ("1", 1.0), ("0.01%", 0.0001)]
)
def test_a_share_is_read_as_people_write_it(written: str, share: float) -> None:
    assert share_of(written) == pytest.approx(share)


@pytest.mark.parametrize("written", ["", "%", "ten", "0", "0%", "-1%", "101%", "1.1", "nan", "inf%", "10%%", "0,1", "5 % off"])
def test_what_is_no_share_is_refused(written: str) -> None:
    with pytest.raises(InvalidRequest, match="is no share"):
        share_of(written)


@pytest.mark.parametrize(("share", "words"), [(1, "100 %"), (0.07, "7 %"), (1 / 3, "33.33 %"), (0.0001, "0.01 %")])
def test_a_share_is_said_in_words(share: float, words: str) -> None:
    assert share_in_words(share) == words
