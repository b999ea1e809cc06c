"""A version in the shadow from the command line: begun, told of, and ended."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.composition import Services
from app.inference.pointer import Shadow
from app.services.audit_log import subject_of_model
from app.services.shadow_answers import ShadowAnswer, ShadowAnswers
from tests.cli.running import Run, output_of, refusal_of, rows_of
from tests.factories import publish

FOLLOW = "running workers follow within seconds."


@pytest.fixture(autouse=True)
def three(services: Services) -> None:
    """Publish three versions of a model, of which the first is active."""
    for _ in range(3):
        publish(services.repository)


def deeds_of(services: Services) -> list[tuple[str, str, str]]:
    return [(deed.actor, deed.action, deed.detail) for deed in services.audit_log.about(subject_of_model("shade"))]


def said(shadow_label: str | None, label: str = "light") -> ShadowAnswer:
    answer = ShadowAnswer("shade", "2", "1", None, label, 0.75, datetime.now(UTC), passed_over=2)
    if shadow_label is None:
        return answer
    return replace(answer, shadow_label=shadow_label, shadow_probability=0.5, difference=0.25, ms=12.34)


@pytest.mark.parametrize(("share", "words"), [("10%", "10 %"), ("0.1", "10 %"), ("1", "100 %")])
def test_a_shadow_is_begun_and_ended_and_both_are_written_down(
    vitrine: Run, services: Services, share: str, words: str
) -> None:
    ran = vitrine("models", "shadow", "shade", "2", "--share", share)
    assert (ran.code, ran.out) == (0, "")
    assert ran.err == f"shade 2 runs in the shadow, on {words} of the pictures; {FOLLOW}\n"
    assert [row[2] for row in rows_of(output_of(vitrine("models", "list"))) if row[0] == "shade"] == ["active", "shadow", ""]
    ran = vitrine("models", "shadow", "shade", "--off")
    assert (ran.code, ran.err) == (0, f"Nothing runs in the shadow of shade; {FOLLOW}\n")
    assert services.shadows.state("shade") is None
    assert deeds_of(services) == [
        ("command line", "shadow ended", "version 2"),
        ("command line", "shadow begun", f"version 2, on {words} of the pictures"),
    ]


def test_without_a_share_it_is_every_picture(vitrine: Run, services: Services) -> None:
    assert vitrine("models", "shadow", "shade", "3").code == 0
    assert services.shadows.state("shade") == Shadow("3", 1.0)


def test_it_is_told_what_runs_and_how_it_agrees(vitrine: Run, services: Services) -> None:
    assert output_of(vitrine("models", "shadow", "shade")) == "Nothing runs in the shadow of shade 1.\n"
    services.repository.begin_shadow("shade", "2", 0.25)
    lines = output_of(vitrine("models", "shadow", "shade")).splitlines()
    assert lines[0] == "shade 2 runs in the shadow of version 1, on 25 % of the pictures."
    assert lines[1] == "answered    0, of which 0 as version 1 did and 0 otherwise"
    answers = ShadowAnswers(sessions=services.sessions)
    answers.record([said("light"), said("light"), said("dark"), said("li\x1bght", "dark"), said("dark"), said(None)])
    assert output_of(vitrine("models", "shadow", "shade")).splitlines()[1:] == [
        "answered    5, of which 2 as version 1 did and 3 otherwise",
        "failed      1",
        "passed over 12",
        "difference  0.2500 on average, between the probabilities of the class that was answered",
        "time        12.3 ms a picture, decoding included",
        "     2 times light became dark",
        "     1 times dark became li\N{REPLACEMENT CHARACTER}ght",
    ]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("shade", "1"), "Version '1' of 'shade' is the active one, so it cannot be its own shadow."),
        (("shade", "9"), "There is no version '9' of a model called 'shade'."),
        (("shade", "2", "--share", "0"), "'0' is no share: it must be more than 0 and at most 1, or 100 %."),
        (("shade", "2", "--share", "some"), "'some' is no share: give a number from 0 to 1, or one with % behind it."),
        (("shade", "--off"), "No version of 'shade' runs in the shadow."),
        (("nothing",), "There is no model called 'nothing'."),
    ],
)
def test_what_cannot_be_is_refused_in_a_line(vitrine: Run, services: Services, words: tuple[str, ...], said: str) -> None:
    assert refusal_of(vitrine("models", "shadow", *words)) == said
    assert services.shadows.state("shade") is None


def test_to_end_it_takes_no_version(vitrine: Run, services: Services) -> None:
    services.repository.begin_shadow("shade", "2", 1)
    ran = vitrine("models", "shadow", "shade", "2", "--off")
    assert ran.code != 0
    assert re.search("Name no version", ran.err)
    assert services.shadows.state("shade") == Shadow("2", 1.0)


def test_without_a_database_it_is_begun_and_said_not_to_be_recorded(
    vitrine: Run, services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VITRINE_DATABASE_URL", f"sqlite:///{tmp_path}/no-such-folder/a.db")
    for words in (("shade", "2"), ("shade", "--off")):
        ran = vitrine("models", "shadow", *words)
        assert ran.code == 0
        assert ran.err.endswith("It could not be recorded who did this: the database cannot be opened or written to.\n")
    assert deeds_of(services) == []
