"""Which version answers: changed for somebody, written down, and never undone for want of a record."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from app.composition import Services
from app.errors import InvalidRequest, ModelNotFound, VersionKept, VitrineError
from app.services.audit_log import COMMAND_LINE, Actor
from app.services.versions import Change
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
