"""Importing: from a file to a published package, whatever the file is, and nothing published where it is refused."""

from __future__ import annotations

import hashlib
import importlib
import io
import pickle
import sys
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
import skops.io
from PIL import Image
from skl2onnx import to_onnx
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from app.composition import Services
from app.errors import InvalidModel, InvalidPackage, InvalidRequest, RecipeUndecided, UnsafeModel
from app.inference.predictor import Predictor
from app.inference.recipe import Recipe
from app.intake.pictures import rows_of
from app.intake.recipe_guess import RecipeWish
from app.intake.sandbox import Sandbox
from app.services.importing import Given, Imported, importing_into
from app.services.recorder import Owner
from tests.factories import make_picture, make_services
from tests.fakes import HereSandbox
from tests.intake.classifiers import digits

ROWS, LABELS = digits()
PIXELS = np.repeat(np.rint(ROWS[:300].reshape(-1, 8, 8, 1) * 255).astype(np.uint8), 3, axis=3)


@pytest.fixture
def services(tmp_path: Path) -> Services:
    return make_services(tmp_path, models=tmp_path / "shipped")


@pytest.fixture(scope="module")
def classifier() -> Any:
    return make_pipeline(StandardScaler(), LogisticRegression(max_iter=300)).fit(ROWS, LABELS)


def write(folder: Path, content: bytes, name: str = "model.bin") -> Path:
    (folder / name).write_bytes(content)
    return folder / name


def bring_in(services: Services, path: Path, *, sandbox: Sandbox | None = None, **given: Any) -> Imported:
    return importing_into(services.repository, sandbox or HereSandbox()).bring_in(Given(path, **{"name": "numbers", **given}))


def in_joblib(classifier: Any) -> bytes:
    file = io.BytesIO()
    joblib.dump(classifier, file, compress=3)
    return file.getvalue()


def digest_of(path: Path) -> str:
    return f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"


