"""Predictions without a server: the site's own answers, and nothing kept of them."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from app.composition import Services
from app.inference.naming import percent
from app.inference.prediction import Prediction
from app.services.recorder import Owner
from app.storage.tables import StoredPrediction
from tests.cli.running import Ran, Run, output_of
from tests.factories import CAT, DOG, EIGHT, make_picture, make_services, publish


def answer_for(folder: Path, photo: Path, model: str | None = None) -> Prediction:
    """Give what the site would answer."""
    services = make_services(folder)
    return services.classification.classify(photo.read_bytes(), owner=Owner(), model=model).prediction


def json_lines(ran: Ran) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output_of(ran).splitlines()]


def test_a_sentence_says_what_is_on_the_photo(vitrine: Run, tmp_path: Path) -> None:
    expected = percent(answer_for(tmp_path / "site", CAT).top.probability)
    assert vitrine("predict", CAT) == Ran(0, f"{CAT}: This image is a Cat ({expected})\n", "")


def test_another_model_answers_where_it_is_named(vitrine: Run) -> None:
    assert output_of(vitrine("predict", EIGHT, "--model", "digits")).startswith(f"{EIGHT}: This image is an 8 (")


def test_a_class_is_called_by_its_title(vitrine: Run, services: Services, tmp_path: Path) -> None:
    publish(services.repository, titles={"light": "the bright side"})
    photo = tmp_path / "light.png"
    photo.write_bytes(make_picture((250, 250, 250)))
    assert "This image is the bright side (" in output_of(vitrine("predict", photo, "--model", "shade"))


def test_json_holds_exactly_what_the_site_answers(vitrine: Run, tmp_path: Path) -> None:
    expected = answer_for(tmp_path / "site", EIGHT, "digits")
    (found,) = json_lines(vitrine("predict", EIGHT, "--model", "digits", "--json"))
    assert found == {
        "file": str(EIGHT),
        "model": {"name": "digits", "version": "1"},
        "label": "8",
        "probability": expected.top.probability,
        "predictions": [asdict(score) for score in expected.scores],
    }
    assert len(found["predictions"]) == 10


def test_each_photo_gets_its_line_in_the_order_given(vitrine: Run) -> None:
    lines = json_lines(vitrine("predict", "--json", DOG, CAT, DOG))
    assert [(line["file"], line["label"]) for line in lines] == [(str(DOG), "dog"), (str(CAT), "cat"), (str(DOG), "dog")]


def test_the_named_version_answers_else_the_active_one(vitrine: Run, tmp_path: Path) -> None:
    repository = make_services(tmp_path).repository
    publish(repository)
    publish(repository)
    photo = tmp_path / "light.png"
    photo.write_bytes(make_picture((250, 250, 250)))
    versions = [
        json_lines(vitrine("predict", photo, "--model", "shade", "--json", *words))[0]["model"]["version"]
        for words in ([], ["--version", "2"])
    ]
    assert versions == ["1", "2"]


def test_a_photo_that_cannot_be_read_is_told_and_the_others_are_answered(vitrine: Run, tmp_path: Path) -> None:
    note, missing = tmp_path / "note.txt", tmp_path / "no.jpg"
    note.write_text("no picture")
    ran = vitrine("predict", note, CAT, missing, tmp_path, DOG)
    assert ran.code == 1
    assert [line.partition(": ")[0] for line in ran.out.splitlines()] == [str(CAT), str(DOG)]
    told = dict(line.split(": ", 1) for line in ran.err.splitlines())
    assert list(told) == [str(note), str(missing), str(tmp_path)]
    assert told[str(missing)] == "This file cannot be opened (No such file or directory)."
    assert told[str(tmp_path)] == "This file cannot be opened (Is a directory)."


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--model", "birds"), "There is no model called 'birds'."),
        (("--model", "digits", "--version", "7"), "There is no version '7' of a model called 'digits'."),
    ],
)
def test_a_model_that_there_is_not_is_told(vitrine: Run, words: tuple[str, ...], sentence: str) -> None:
    assert vitrine("predict", EIGHT, *words) == Ran(1, "", f"{EIGHT}: {sentence}\n")


def test_the_limits_of_the_site_hold_here_too(vitrine: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VITRINE_MAX_SIDE", "7")
    ran = vitrine("predict", EIGHT, "--model", "digits")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith(f"{EIGHT}: ")


def test_the_default_model_is_the_sites(vitrine: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VITRINE_DEFAULT_MODEL", "digits")
    assert json_lines(vitrine("predict", EIGHT, "--json"))[0]["model"]["name"] == "digits"


def test_a_photo_is_needed(vitrine: Run) -> None:
    ran = vitrine("predict")
    assert (ran.code, ran.out) == (2, "")
    assert "Missing argument 'PHOTOS...'" in ran.err


def test_nothing_is_stored(vitrine: Run, services: Services) -> None:
    output_of(vitrine("predict", CAT))
    with services.sessions() as session:
        assert session.scalars(select(StoredPrediction)).all() == []
    assert not (services.settings.data / "pictures").exists()
