"""All predictions, for administrators: who asked what of which model, and what it said; never the pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from sqlalchemy import ColumnElement, SQLColumnExpression, func, or_, select
from sqlalchemy.orm import Session, sessionmaker
from ulid import ULID

from app.services.listings.listing import Column, Filter, Found, Listing, Wanted, beginning, ending
from app.services.listings.question import Question
from app.storage.tables import StoredPrediction, User


@dataclass(frozen=True, slots=True)
class PredictionRow:
    """What administrators see of a prediction; `account` is None where a guest asked."""

    id: str
    created_at: datetime
    account: str | None
    model: str
    version: str
    label: str
    probability: float
    file_name: str | None


class PredictionListing(Listing[PredictionRow]):
    """Predictions of all people; `models` gives the names of those that are there."""

    name = "predictions"
    columns = (
        Column("created_at", "When"),
        Column("account", "Who"),
        Column("model", "Model"),
        Column("version", "Version", sortable=False),
        Column("label", "Class"),
        Column("probability", "Confidence", number=True),
        Column("file_name", "File"),
    )
    usual = "-created_at"
    # Identifiers begin with the time, and they have an index.
    sorts: ClassVar = {
        "created_at": StoredPrediction.id,
        "account": func.lower(func.coalesce(User.email, "")),
        "model": StoredPrediction.model,
        "label": StoredPrediction.label,
        "probability": StoredPrediction.probability,
        "file_name": func.lower(func.coalesce(StoredPrediction.file_name, "")),
    }

    def __init__(self, *, sessions: sessionmaker[Session], models: Callable[[], Sequence[str]]) -> None:
        super().__init__(sessions=sessions)
        self._models = models

    def filters(self) -> tuple[Filter, ...]:
        """Give what the list can be narrowed down by."""
        return Filter("model", "Model", tuple(self._models())), Filter("class", "Class")

    def _key(self) -> SQLColumnExpression[str]:
        return StoredPrediction.id

    def _select(self) -> Wanted:
        told = StoredPrediction
        columns = (told.id, told.created_at, User.email, told.model, told.version, told.label, told.probability, told.file_name)
        return select(*columns).select_from(StoredPrediction).outerjoin(User, User.id == StoredPrediction.user_id)

    def _where(self, question: Question) -> Iterator[ColumnElement[bool]]:
        if text := question.search:
            yield or_(User.email.icontains(text, autoescape=True), StoredPrediction.file_name.icontains(text, autoescape=True))
        if model := question.chosen.get("model"):
            yield StoredPrediction.model == model
        if label := question.chosen.get("class"):
            yield func.lower(StoredPrediction.label) == func.lower(label)
        if question.since:
            yield StoredPrediction.id >= _first_of(beginning(question.since))
        if question.until:
            yield StoredPrediction.id < _first_of(ending(question.until))

    def _row(self, row: Found) -> PredictionRow:
        return PredictionRow(*row[:8])


def _first_of(moment: datetime) -> str:
    # Ten letters of an identifier are its time.
    return str(ULID.from_datetime(moment))[:10]