KIND = "StandardScaler + LogisticRegression"
KINDS = {
    "pickle": pickle.dumps,
    "joblib": in_joblib,
    "skops": skops.io.dumps,
    "onnx": lambda classifier: to_onnx(classifier, ROWS[:1].astype(np.float32)).SerializeToString(),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_of_every_kind_becomes_a_package_that_answers_as_it_did(
    services: Services, tmp_path: Path, classifier: Any, kind: str
) -> None:
    path = write(tmp_path, KINDS[kind](classifier))
    wish = RecipeWish(size="8x8", colour="grey")
    imported = bring_in(services, path, wish=wish, sandbox=Sandbox() if kind == "pickle" else None)
    manifest = imported.package.manifest
    assert (manifest.version, manifest.origin, manifest.runtime) == ("1", "imported", "onnx")
    assert manifest.classes == tuple(str(digit) for digit in range(10))
    assert manifest.summary == ("A classifier" if kind == "onnx" else KIND) + ", imported from a file."
    assert manifest.source is not None
    assert f"sha256:{manifest.source.sha256}" == digest_of(path)
    assert not manifest.source.trusted
    assert ("own network" in manifest.source.confinement) == (kind == "pickle")
    assert imported.package.pinned(next(file for file in manifest.digests if file.startswith("source."))) == path.read_bytes()
    answers = Predictor(services.repository.package("numbers")).probabilities(rows_of(PIXELS, manifest.recipe))
    assert np.abs(answers - classifier.predict_proba(rows_of(PIXELS, manifest.recipe))).max() < 1e-4


def test_an_mlflow_folder_is_its_model(services: Services, tmp_path: Path, classifier: Any) -> None:
    write(tmp_path, pickle.dumps(classifier), "model.pkl")
    (tmp_path / "MLmodel").write_text("flavors:\n  sklearn:\n    pickled_model: model.pkl\n    sklearn_version: 1.9.1\n")
    assert bring_in(services, tmp_path).report.estimators[0] == "Pipeline"


def test_what_is_imported_classifies_pictures(services: Services, tmp_path: Path, classifier: Any) -> None:
    bring_in(services, write(tmp_path, pickle.dumps(classifier)), labels=tuple("abcdefghij"))
    answer = services.classification.classify(make_picture((0, 0, 0)), owner=Owner(), model="numbers")
    expected = "abcdefghij"[int(classifier.predict(np.zeros((1, 64)))[0])]
    assert answer.prediction.top.label == expected


def test_the_card_tells_how_it_is_fed_and_what_nobody_knows(services: Services, tmp_path: Path, classifier: Any) -> None:
    card = bring_in(services, write(tmp_path, pickle.dumps(classifier))).package.card
    assert "A picture is stretched to 8 × 8 pixels; grey; 0 to 1; one flat row." in card
    assert "## What is not known" in card


def test_samples_are_among_the_pictures_of_the_proof(services: Services, tmp_path: Path) -> None:
    folder = tmp_path / "samples"
    folder.mkdir()
    (folder / "notes.txt").write_text("no picture")
    (folder / "one.png").write_bytes(make_picture((9, 9, 9), (40, 30)))
    tree = DecisionTreeClassifier(random_state=0).fit(ROWS, LABELS)
    assert bring_in(services, write(tmp_path, pickle.dumps(tree)), samples=folder).package.manifest.proof is not None
    (folder / "one.png").unlink()
    with pytest.raises(InvalidRequest, match="There is no picture in"):
        bring_in(services, write(tmp_path, pickle.dumps(tree)), samples=folder)


@pytest.fixture(scope="module")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Some digits as dark drawings on white, one folder a class."""
    folder = tmp_path_factory.mktemp("labelled")
    for number in range(120):
        target = folder / f"digit {LABELS[number]}"
        target.mkdir(exist_ok=True)
        Image.fromarray(255 - PIXELS[number]).save(target / f"{number}.png")
    return folder


def test_labelled_samples_tell_how_it_is_fed_and_what_its_numbers_are_called(
    services: Services, tmp_path: Path, labelled: Path
) -> None:
    path = write(tmp_path, pickle.dumps(DecisionTreeClassifier(random_state=0).fit(ROWS, LABELS)))
    imported = bring_in(services, path, samples=labelled)
    manifest = imported.package.manifest
    assert manifest.recipe == Recipe(8, 8, colour="grey", invert=True)
    assert manifest.classes == tuple(f"digit {digit}" for digit in range(10))
    assert imported.found is not None
    assert imported.found.finding.chosen == manifest.recipe
    assert "So fed, it was right on 100.0% of 120 labelled samples that came with it (95 % interval 96.9% to 100.0%)" in (
        imported.package.card
    )
    assert "how often it is right" not in imported.package.card


def test_what_was_said_is_measured_and_not_searched_for(services: Services, tmp_path: Path, labelled: Path) -> None:
    path = write(tmp_path, pickle.dumps(DecisionTreeClassifier(random_state=0).fit(ROWS, LABELS)))
    wish = RecipeWish(size="8x8", colour="grey", scale="0-1", fit="crop", layout="flat", invert=True)
    imported = bring_in(services, path, samples=labelled, wish=wish)
    assert imported.package.manifest.recipe == Recipe(8, 8, "crop", "grey", invert=True)
    assert imported.found is not None
    assert len(imported.found.finding.trials) == 1


def test_what_samples_leave_open_is_asked_and_taken_as_it_is_answered(
    services: Services, tmp_path: Path, labelled: Path
) -> None:
    # Nothing in it tells at which levels it learned, and the answers hardly depend on them.
    path = write(tmp_path, pickle.dumps(LogisticRegression(max_iter=300).fit(ROWS, LABELS)))
    service, given = importing_into(services.repository, HereSandbox()), Given(path, "numbers", samples=labelled)
    examined = service.examine(given)
    assert examined.recipe is None
    with pytest.raises(
        RecipeUndecided, match=r"Say which it is:\n.*--size 8x8 --colour grey --scale .* --layout flat --invert"
    ):
        service.complete(examined)
    with pytest.raises(RecipeUndecided):
        service.bring_in(given)
    assert "numbers" not in services.repository.names()
    chosen = Recipe(8, 8, colour="grey", invert=True)
    assert service.complete(examined, chosen).package.manifest.recipe == chosen


def test_too_few_samples_are_asked_about(services: Services, tmp_path: Path, labelled: Path) -> None:
    few = tmp_path / "few"
    for folder in labelled.iterdir():
        (few / folder.name).mkdir(parents=True)
        for file in sorted(folder.iterdir())[:2]:
            (few / folder.name / file.name).write_bytes(file.read_bytes())
    path = write(tmp_path, pickle.dumps(DecisionTreeClassifier(random_state=0).fit(ROWS, LABELS)))
    with pytest.raises(RecipeUndecided, match=r"^20 samples are too few to decide by: it takes 30\. Say which it is:"):
        bring_in(services, path, samples=few)


@pytest.mark.parametrize(
    ("given", "error", "sentence"),
    [
        ({"labels": ("a", "b")}, InvalidModel, "has 10 classes, but 2 labels"),
        ({"wish": RecipeWish(size="9x9")}, InvalidModel, "takes 64 numbers, but a rgb picture of 9x9 has 243"),
        ({"trust": "sha256:00"}, InvalidRequest, "The file's digest is sha256:"),
        ({"code": Path()}, InvalidRequest, "--code is taken only together with --trust"),
        ({"name": "../numbers"}, InvalidPackage, "cannot be called"),
    ],
)
def test_what_is_refused_is_not_published(
    services: Services, tmp_path: Path, classifier: Any, given: dict[str, Any], error: type[Exception], sentence: str
) -> None:
    with pytest.raises(error, match=sentence):
        bring_in(services, write(tmp_path, pickle.dumps(classifier)), **given)
    assert services.repository.names() == []


INK = """
from sklearn.base import BaseEstimator, TransformerMixin


class Ink(TransformerMixin, BaseEstimator):
    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return (X > 0.5).astype(float)
"""


@pytest.fixture
def inked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a pickle that needs a class of its owner's own, whose module is in the folder `code` beside it."""
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "vitrine_inking.py").write_text(INK)
    with monkeypatch.context() as patched:
        patched.syspath_prepend(tmp_path / "code")
        module = __import__("vitrine_inking")
        fitted = make_pipeline(module.Ink(), LogisticRegression(max_iter=300)).fit(ROWS, LABELS)
        file = write(tmp_path, pickle.dumps(fitted), "inked.pkl")
    # As in another process: the module is nowhere to be found.
    del sys.modules["vitrine_inking"]
    importlib.invalidate_caches()
    return file


