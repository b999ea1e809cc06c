"""Writes predictions to the database."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import structlog
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker

from app.errors import DatabaseUnavailable
from app.inference.prediction import Prediction
from app.storage.tables import StoredPrediction

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
    """Stores one answer and says whether it could; an answer is worth giving also when it cannot be kept."""

    def __init__(self, *, sessions: sessionmaker[Session]) -> None:
        self._sessions = sessions

    def record(self, prediction: Prediction, owner: Owner, file_name: str | None) -> bool:
        """Store a prediction for its owner; False where it has none or the database does not take it."""
        if not owner.known:
            return False
        try:
            with self._sessions.begin() as session:
                session.add(_row(prediction, owner, file_name))
        except (DatabaseUnavailable, IntegrityError):  # the latter where the account was deleted a moment ago
            log.error("prediction_not_stored", prediction=prediction.id)
            return False
        return True


def _row(prediction: Prediction, owner: Owner, file_name: str | None) -> StoredPrediction:
    return StoredPrediction(
        id=prediction.id,
        user_id=owner.account,
        guest=owner.guest,
        model=prediction.model,
        version=prediction.version,
        label=prediction.top.label,
        probability=prediction.top.probability,
        scores=[(score.label, score.probability) for score in prediction.scores],
        picture=asdict(prediction.picture),
        timings=asdict(prediction.timings),
        file_name=None if file_name is None else file_name[-255:],
        created_at=prediction.created_at,
    )
