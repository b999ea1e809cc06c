"""Writes predictions to the database, many in one transaction."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any

import structlog
from sqlalchemy import Engine

from app.errors import DatabaseUnavailable, Overloaded
from app.inference.batching import Line
from app.inference.prediction import STAGES, Picture, Prediction
from app.storage.appender import Appender
from app.storage.tables import StoredPrediction

# An answer waits no longer for the database than SQLite itself does for its lock.
_STORED_WITHIN_SECONDS = 5.0
_LARGEST_TRANSACTION = 256
# A database that has not taken an answer is asked again so much later, by one of those who would store one.
_AGAIN_AFTER_SECONDS = 1.0
_PICTURE = tuple(field.name for field in fields(Picture))

_Row = dict[str, Any]

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Owner:
    """Whom a prediction belongs to: an account, or a guest's session; nobody where both are empty."""

    account: int | None = None
    guest: str | None = None

    @property
    def known(self) -> bool:
        """Whether anybody could ask for the prediction again."""
        return self.account is not None or self.guest is not None


class Recorder:
    """Stores answers and says of each whether it could; an answer is worth giving also when it cannot be kept.

    Whoever finds the database free writes for everyone who is ready, in one transaction, and a request is answered only after
    the one that its row was in: what was said to be stored is.
    """

    def __init__(self, *, engine: Engine, enabled: bool = True, clock: Callable[[], float] = time.monotonic) -> None:
        # Used by whoever leads the line, and nobody else.
        self._table = Appender(engine, StoredPrediction.__table__)  # type: ignore[arg-type] # of a mapped class it is a Table
        self._enabled = enabled
        self._clock = clock
        self._refused, self._again_at = False, 0.0
        self.failures = 0
        self._line: Line[_Row, bool] = Line(self._store, largest=_LARGEST_TRANSACTION, waiting=_LARGEST_TRANSACTION)

    @property
    def waiting(self) -> int:
        """How many answers wait for the database now."""
        return self._line.in_line

    def record(self, prediction: Prediction, owner: Owner, file_name: str | None) -> bool:
        """Store a prediction for its owner; False where it has none, history is off, or the database does not take it."""
        if not self._enabled or not owner.known:
            return False
        stored = False
        if self._may_try():
            with contextlib.suppress(Overloaded):
                row = _row(prediction, owner, file_name)
                stored = self._line.submit(row, time.monotonic() + _STORED_WITHIN_SECONDS).result
        if not stored:
            self.failures += 1
            log.error("prediction_not_stored", prediction=prediction.id)
        return stored

    def _may_try(self) -> bool:
        """Tell whether the database is to be asked: while it takes nothing one waits for it, and not everybody."""
        if not self._refused:
            return True
        now = self._clock()
        if now < self._again_at:
            return False
        self._again_at = now + _AGAIN_AFTER_SECONDS
        return True

    def _store(self, rows: Sequence[_Row]) -> list[bool]:
        try:
            self._table.append(rows)
        except DatabaseUnavailable:
            self._refused, self._again_at = True, self._clock() + _AGAIN_AFTER_SECONDS
            return [False] * len(rows)
        except Exception as error:
            # One of them cannot be written: its account was deleted a moment ago, or its file's name is none a database takes.
            if len(rows) == 1:
                log.error("prediction_refused", reason=type(error).__name__)
                return [False]
            return [stored for row in rows for stored in self._store([row])]
        self._refused = False
        return [True] * len(rows)


def _row(prediction: Prediction, owner: Owner, file_name: str | None) -> _Row:
    picture, timings = prediction.picture, prediction.timings
    return {
        "id": prediction.id,
        "user_id": owner.account,
        "guest": owner.guest,
        "model": prediction.model,
        "version": prediction.version,
        "label": prediction.top.label,
        "probability": prediction.top.probability,
        "scores": [(score.label, score.probability) for score in prediction.scores],
        "picture": {name: getattr(picture, name) for name in _PICTURE},
        "timings": {stage: getattr(timings, stage) for stage in STAGES},
        "file_name": None if file_name is None else file_name[-255:],
        "created_at": prediction.created_at,
    }
