"""What is told of a replay: what was replayed, that kept pictures are smaller, and what was left out."""

from __future__ import annotations

import pytest

from app.inference.prediction import ClassScore
from app.services.kept_pictures import KeptPicture
from app.services.recorder import Owner
from app.services.replay import Compared, Replay, SamplePicture
from app.services.replay_report import report_replay

SURE = ClassScore("light", 0.9)
SAMPLE = Compared(SamplePicture("1", "samples/a.png", "A light square"), SURE, SURE)
KEPT = Compared(KeptPicture("01K9Z3N2V6Q8R4T7W1X5Y0B3CD", Owner(account=1)), SURE, SURE)


@pytest.mark.parametrize(
    ("compared", "sentence"),
    [
        ((SAMPLE,), "Replayed: 1 sample picture."),
        ((SAMPLE, SAMPLE), "Replayed: 2 sample pictures."),
        ((KEPT,), "Replayed: the newest picture that is kept of this model's answers."),
        ((KEPT, KEPT), "Replayed: the 2 newest pictures that are kept of this model's answers."),
        (
            (SAMPLE, KEPT, KEPT, KEPT),
            "Replayed: 1 sample picture, and the 3 newest pictures that are kept of this model's answers.",
        ),
    ],
)
def test_it_is_said_what_was_replayed_and_that_kept_pictures_are_smaller(compared: tuple[Compared, ...], sentence: str) -> None:
    told = report_replay(Replay("1", "2", compared))
    assert told[0] == sentence
    assert [line for line in told[1:] if "small copies of what was sent" in line] == list(told[1:])
    assert len(told) == (2 if KEPT in compared else 1)


def test_what_was_not_replayed_is_said_too() -> None:
    told = report_replay(Replay("1", "2", (SAMPLE,), passed_over=1, left=57, trouble="A trouble."))
    assert told[1:] == (
        "1 picture could not be answered again: gone, or not to be read.",
        "For 57 more there was no time.",
        "A trouble.",
    )
    assert report_replay(Replay("1", "2", (SAMPLE,), passed_over=3))[1].startswith("3 pictures could not")


def test_where_nothing_was_replayed_it_says_so_plainly_and_why() -> None:
    (only,) = report_replay(Replay("1", "2"))
    assert only == (
        "Nothing was replayed, so nobody knows yet which answers change: "
        "neither version came with samples, and no picture is kept of this model's answers."
    )
    assert report_replay(Replay("1", "2", trouble="A trouble.")) == (
        "Nothing was replayed, so nobody knows yet which answers change.",
        "A trouble.",
    )
