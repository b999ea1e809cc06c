"""Which version answers: changed for somebody, written down, and never undone for want of a record."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from app.composition import Services
from app.errors import AnswersFlip, InvalidPackage, InvalidRequest, ModelNotFound, VersionKept, VitrineError
from app.services.audit_log import COMMAND_LINE, Actor
from app.services.replay import Figures
from app.services.versions import Change
from tests.evidence import GREYS, publish_at
from tests.factories import make_services, publish


@pytest.fixture
def services(tmp_path: Path) -> Services:
    """Give services over three versions of a model, of which the first is active."""
    services = make_services(tmp_path)
    for _ in range(3):
        publish(services.repository)
    return services


def deeds(services: Services, name: str = "shade") -> list[tuple[str, str, str]]:
    return [(deed.actor, deed.action, deed.detail) for deed in services.versions.deeds(name)]


def test_an_activation_is_done_and_written_down(services: Services) -> None:
    ada = Actor("ada@example.org", services.accounts.create("ada@example.org", "correct horse battery"))
    assert services.versions.activate("shade", "3", ada) == Change("3", recorded=True)
    assert services.repository.active_version("shade") == "3"
    assert deeds(services) == [("ada@example.org", "activated", "version 3 in place of 1")]


def test_activating_the_active_version_replaces_nothing(services: Services) -> None:
    services.versions.activate("shade", "1", COMMAND_LINE)
    assert deeds(services) == [("command line", "activated", "version 1")]


def test_a_roll_back_leads_to_the_version_before_and_is_written_down(services: Services) -> None:
    services.versions.activate("shade", "3", COMMAND_LINE)
    assert services.versions.previous("shade") == "1"
    assert services.versions.roll_back("shade", COMMAND_LINE) == Change("1", recorded=True)
    assert services.repository.active_version("shade") == "1"
    assert deeds(services)[0] == ("command line", "rolled back", "from version 3 to 1")
    assert services.versions.previous("shade") is None


def test_a_version_that_is_gone_is_not_the_one_before(services: Services) -> None:
    for version in ("2", "3"):
        services.versions.activate("shade", version, COMMAND_LINE)
    services.versions.remove("shade", "2", COMMAND_LINE)
    assert services.versions.previous("shade") == "1"
    assert services.versions.roll_back("shade", COMMAND_LINE).active == "1"


def test_a_form_that_is_sent_twice_goes_back_once(services: Services) -> None:
    for version in ("2", "3"):
        services.versions.activate("shade", version, COMMAND_LINE)
    services.versions.roll_back("shade", COMMAND_LINE, leave="3")
    before = deeds(services)
    with pytest.raises(InvalidRequest, match="Version '3' of 'shade' is not the active one"):
        services.versions.roll_back("shade", COMMAND_LINE, leave="3")
    assert services.repository.active_version("shade") == "2"
    assert deeds(services) == before


def test_a_removal_is_done_and_written_down(services: Services) -> None:
    assert services.versions.remove("shade", "2", COMMAND_LINE).recorded
    assert services.repository.versions("shade") == ["1", "3"]
    assert deeds(services) == [("command line", "removed", "version 2")]


@pytest.mark.parametrize(
    ("refused", "error"),
    [
        (lambda services: services.versions.activate("shade", "9", COMMAND_LINE), ModelNotFound),
        (lambda services: services.versions.activate("nothing", "1", COMMAND_LINE), ModelNotFound),
        (lambda services: services.versions.roll_back("shade", COMMAND_LINE), ModelNotFound),
        (lambda services: services.versions.remove("shade", "1", COMMAND_LINE), VersionKept),
        (lambda services: services.versions.remove("digits", "1", COMMAND_LINE), VersionKept),
    ],
)
def test_what_is_refused_is_not_written_down(
    services: Services, refused: Callable[[Services], Change], error: type[VitrineError]
) -> None:
    with pytest.raises(error):
        refused(services)
    assert services.repository.active_version("shade") == "1"
    assert [deeds(services, name) for name in ("shade", "digits", "nothing")] == [[], [], []]


def test_what_cannot_be_written_down_is_done_all_the_same(services: Services) -> None:
    with services.engine.begin() as connection:
        connection.execute(text("DROP TABLE audit_log"))
    assert services.versions.activate("shade", "2", COMMAND_LINE) == Change("2", recorded=False)
    assert services.versions.roll_back("shade", COMMAND_LINE) == Change("1", recorded=False)
    assert not services.versions.remove("shade", "3", COMMAND_LINE).recorded
    assert services.repository.versions("shade") == ["1", "2"]


@pytest.fixture
def lines(tmp_path: Path) -> Services:
    """Give services over versions that draw the line at 128, 130, 160 and 10, of which the first is active."""
    services = make_services(tmp_path / "lines")
    for line in (128, 130, 160, 10):
        publish_at(services.repository, line, GREYS)
    return services


def test_what_a_replay_came_to_is_told_and_written_down(lines: Services) -> None:
    change = lines.versions.activate("shade", "2", COMMAND_LINE)
    assert change == Change("2", recorded=True, figures=Figures("1", "2", 4, 0))
    lines.versions.activate("shade", "3", COMMAND_LINE)
    assert [detail for _, _, detail in deeds(lines)] == [
        "version 3 in place of 2, 1 of 4 replayed pictures flipped",
        "version 2 in place of 1, 0 of 4 replayed pictures flipped",
    ]


def test_a_version_that_changes_too_much_waits_until_somebody_confirms_it(lines: Services) -> None:
    with pytest.raises(
        AnswersFlip, match=r"Version 4 answers 2 of 4 replayed pictures otherwise than version 1, .* nothing was"
    ):
        lines.versions.activate("shade", "4", COMMAND_LINE)
    assert (lines.repository.active_version("shade"), deeds(lines)) == ("1", [])
    assert lines.versions.activate("shade", "4", COMMAND_LINE, confirmed=True).figures == Figures("1", "4", 4, 2)
    assert deeds(lines)[0][2] == "version 4 in place of 1, 2 of 4 replayed pictures flipped"


def test_what_is_rehearsed_is_not_replayed_again_unless_another_version_answers_by_then(lines: Services) -> None:
    replay = lines.versions.rehearse("shade", "2")
    assert replay is not None
    told = Figures("1", "2", 50, 2)
    assert lines.versions.activate("shade", "2", COMMAND_LINE, figures=told).figures == told
    lines.versions.roll_back("shade", COMMAND_LINE)
    lines.versions.activate("shade", "3", COMMAND_LINE)
    assert lines.versions.activate("shade", "2", COMMAND_LINE, figures=told).figures == Figures("3", "2", 4, 1)
    with pytest.raises(AnswersFlip):
        lines.versions.activate("shade", "4", COMMAND_LINE, figures=told)


def test_a_roll_back_replays_nothing_whatever_it_changes(lines: Services) -> None:
    lines.versions.activate("shade", "4", COMMAND_LINE, confirmed=True)
    assert lines.versions.roll_back("shade", COMMAND_LINE) == Change("1", recorded=True)


def test_the_active_version_needs_no_rehearsal_and_one_that_is_not_there_has_none(lines: Services) -> None:
    assert lines.versions.rehearse("shade", "1") is None
    for name, version in (("shade", "9"), ("nothing", "1")):
        with pytest.raises(ModelNotFound):
            lines.versions.rehearse(name, version)


def test_a_version_that_cannot_answer_is_not_activated(lines: Services) -> None:
    (lines.repository.package("shade", "2").folder / "source.pkl").write_bytes(b"another")
    with pytest.raises(InvalidPackage):
        lines.versions.activate("shade", "2", COMMAND_LINE, confirmed=True)
    assert (lines.repository.active_version("shade"), deeds(lines)) == ("1", [])


def test_one_that_cannot_answer_any_more_is_replaced_all_the_same(lines: Services) -> None:
    (lines.repository.package("shade", "1").folder / "source.pkl").write_bytes(b"another")
    assert lines.versions.activate("shade", "2", COMMAND_LINE) == Change("2", recorded=True)
