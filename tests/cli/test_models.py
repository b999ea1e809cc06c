"""Models from the command line: what is served is listed, a version is chosen, a pickle is added."""

from __future__ import annotations

import pickle
import re
from pathlib import Path

import pytest

from app.composition import Services
from app.inference.package import Metric
from app.inference.recipe import Recipe
from tests.cli.running import Ran, Run, output_of, refusal_of, rows_of
from tests.factories import make_classifier, make_picture, publish
from tests.serving import RunningSite


def write_pickle(folder: Path, features: int = 12) -> Path:
    file = folder / "model.pkl"
    file.write_bytes(pickle.dumps(make_classifier(features=features)))
    return file


def digest_of(vitrine: Run, file: Path) -> str:
    """Give the words that vouch for a file, as the refusal of it spells them."""
    return refusal_of(vitrine("models", "add", file, "--name", "shade", "--size", "2x2")).split()[-1]


def add(vitrine: Run, file: Path, *words: str) -> Ran:
    return vitrine("models", "add", file, "--name", "shade", "--size", "2x2", "--trust", digest_of(vitrine, file), *words)


def listed(vitrine: Run, name: str) -> list[list[str]]:
    return [row for row in rows_of(output_of(vitrine("models", "list"))) if row[0] == name]


def test_the_shipped_models_are_listed_with_their_accuracy(vitrine: Run) -> None:
    rows = rows_of(output_of(vitrine("models", "list")))
    assert [[*row[:4], row[-1]] for row in rows] == [
        ["cats-vs-dogs", "1", "active", "2", "good"],
        ["digits", "1", "active", "10", "good"],
    ]
    assert all(re.fullmatch(r"9\d\.\d%", row[4]) for row in rows), rows


def test_every_version_is_listed_and_the_active_one_is_marked(vitrine: Run, services: Services) -> None:
    for accuracy in (0.75, 0.5, 0.25):
        publish(services.repository, metrics=(Metric("accuracy", accuracy),))
    services.repository.activate("shade", "2")
    assert listed(vitrine, "shade") == [
        ["shade", "1", "", "2", "75.0%", "good"],
        ["shade", "2", "active", "2", "50.0%", "good"],
        ["shade", "3", "", "2", "25.0%", "good"],
    ]


def test_a_model_without_a_measured_accuracy_has_none(vitrine: Run, services: Services) -> None:
    publish(services.repository)
    assert listed(vitrine, "shade") == [["shade", "1", "active", "2", "", "good"]]


def test_a_damaged_package_is_told_in_its_row(vitrine: Run, services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    (publish(services.repository).folder / "manifest.json").write_text("{")
    (row,) = listed(vitrine, "shade")
    assert row[:5] == ["shade", "1", "active", "", ""]
    assert "manifest" in row[5]
    assert listed(vitrine, "digits")[0][-1] == "good"


def test_another_version_answers_once_it_is_activated(vitrine: Run, services: Services) -> None:
    publish(services.repository)
    publish(services.repository)
    ran = vitrine("models", "activate", "shade", "2")
    assert (ran.code, ran.out) == (0, "")
    assert ran.err.startswith("shade 2 is active;")
    assert [row[2] for row in listed(vitrine, "shade")] == ["", "active"]


def test_the_first_command_that_writes_makes_a_private_folder(vitrine: Run, data: Path) -> None:
    assert vitrine("models", "activate", "digits", "1").code == 0
    assert data.stat().st_mode & 0o777 == 0o700


def test_a_version_that_there_is_not_cannot_be_activated(tmp_path: Path) -> None:
    ran = RunningSite(tmp_path).run("models", "activate", "digits", "7")
    refusal = refusal_of(Ran(ran.returncode, ran.stdout, ran.stderr))
    assert refusal == "There is no version '7' of a model called 'digits'."


def test_an_added_pickle_is_told_with_its_classes_and_answers(vitrine: Run, tmp_path: Path) -> None:
    ran = add(vitrine, write_pickle(tmp_path))
    assert ran == Ran(0, "shade 1 is added and active. Classes: dark, light.\n", "")
    photo = tmp_path / "photo.png"
    photo.write_bytes(make_picture((250, 250, 250)))
    assert "This image is a Light" in output_of(vitrine("predict", photo, "--model", "shade"))


def test_labels_are_taken_from_between_the_commas(vitrine: Run, services: Services, tmp_path: Path) -> None:
    printed = output_of(add(vitrine, write_pickle(tmp_path), "--labels", " deep night,Tag ,"))
    assert printed.endswith("Classes: deep night, Tag.\n")
    assert services.repository.package("shade").manifest.classes == ("deep night", "Tag")


def test_a_picture_is_seen_as_the_options_say(vitrine: Run, services: Services, tmp_path: Path) -> None:
    file = write_pickle(tmp_path, features=4)
    output_of(add(vitrine, file, "--colour", "grey", "--scale", "0-255", "--fit", "pad"))
    assert services.repository.package("shade").manifest.recipe == Recipe(2, 2, fit="pad", colour="grey", scale="0-255")


def test_what_is_not_said_of_a_picture_has_a_default(vitrine: Run, services: Services, tmp_path: Path) -> None:
    output_of(add(vitrine, write_pickle(tmp_path)))
    assert services.repository.package("shade").manifest.recipe == Recipe(2, 2, fit="stretch", colour="rgb", scale="0-1")


def test_a_pickle_that_nobody_vouches_for_is_not_taken(vitrine: Run, services: Services, tmp_path: Path) -> None:
    file = write_pickle(tmp_path)
    digest = digest_of(vitrine, file)
    file.write_bytes(file.read_bytes() + b"\0")
    ran = vitrine("models", "add", file, "--name", "shade", "--size", "2x2", "--trust", digest)
    assert "If you made model.pkl yourself" in refusal_of(ran)
    assert services.repository.versions("shade") == []


@pytest.mark.parametrize("option", ["--colour", "--scale", "--fit"])
def test_an_option_that_means_nothing_is_told(vitrine: Run, tmp_path: Path, option: str) -> None:
    ran = add(vitrine, write_pickle(tmp_path), option, "odd")
    assert (ran.code, ran.out) == (2, "")
    assert f"Invalid value for '{option}'" in ran.err


@pytest.mark.parametrize("option", ["--name", "--size"])
def test_a_model_needs_a_name_and_the_size_of_its_pictures(vitrine: Run, tmp_path: Path, option: str) -> None:
    given = {"--name": "shade", "--size": "2x2"}
    del given[option]
    ran = vitrine("models", "add", write_pickle(tmp_path), *(word for pair in given.items() for word in pair))
    assert (ran.code, ran.out) == (2, "")
    assert f"Missing option '{option}'" in ran.err
