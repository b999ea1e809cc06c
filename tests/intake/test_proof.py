"""The proof: what agrees is taken, what does not is refused with the reason, and what cannot be shown stays as it is."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler
from sklearn.tree import DecisionTreeClassifier

from app.inference.provenance import Features
from app.inference.recipe import Recipe
from app.intake import proof
from app.intake.forms import archive, makers
from app.intake.proof import Exhausted, prove, prove_only
from app.intake.served_form import CannotHold, Form
from app.intake.source_model import SourceModel
from tests.intake.classifiers import digits

RECIPE = Recipe(8, 8, colour="grey", scale="0-1")
ROWS, LABELS = digits()


def model_of(classifier: Any, rows: Any = ROWS, labels: Any = LABELS) -> SourceModel:
    return SourceModel(classifier.fit(rows, labels), RECIPE)


@pytest.fixture(scope="module")
def linear() -> SourceModel:
    return model_of(LogisticRegression(max_iter=300))


def offered(monkeypatch: pytest.MonkeyPatch, *forms: Any) -> None:
    """Let these forms, or what is raised instead, be all there is to choose from."""

    def make(form: Any) -> Form:
        if isinstance(form, Exception):
            raise form
        return form  # type: ignore[no-any-return] # a form where it is no exception

    monkeypatch.setattr(proof, "makers", lambda _: [(name, lambda form=form: make(form)) for name, form in forms])


def test_the_first_form_that_agrees_is_served(linear: SourceModel) -> None:
    outcome = prove(linear, ROWS)
    assert outcome.form.runtime == "onnx"
    forest, onnx, sklearn = outcome.proof.candidates
    assert forest.refused == "It is no ensemble of trees."
    assert (onnx.refused, onnx.labels_equal, sklearn.labels_equal) == ("", len(ROWS), len(ROWS))
    assert onnx.largest_difference is not None
    assert 0 < onnx.largest_difference < outcome.proof.tolerance == 1e-3
    assert min(onnx.one_ms or 0, onnx.batch_ms or 0, outcome.proof.source_one_ms, outcome.proof.source_batch_ms) > 0


def test_differing_labels_refuse_a_form(linear: SourceModel, monkeypatch: pytest.MonkeyPatch) -> None:
    coarse = _graph_of(model_of(LogisticRegression(C=1e-3, max_iter=300), ROWS[:200], LABELS[:200]))
    offered(monkeypatch, ("onnx", coarse), ("sklearn", archive(linear)))
    outcome = prove(linear, ROWS)
    assert outcome.form.runtime == "sklearn"
    assert outcome.proof.candidates[0].refused.endswith(f"of {len(ROWS)} pictures get another label.")


def test_one_differing_label_is_enough(linear: SourceModel, monkeypatch: pytest.MonkeyPatch) -> None:
    edge = ROWS[:1]
    for _ in range(60):  # to where the two most probable classes are equally so
        values = linear.classifier.decision_function(edge)[0]
        second, best = np.argsort(values)[-2:]
        direction = linear.classifier.coef_[second] - linear.classifier.coef_[best]
        edge = edge + (values[best] - values[second] - 1e-7) * direction / (direction @ direction)
    tilted = SourceModel(LogisticRegression(max_iter=300).fit(ROWS, LABELS), RECIPE)
    tilted.classifier.intercept_[second] += 1e-5
    offered(monkeypatch, ("onnx", _graph_of(tilted)), ("sklearn", archive(linear)))
    refused = prove(linear, np.concatenate([ROWS, edge])).proof.candidates[0]
    assert refused.labels_equal == len(ROWS)
    assert refused.refused == f"1 of {len(ROWS) + 1} pictures get another label."


def test_equal_labels_with_other_probabilities_are_refused(linear: SourceModel, monkeypatch: pytest.MonkeyPatch) -> None:
    nearly = LogisticRegression(max_iter=300).fit(ROWS, LABELS)
    nearly.coef_, nearly.intercept_ = nearly.coef_ * 1.1, nearly.intercept_ * 1.1
    offered(monkeypatch, ("onnx", _graph_of(SourceModel(nearly, RECIPE))), ("sklearn", archive(linear)))
    outcome = prove(linear, ROWS)
    refused = outcome.proof.candidates[0]
    assert refused.labels_equal == len(ROWS)
    assert "more than 1e-03" in refused.refused
    assert outcome.form.runtime == "sklearn"


def test_what_a_library_raises_is_the_reason(linear: SourceModel, monkeypatch: pytest.MonkeyPatch) -> None:
    offered(monkeypatch, ("forest", CannotHold("too round")), ("onnx", KeyError("x")), ("sklearn", archive(linear)))
    outcome = prove(linear, ROWS)
    assert [candidate.refused for candidate in outcome.proof.candidates] == ["Too round.", "KeyError: 'x'", ""]


def test_where_nothing_agrees_nothing_is_served(linear: SourceModel, monkeypatch: pytest.MonkeyPatch) -> None:
    other = model_of(LogisticRegression(C=1e-3, max_iter=300))
    offered(monkeypatch, ("sklearn", archive(other)))
    with pytest.raises(Exhausted, match=r"sklearn: .*another label|sklearn: A probability differs"):
        prove(linear, ROWS)


@pytest.mark.parametrize("rows", [ROWS[:255], ROWS[LABELS != 3]])
def test_too_few_pictures_or_a_missing_class_are_a_weak_proof(linear: SourceModel, rows: Any) -> None:
    outcome = prove(linear, rows)
    assert outcome.proof.weak
    assert outcome.form.runtime == "sklearn"
    assert outcome.proof.candidates[1].refused == "The pictures do not show every class often enough to prove it."


def test_a_forest_is_held_to_more_than_a_graph_is() -> None:
    outcome = prove(model_of(DecisionTreeClassifier(random_state=0)), ROWS)
    assert (outcome.form.runtime, outcome.proof.tolerance) == ("forest", 1e-12)


@pytest.mark.parametrize(("sklearn_ms", "serves"), [(0.9, "sklearn"), (1.1, "onnx")])
def test_scikit_learn_serves_where_it_is_more_than_twice_as_fast(
    linear: SourceModel, monkeypatch: pytest.MonkeyPatch, sklearn_ms: float, serves: str
) -> None:
    times = iter((2.0, sklearn_ms, 5.0))  # the graph, the archive and the source, in the order in which they are timed
    monkeypatch.setattr(proof, "_speed", lambda *_: (next(times), 9.0))
    assert prove(linear, ROWS).form.runtime == serves


def test_scikit_learn_is_not_asked_where_a_backbone_takes_the_time_of_every_form(monkeypatch: pytest.MonkeyPatch) -> None:
    levels = np.rint(ROWS * 255).astype(np.uint8)
    model = model_of(make_pipeline(MinMaxScaler(), LogisticRegression(max_iter=300)), levels)
    described = replace(_graph_of(model), features=Features("embedding", backbone="a", sha256="b"))
    monkeypatch.setattr(proof, "open_features", lambda _: lambda rows: rows.astype(np.float32))
    offered(monkeypatch, ("onnx", described), ("sklearn", archive(model)))
    outcome = prove(model, levels)
    assert outcome.form is described
    assert [candidate.runtime for candidate in outcome.proof.candidates] == ["onnx"]


def test_what_is_slow_is_timed_less_often() -> None:
    def asked(seconds: float) -> int:
        calls: list[int] = []

        def ask(rows: Any) -> Any:
            time.sleep(seconds)
            calls.append(len(rows))
            return rows

        proof._median_ms(ask, ROWS[:1], 15)
        return len(calls)

    assert (asked(0.0), asked(0.2)) == (16, 4)


def test_a_form_without_an_alternative_is_compared_all_the_same(linear: SourceModel) -> None:
    form = _graph_of(linear)
    assert prove_only(linear, ROWS, form).form is form
    with pytest.raises(Exhausted):
        prove_only(linear, ROWS, _graph_of(model_of(LogisticRegression(C=1e-3, max_iter=300))))


def _graph_of(model: SourceModel) -> Form:
    return next(make() for name, make in makers(model) if name == "onnx")
