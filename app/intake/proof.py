"""That a served form answers as its source did, on pictures that would show it if it did not."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from app.inference.features import open_features
from app.inference.provenance import Answers, Candidate, Proof, RuntimeName
from app.inference.runtimes import open_runtime
from app.intake.forms import makers
from app.intake.served_form import CannotHold, Form
from app.intake.source_model import Rows, SourceModel

LEAST_PICTURES, LEAST_OF_A_CLASS = 256, 8
TOLERANCE = 1e-3
# Forests add the same numbers in the same order, and archives hold the very estimator: only sums of other widths may differ.
_TIGHTER: dict[RuntimeName, float] = {"forest": 1e-12, "sklearn": 1e-9}
_BATCH = 32
_CHUNK = 64
# What takes long is timed less often: of half a second, a tenth more or less is not seen on a page.
_LEAST_TIMES, _TIMED_SECONDS = 3, 0.5

Ask = Callable[[Rows], NDArray[np.float64]]


@dataclass(frozen=True, eq=False)
class Outcome:
    """The form that was taken, and how all of them did."""

    form: Form
    proof: Proof


class Exhausted(Exception):
    """Not even the exact form answers as the source did; `proof` says how each failed."""


class Answering(Protocol):
    """The source, as far as a proof needs it."""

    answers: Answers
    classes: tuple[str, ...]

    def probabilities(self, rows: Rows) -> NDArray[np.float64]:
        """Give the probability of every class, shape (n, n_classes)."""
        ...


def prove(model: SourceModel, rows: Rows) -> Outcome:
    """Compare every form with the source on the proof pictures and take the first that agrees; raises Exhausted.

    `rows` has shape (n, *recipe.shape). Where the pictures do not show each class often enough, only the archive, which
    holds the estimator itself, may serve.
    """
    return _prove(model, rows, list(makers(model)))


def prove_only(model: Answering, rows: Rows, form: Form) -> Outcome:
    """Compare one form with the source, where there is no other to take; raises Exhausted."""
    return _prove(model, rows, [(form.runtime, lambda: form)])


def _prove(model: Answering, rows: Rows, makers: Sequence[tuple[RuntimeName, Callable[[], Form]]]) -> Outcome:
    expected = asked_in_chunks(model.probabilities, rows)
    rarest = int(np.bincount(expected.argmax(axis=1), minlength=len(model.classes)).min())
    weak = len(rows) < LEAST_PICTURES or rarest < LEAST_OF_A_CLASS
    candidates: list[Candidate] = []
    proven: dict[RuntimeName, Form] = {}
    for runtime, make in makers:
        if any(c.runtime == runtime and not c.refused for c in candidates):
            continue
        if runtime == "sklearn" and any(form.features and form.features.kind == "embedding" for form in proven.values()):
            continue  # it would ask the same backbone, which takes nearly all of the time: twice as fast it cannot be
        candidate, form = _try(runtime, make, model, rows, expected)
        if weak and len(makers) > 1 and runtime != "sklearn" and not candidate.refused:
            candidate = _refused(candidate, "The pictures do not show every class often enough to prove it.")
        candidates = [c for c in candidates if c.runtime != runtime] + [candidate]
        if form is not None and not candidate.refused:
            proven[runtime] = form
    if not proven:
        raise Exhausted("; ".join(f"{c.runtime}: {c.refused}" for c in candidates))
    chosen = proven[_best(candidates)]
    one, batch = _speed(model.probabilities, rows)
    tolerance = _TIGHTER.get(chosen.runtime, TOLERANCE)
    return Outcome(chosen, Proof(len(rows), rarest, weak, tolerance, one, batch, tuple(candidates)))


def _best(candidates: list[Candidate]) -> RuntimeName:
    """Give the first form that is proven, unless scikit-learn itself is more than twice as fast: it costs a worker 80 MB."""
    good = [c for c in candidates if not c.refused]
    first, last = good[0], good[-1]
    if last.runtime == "sklearn" and (last.one_ms or 0) * 2 < (first.one_ms or 0):
        return last.runtime
    return first.runtime


def _try(
    runtime: RuntimeName, make: Callable[[], Form], model: Answering, rows: Rows, expected: NDArray[np.float64]
) -> tuple[Candidate, Form | None]:
    try:
        form = make()
        ask = _opened(form, model)
        found = asked_in_chunks(ask, rows)
    except CannotHold as error:
        return Candidate(runtime, refused=f"{str(error)[:1].upper()}{str(error)[1:]}."), None
    except Exception as error:  # a library that cannot hold this classifier says so in its own ways
        return Candidate(runtime, refused=f"{type(error).__name__}: {error}".strip()[:300]), None
    if found.shape != expected.shape or not np.isfinite(found).all():
        return Candidate(runtime, refused="It gives no probability for every class."), None
    equal = int((found.argmax(axis=1) == expected.argmax(axis=1)).sum())
    difference = float(np.abs(found - expected).max())
    one, batch = _speed(ask, rows)
    candidate = Candidate(runtime, equal, difference, one, batch)
    tolerance = _TIGHTER.get(runtime, TOLERANCE)
    if equal < len(rows):
        return _refused(candidate, f"{len(rows) - equal} of {len(rows)} pictures get another label."), form
    if difference > tolerance:
        return _refused(candidate, f"A probability differs by {difference:.1e}, more than {tolerance:.0e}."), form
    return candidate, form


def _refused(candidate: Candidate, why: str) -> Candidate:
    return Candidate(
        candidate.runtime, candidate.labels_equal, candidate.largest_difference, candidate.one_ms, candidate.batch_ms, why
    )


def _opened(form: Form, model: Answering) -> Ask:
    """Open a form from its bytes, as a worker will."""
    runtime = open_runtime(form.runtime, form.artifact, answers=model.answers, n_classes=len(model.classes))
    if form.features is None:
        return runtime.probabilities
    describe = open_features(form.features)
    return lambda rows: runtime.probabilities(describe(rows.astype(np.uint8, copy=False)))


def asked_in_chunks(ask: Ask, rows: Rows) -> NDArray[np.float64]:
    """Ask for some rows at a time, so that memory does not grow with their number."""
    return np.concatenate([ask(rows[start : start + _CHUNK]) for start in range(0, len(rows), _CHUNK)])


def _speed(ask: Ask, rows: Rows) -> tuple[float, float]:
    """Give the median time in milliseconds for one picture and for a batch of 32."""
    return _median_ms(ask, rows[:1], 15), _median_ms(ask, rows[:_BATCH], 5)


def _median_ms(ask: Ask, rows: Rows, times: int) -> float:
    ask(rows)
    taken: list[float] = []
    while len(taken) < times and (len(taken) < _LEAST_TIMES or sum(taken) < _TIMED_SECONDS):
        began = time.perf_counter()
        ask(rows)
        taken.append(time.perf_counter() - began)
    return round(float(np.median(taken)) * 1000, 4)
