"""What is told of a version: the words of its proof, of its answers and of where it came from."""

from __future__ import annotations

from dataclasses import astuple

import pytest

from app.inference.provenance import Answers, Candidate, Proof
from app.inference.recipe import Recipe
from app.services.version_report import ProofReport, describe_recipe, report_on
from tests.factories import make_manifest, make_proof, make_source


def told(proof: Proof, runtime: str = "sklearn") -> ProofReport:
    report = report_on(make_manifest(proof=proof, runtime=runtime)).proof
    assert report is not None
    return report


def serving(labels: int = 256, difference: float | None = 2e-7) -> Proof:
    return make_proof(candidates=(Candidate("sklearn", labels, difference, 1.0, 2.0),))


@pytest.mark.parametrize(
    ("proof", "sentence"),
    [
        (serving(), "Proven on 256 pictures: every label equal, largest difference 2e-7."),
        (serving(difference=1.4e-16), "Proven on 256 pictures: every label equal, largest difference 1e-16."),
        (serving(difference=0.0312), "Proven on 256 pictures: every label equal, largest difference 0.03."),
        (serving(difference=0.0), "Proven on 256 pictures: every label equal, no difference."),
        (serving(difference=None), "Proven on 256 pictures: every label equal."),
        (serving(labels=255), "Proven on 256 pictures: 255 labels equal, largest difference 2e-7."),
        (
            make_proof(pictures=1, candidates=(Candidate("sklearn", 1, 0.0),)),
            "Proven on 1 picture: every label equal, no difference.",
        ),
    ],
)
def test_the_proof_of_the_form_that_serves_is_one_sentence(proof: Proof, sentence: str) -> None:
    assert told(proof).sentence == sentence


@pytest.mark.parametrize(("runtime", "difference"), [("sklearn", "2e-7"), ("onnx", "3e-6")])
def test_the_sentence_is_of_the_form_that_serves(runtime: str, difference: str) -> None:
    proof = make_proof(candidates=(Candidate("sklearn", 256, 2e-7), Candidate("onnx", 256, 3e-6)))
    assert told(proof, runtime).sentence.endswith(f"largest difference {difference}.")
    assert [row.form for row in told(proof, runtime).rows if row.serves] == [
        {"sklearn": "scikit-learn", "onnx": "ONNX"}[runtime]
    ]


@pytest.mark.parametrize("candidates", [(), (Candidate("sklearn", 200, 0.3, refused="56 labels differ"),)])
def test_a_proof_that_no_form_passed_does_not_say_proven(candidates: tuple[Candidate, ...]) -> None:
    assert told(make_proof(candidates=candidates)).sentence == (
        "Compared on 256 pictures; no other form answered as the source does."
    )


@pytest.mark.parametrize(("rarest", "often"), [(0, "never"), (1, "only once"), (7, "only 7 times")])
def test_a_weak_proof_says_so_in_words(rarest: int, often: str) -> None:
    assert told(make_proof(weak=True, rarest=rarest)).weakness.startswith(f"Weak proof: some class was {often} the answer")
    assert told(make_proof(weak=False, rarest=rarest)).weakness == ""


def test_every_form_has_a_row_beside_the_file_as_it_was_given() -> None:
    assert [astuple(row) for row in told(make_proof()).rows] == [
        ("as given", False, "–", "–", "0.60", "12.3", ""),
        ("scikit-learn", True, "256/256", "2e-7", "0.41", "3.25", ""),
        ("ONNX", False, "255/256", "0.04", "0.20", "1.50", "one label differs"),
        ("forest", False, "–", "–", "–", "–", "it holds trees only"),
    ]


def test_a_form_of_which_every_label_differs_was_compared_all_the_same() -> None:
    (_, row) = told(make_proof(candidates=(Candidate("onnx", 0, 0.9, 1.0, 123.4, "all labels differ"),))).rows
    assert (row.labels, row.difference, row.batch_ms) == ("0/256", "0.9", "123")


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ("predict_proba", ""),
        ("decision_function", "scores, not probabilities"),
        ("logits", "The network gives logits; what is shown is their softmax."),
        ("predict", "a label only"),
    ],
)
def test_how_probabilities_come_about_is_told_where_they_are_not_the_classifiers_own(answers: Answers, words: str) -> None:
    report = report_on(make_manifest(answers=answers))
    assert words in report.answers
    assert bool(report.answers) is bool(words)


def test_a_pickle_that_was_vouched_for_is_told_as_one() -> None:
    assert report_on(make_manifest(source=make_source(trusted=True))).trusted == "Served as the pickle its owner vouched for."
    assert report_on(make_manifest(source=make_source())).trusted == report_on(make_manifest()).trusted == ""


def test_where_a_version_came_from_is_told() -> None:
    report = report_on(make_manifest(source=make_source(format="joblib")))
    assert report.origin == "imported from a joblib file"
    assert report.confinement == "limits on memory and time, no network, few system calls"
    assert (report.holds, report.written_with) == ("LogisticRegression", "scikit-learn 1.3.2")
    forest = make_source(estimators=("a.RandomForestClassifier", "b.DecisionTreeClassifier", "b.DecisionTreeClassifier"))
    assert report_on(make_manifest(source=forest)).holds == "RandomForestClassifier, DecisionTreeClassifier"
    assert report_on(make_manifest(source=make_source(confinement=()))).confinement == "nothing"
    assert report_on(make_manifest(source=make_source(confinement=("a new one",)))).confinement == "a new one"


@pytest.mark.parametrize(("origin", "words"), [("trained", "trained"), ("imported", "imported")])
def test_a_version_without_a_source_tells_only_its_origin(origin: str, words: str) -> None:
    report = report_on(make_manifest(origin=origin))
    assert (report.origin, report.confinement, report.holds, report.written_with, report.proof) == (words, "", "", "", None)


def test_differences_of_libraries_are_told_of_the_source_and_of_today() -> None:
    report = report_on(make_manifest(source=make_source(), libraries={"scikit-learn": "0.1.0"}))
    assert report.differences[0] == "Written with scikit-learn 1.3.2, opened with 1.9.1."
    assert report.differences[1].startswith("Made with scikit-learn 0.1.0; this site runs 1.")


@pytest.mark.parametrize(
    ("recipe", "words"),
    [
        (Recipe(32, 24), "stretched to 32 × 24 pixels; RGB; 0 to 1; one flat row"),
        (
            Recipe(8, 8, "pad", "grey", "0-16", "height-width-channels", invert=True),
            "padded to 8 × 8 pixels; grey; 0 to 16; inverted; rows, columns, colours",
        ),
        (
            Recipe(9, 9, "crop", "bgr", "-1-1", "channels-height-width"),
            "cropped to 9 × 9 pixels; BGR; -1 to 1; colours, rows, columns",
        ),
        (
            Recipe(9, 9, scale="0-255", layout="flat-channels-first"),
            "stretched to 9 × 9 pixels; RGB; 0 to 255; one flat row, colour by colour",
        ),
    ],
)
def test_a_recipe_is_told_in_words(recipe: Recipe, words: str) -> None:
    assert describe_recipe(recipe) == words
