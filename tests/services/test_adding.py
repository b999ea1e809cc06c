"""Adding a given pickle: vouched for by its digest, checked, and active."""

from __future__ import annotations

import hashlib
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier

from app.composition import Services
from app.errors import InvalidModel, InvalidPackage, InvalidRequest
from app.inference.package import ModelPackage
from app.services.adding import AddingService
from app.services.recorder import Owner
from tests.factories import make_classifier, make_picture, make_services


@pytest.fixture
def services(tmp_path: Path) -> Services:
    return make_services(tmp_path, models=tmp_path / "shipped")


def write(folder: Path, found: Any) -> Path:
    file = folder / "model.pkl"
    file.write_bytes(found if isinstance(found, bytes) else pickle.dumps(found))
    return file


def trust_in(file: Path) -> str:
    return f"sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}"


def add(services: Services, file: Path, name: str = "shade", **given: Any) -> ModelPackage:
    options = {"size": "2x2", "colour": "rgb", "scale": "0-1", "fit": "stretch", "labels": (), "trust": None, **given}
    options["trust"] = trust_in(file) if options["trust"] is None else options["trust"]
    return AddingService(repository=services.repository).add(file, name, **options)


def assert_refused(services: Services, file: Path, sentence: str, error: type[Exception] = InvalidModel, **given: Any) -> None:
    with pytest.raises(error, match=sentence):
        add(services, file, **given)
    assert services.repository.names() == []


class Trap:
    """A pickle that makes a file when it is opened."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self._file,)


def test_an_added_classifier_answers(services: Services, tmp_path: Path) -> None:
    package = add(services, write(tmp_path, make_classifier()))
    assert (package.manifest.classes, package.manifest.origin) == (("dark", "light"), "imported")
    assert (package.folder / "source.pkl").read_bytes() == (tmp_path / "model.pkl").read_bytes()
    assert package.card.startswith("# shade\n")
    answer = services.classification.classify(make_picture((250, 250, 250)), owner=Owner(), model="shade")
    assert answer.prediction.top.label == "light"


def test_a_second_one_of_the_name_is_active_at_once(services: Services, tmp_path: Path) -> None:
    add(services, write(tmp_path, make_classifier()))
    add(services, write(tmp_path, make_classifier(("a", "b", "c"))))
    active = services.repository.package("shade").manifest
    assert (active.version, active.classes) == ("2", ("a", "b", "c"))


@pytest.mark.parametrize("trust", ["", "yes", "sha256:", "sha256:" + "0" * 64])
def test_what_nobody_vouches_for_is_not_opened(services: Services, tmp_path: Path, trust: str) -> None:
    file = write(tmp_path, Trap(tmp_path / "sprung"))
    with pytest.raises(InvalidRequest) as refusal:
        add(services, file, trust=trust)
    assert f"--trust {trust_in(file)}" in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert not (tmp_path / "sprung").exists()
    assert services.repository.names() == []


def test_the_digest_may_be_written_in_capitals(services: Services, tmp_path: Path) -> None:
    file = write(tmp_path, make_classifier())
    assert add(services, file, trust=trust_in(file).upper()).manifest.version == "1"


def test_a_file_that_is_not_there_is_told(services: Services, tmp_path: Path) -> None:
    assert_refused(services, tmp_path / "no.pkl", r"no\.pkl cannot be opened", InvalidRequest, trust="sha256:0")


@pytest.mark.parametrize("size", ["", "2", "2*2", "2x", "x2", "-2x2", "2x2x3", "20000x2", "2.5x2", " 2x2"])
def test_what_is_no_size_is_refused(services: Services, tmp_path: Path, size: str) -> None:
    assert_refused(services, write(tmp_path, make_classifier()), "is no size", InvalidRequest, size=size)


def test_a_size_that_does_not_fit_is_told_with_both_numbers(services: Services, tmp_path: Path) -> None:
    file = write(tmp_path, make_classifier())
    assert_refused(services, file, r"takes 12 numbers, but a rgb picture of 3x3 has 27", size="3x3")
    assert_refused(services, file, r"takes 12 numbers, but a grey picture of 2x2 has 4", colour="grey")
    assert_refused(services, file, r"takes 12 numbers, but a rgb picture of 0x0 has 0", size="0x0")


def test_labels_are_taken_in_the_classifiers_order(services: Services, tmp_path: Path) -> None:
    package = add(services, write(tmp_path, make_classifier()), labels=["Nacht", "Tag"])
    assert package.manifest.classes == ("Nacht", "Tag")


def test_a_wrong_number_of_labels_is_told(services: Services, tmp_path: Path) -> None:
    assert_refused(services, write(tmp_path, make_classifier()), "has 2 classes, but 3 labels", labels=["a", "b", "c"])


@pytest.mark.parametrize("found", [{"no": "classifier"}, b"no pickle", b""])
def test_what_is_no_classifier_is_told(services: Services, tmp_path: Path, found: Any) -> None:
    assert_refused(services, write(tmp_path, found), "The pickle")


def test_a_classifier_that_does_not_answer_is_told(services: Services, tmp_path: Path) -> None:
    broken = make_classifier()
    del broken.n_features_in_
    broken.coef_ = broken.coef_[:, :5]
    assert_refused(services, write(tmp_path, broken), "does not answer for such a picture")


def test_a_classifier_with_several_answers_a_picture_is_told(services: Services, tmp_path: Path) -> None:
    rows = np.linspace(0, 1, 120).reshape(10, 12)
    several = KNeighborsClassifier(1).fit(rows, np.array([[0, 1], [1, 0]] * 5))
    assert_refused(services, write(tmp_path, several), "more than one answer")


@pytest.mark.parametrize("name", ["", "Shade", "../shade", "a/b"])
def test_a_name_that_is_none_is_refused(services: Services, tmp_path: Path, name: str) -> None:
    assert_refused(services, write(tmp_path, make_classifier()), "cannot be called", InvalidPackage, name=name)
