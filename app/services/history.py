"""One's own predictions: read, page through, delete."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, and_, delete, func, select
from sqlalchemy.orm import Session, sessionmaker
from ulid import ULID

from app.errors import PredictionNotFound
from app.inference.prediction import ClassScore, Picture, Prediction, Timings
from app.services.pictures import PictureStore, Size
from app.services.recorder import Owner
from app.services.spreadsheets import csv_pieces
from app.storage.tables import StoredPrediction, StoredShadowAnswer

_PAGE = 24
_AT_ONCE = 500
# What is told of a prediction in a file, with what people look for first.
_COLUMNS = (
    *("created_at", "file_name", "label", "probability", "model", "version"),
    *("id", "scores", "picture", "timings"),
)


@dataclass(frozen=True, slots=True)
class HistoryItem:
    """A stored prediction, the name its file had, and whether its picture is kept."""

    prediction: Prediction
    file_name: str | None
    has_picture: bool


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """Some of the items, newest first; `number` and `pages` count from 1."""

    items: tuple[HistoryItem, ...]
    number: int
    pages: int
    total: int


@dataclass(frozen=True, slots=True)
class HistorySlice:
    """Some of the items, newest first, and before which one the others are; None where there are none."""

    items: tuple[HistoryItem, ...]
    next: str | None


_FIRST_MOMENT = datetime.fromtimestamp(0, UTC)


class History:
    """Every question names its owner: another's prediction answers as if it did not exist."""

    def __init__(self, *, sessions: sessionmaker[Session], pictures: PictureStore, keep_days: int) -> None:
        self._sessions = sessions
        self._pictures = pictures
        self._keep = timedelta(days=keep_days)

    def get(self, owner: Owner, prediction_id: str) -> HistoryItem:
        """Give one prediction of the owner, or raise PredictionNotFound."""
        with self._sessions() as session:
            row = session.scalar(select(StoredPrediction).where(_owned(owner), StoredPrediction.id == prediction_id))
            if row is None:
                raise PredictionNotFound("There is no such prediction, or it is not yours.")
            return self._items([row])[0]

    def page(self, owner: Owner, number: int) -> HistoryPage:
        """Give one page of the owner's predictions; a number beyond the last gives the last."""
        with self._sessions() as session:
            total = session.scalar(select(func.count()).select_from(StoredPrediction).where(_owned(owner))) or 0
            pages = max(1, -(-total // _PAGE))
            number = min(max(1, number), pages)
            rows = session.scalars(
                select(StoredPrediction)
                .where(_owned(owner))
                .order_by(StoredPrediction.id.desc())
                .limit(_PAGE)
                .offset((number - 1) * _PAGE)
            )
            return HistoryPage(self._items(rows.all()), number, pages, total)

    def before(self, owner: Owner, prediction_id: str | None, limit: int) -> HistorySlice:
        """Give the owner's newest predictions before one, whether it is there or not; before none the newest of all."""
        earlier = () if prediction_id is None else (StoredPrediction.id < prediction_id,)
        wanted = select(StoredPrediction).where(_owned(owner), *earlier).order_by(StoredPrediction.id.desc()).limit(limit + 1)
        with self._sessions() as session:
            rows = session.scalars(wanted).all()
            items = self._items(rows[:limit])
        return HistorySlice(items, rows[limit - 1].id if len(rows) > limit else None)

    def file(self, owner: Owner) -> Iterator[bytes]:
        """Give the pieces of a CSV file with all of the owner's predictions, newest first."""
        return csv_pieces(_COLUMNS, self._batches(owner))

    def picture(self, owner: Owner, prediction_id: str, size: Size) -> bytes:
        """Give the kept picture of one of the owner's predictions as JPEG, or raise PredictionNotFound."""
        self.get(owner, prediction_id)
        content = self._pictures.read(prediction_id, size)
        if content is None:
            raise PredictionNotFound("The picture of this prediction was not kept.")
        return content

    def delete(self, owner: Owner, prediction_id: str) -> None:
        """Delete one prediction of the owner with its picture, or raise PredictionNotFound."""
        self.get(owner, prediction_id)
        with self._sessions.begin() as session:
            session.execute(delete(StoredPrediction).where(_owned(owner), StoredPrediction.id == prediction_id))
        self._pictures.drop(prediction_id)

    def expires_on(self, prediction: Prediction) -> datetime:
        """Give the moment after which a prediction is deleted."""
        return prediction.created_at + self._keep

    def sweep(self) -> int:
        """Delete what is older than it may be, and give how many predictions that were."""
        # Nothing is older than identifiers are, whatever number of years is to be kept.
        kept_from = max(datetime.now(UTC) - self._keep, _FIRST_MOMENT)
        # The identifier begins with the time: by it the old ones are found without a look at the others.
        old = and_(StoredPrediction.id < str(ULID.from_datetime(kept_from)), StoredPrediction.created_at < kept_from)
        with self._sessions.begin() as session:
            expired = session.scalars(select(StoredPrediction.id).where(old)).all()
            session.execute(delete(StoredPrediction).where(old))
            # Those that belong to a prediction are gone with it.
            session.execute(delete(StoredShadowAnswer).where(StoredShadowAnswer.created_at < kept_from))
        self._pictures.drop(*expired)
        return len(expired)

    def _batches(self, owner: Owner) -> Iterator[Sequence[object]]:
        wanted = select(*(getattr(StoredPrediction, name) for name in _COLUMNS)).where(_owned(owner))
        wanted, last = wanted.order_by(StoredPrediction.id.desc()).limit(_AT_ONCE), None
        while True:
            # A session for some of them: a browser that loads slowly must not hold one.
            with self._sessions() as session:
                rows = session.execute(wanted if last is None else wanted.where(StoredPrediction.id < last)).all()
            if not rows:
                return
            yield rows
            last = rows[-1].id

    def _items(self, rows: Sequence[StoredPrediction]) -> tuple[HistoryItem, ...]:
        kept = self._pictures.kept(row.id for row in rows)
        return tuple(HistoryItem(_prediction(row), row.file_name, row.id in kept) for row in rows)


def _prediction(row: StoredPrediction) -> Prediction:
    picture = Picture(**{**row.picture, "steps": tuple(row.picture["steps"])})
    scores = tuple(ClassScore(label, probability) for label, probability in row.scores)
    return Prediction(row.id, row.model, row.version, scores, picture, Timings(**row.timings), row.created_at)


def _owned(owner: Owner) -> ColumnElement[bool]:
    # Both columns are named, for they are the beginning of the index.
    if owner.account is not None:
        return and_(StoredPrediction.user_id == owner.account, StoredPrediction.guest.is_(None))
    # A guest's identifier is never empty, so this matches nothing for nobody.
    return and_(StoredPrediction.user_id.is_(None), StoredPrediction.guest == (owner.guest or "-"))