def test_a_class_of_ones_own_is_named_with_the_way_out(services: Services, inked: Path) -> None:
    with pytest.raises(
        UnsafeModel, match=r"would use vitrine_inking\.Ink, .* --code FOLDER --trust sha256:[0-9a-f]{64}"
    ) as caught:
        bring_in(services, inked)
    assert caught.value.names == ("vitrine_inking.Ink",)


def test_a_pickle_that_is_vouched_for_is_served_itself_with_its_code(services: Services, inked: Path) -> None:
    given = {"trust": digest_of(inked), "code": inked.parent / "code", "wish": RecipeWish("8x8", "grey", "0-1")}
    imported = bring_in(services, inked, sandbox=Sandbox(), **given)
    manifest = imported.package.manifest
    assert manifest.source is not None
    assert manifest.source.trusted
    assert (manifest.runtime, manifest.artifact, manifest.proof) == ("sklearn", "source.pkl", None)
    assert "code/vitrine_inking.py" in manifest.digests
    answers = Predictor(imported.package).probabilities(rows_of(PIXELS, Recipe(8, 8, colour="grey")))
    assert (answers.argmax(axis=1) == LABELS[:300]).mean() > 0.8


def test_a_pickle_that_needs_no_trust_is_converted_all_the_same(services: Services, tmp_path: Path, classifier: Any) -> None:
    path = write(tmp_path, pickle.dumps(classifier))
    assert bring_in(services, path, trust=digest_of(path)).package.manifest.artifact == "model.onnx"
