"""What versions in the shadow said: written in groups, read as figures, and no more of it kept than tells something."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, case, delete, false, func, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker

from app.storage.tables import StoredPrediction, StoredShadowAnswer

KEPT_A_MODEL = 10_000
_SWEPT_EVERY = 500


@dataclass(frozen=True, slots=True)
class ShadowAnswer:
    """What was answered, and what the version in the shadow said of the same picture; no label where it failed."""

    model: str
    version: str
    against: str
    prediction_id: str | None
    label: str
    probability: float
    created_at: datetime
    shadow_label: str | None = None
    shadow_probability: float | None = None
    difference: float | None = None
    ms: float | None = None
    passed_over: int = 0

    @property
    def outcome(self) -> str:
        """What became of the picture, in the words of the metrics."""
        return "failed" if self.shadow_label is None else "same" if self.shadow_label == self.label else "other"


@dataclass(frozen=True, slots=True)
class Pair:
    """A class that was answered, the one that the version in the shadow gave instead, and how often."""

    label: str
    shadow_label: str
    count: int


@dataclass(frozen=True, slots=True)
class Agreement:
    """How a version in the shadow stands to the one that answers, over the answers that are kept of both.

    `difference` is the mean absolute one between the probabilities that both gave to the class that was answered, from 0 to 1;
    `ms` is what a picture took the version in the shadow, decoding included. Both are None where it has said nothing.
    """

    against: str
    answered: int
    same: int
    failed: int
    passed_over: int
    difference: float | None
    ms: float | None
    pairs: tuple[Pair, ...]

    @property
    def other(self) -> int:
        """How many pictures it gave another class."""
        return self.answered - self.same


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A picture of which the two versions said different things; its prediction is named to whoever it belongs to."""

    at: datetime
    label: str
    probability: float
    shadow_label: str
    shadow_probability: float
    prediction_id: str | None


class ShadowAnswers:
    """The last answers of each model's shadows, `kept` of them or little more."""

    def __init__(self, *, sessions: sessionmaker[Session], kept: int = KEPT_A_MODEL) -> None:
        self._sessions = sessions
        self._kept = kept
        self._unswept = 0

    def record(self, answers: Sequence[ShadowAnswer]) -> None:
        """Write answers down, those apart whose prediction has been deleted meanwhile; for one thread at a time."""
        try:
            self._insert(answers)
        except IntegrityError:
            for answer in answers:
                with contextlib.suppress(IntegrityError):
                    self._insert([answer])
        self._unswept += len(answers)
        if self._unswept >= min(_SWEPT_EVERY, self._kept):
            self._unswept = 0
            self.sweep({answer.model for answer in answers})

    def sweep(self, models: set[str]) -> None:
        """Delete of each of these models all but the last answers."""
        row = StoredShadowAnswer
        with self._sessions.begin() as session:
            for model in models:
                newest = select(row.id).where(row.model == model).order_by(row.id.desc())
                first = newest.limit(1).offset(self._kept - 1).scalar_subquery()
                session.execute(delete(row).where(row.model == model, row.id < first))

    def agreement(self, model: str, version: str, against: str, most: int = 20) -> Agreement:
        """Give how a version stands to another, with the pairs of classes that they differ in, the most frequent first."""
        row, both = StoredShadowAnswer, _of(model, version, against)
        same = func.sum(case((row.shadow_label == row.label, 1), else_=0))
        figures = func.count(), func.count(row.shadow_label), same, func.sum(row.passed_over)
        count = func.count()
        differing = (
            select(row.label, row.shadow_label, count)
            .where(both, row.shadow_label != row.label)
            .group_by(row.label, row.shadow_label)
            .order_by(count.desc(), row.label, row.shadow_label)
            .limit(most)
        )
        with self._sessions() as session:
            means = func.avg(row.difference), func.avg(row.ms)
            seen, answered, agreed, passed, difference, ms = session.execute(select(*figures, *means).where(both)).one()
            pairs = tuple(Pair(label, other or "", number) for label, other, number in session.execute(differing))
        return Agreement(against, answered, agreed or 0, seen - answered, passed or 0, difference, ms, pairs)

    def disagreements(self, model: str, version: str, against: str, account: int | None, most: int = 10) -> list[Disagreement]:
        """Give the last pictures that two versions gave different classes; predictions are named that belong to the account."""
        row = StoredShadowAnswer
        newest = (
            select(row, StoredPrediction.id)
            .outerjoin(StoredPrediction, and_(StoredPrediction.id == row.prediction_id, _owned(account)))
            .where(_of(model, version, against), row.shadow_label != row.label)
            .order_by(row.id.desc())
            .limit(most)
        )
        with self._sessions() as session:
            return [
                Disagreement(
                    found.created_at,
                    found.label,
                    found.probability,
                    found.shadow_label or "",
                    found.shadow_probability or 0.0,
                    own,
                )
                for found, own in session.execute(newest)
            ]

    def _insert(self, answers: Sequence[ShadowAnswer]) -> None:
        with self._sessions.begin() as session:
            session.execute(insert(StoredShadowAnswer), [asdict(answer) for answer in answers])


def _of(model: str, version: str, against: str) -> ColumnElement[bool]:
    row = StoredShadowAnswer
    return and_(row.model == model, row.version == version, row.against == against)


def _owned(account: int | None) -> ColumnElement[bool]:
    # A guest's prediction has no account, and nobody's is no account's.
    return false() if account is None else StoredPrediction.user_id == account
