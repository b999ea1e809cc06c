"""One answer for a request that is sent again: the first is remembered under the name that its sender gave it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import ColumnElement, and_, delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker
from ulid import ULID

from app.errors import DatabaseUnavailable, IdempotencyKeyReused, StillRunning
from app.storage.tables import IdempotentRequest, now

_KEPT = timedelta(hours=24)
_SWEEP_EVERY = 100
_RUNNING = "A request with this Idempotency-Key is being answered; ask again in a moment."
_ASK_AGAIN_SECONDS = 2  # most answers come sooner
# Somebody else may take a name or let go of it between two looks at it, though hardly more often than this.
_LOOKS = 3

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Claim:
    """A named request. Whoever has claimed it answers it, with a prediction of this identifier, unless there is an answer.

    `taken_over` says that somebody began it and never finished, so that the prediction may be there already.
    """

    key_id: str
    name: str
    prediction_id: str
    answer: dict[str, Any] | None = None
    taken_over: bool = False


class Idempotency:
    """Lets one of several requests with the same name do the work, and gives its answer to the others for a day.

    A name belongs to a key. Its prediction's identifier is chosen before the work begins and never changes, so that what a
    killed process may have stored is found, and cannot be stored a second time.
    """

    def __init__(self, *, sessions: sessionmaker[Session], answer_within: float, clock: Callable[[], datetime] = now) -> None:
        self._sessions = sessions
        # Whoever has not answered by then never will.
        self._held = timedelta(seconds=answer_within + 5)
        self._clock = clock
        self._begun = 0

    def begin(self, key_id: str, name: str, fingerprint: str) -> Claim:
        """Claim a name for a request that `fingerprint` tells from others, or give what it was answered before.

        Raises IdempotencyKeyReused where the name was used for another request, and StillRunning while somebody answers it.
        """
        self._begun += 1
        if self._begun % _SWEEP_EVERY == 0:
            self.sweep()
        for _ in range(_LOOKS):
            claim = self._insert(key_id, name, fingerprint) or self._look(key_id, name, fingerprint)
            if claim is not None:
                return claim
        raise StillRunning(_RUNNING, _ASK_AGAIN_SECONDS)

    def finish(self, claim: Claim, answer: dict[str, Any]) -> None:
        """Remember the answer; where that fails the prediction can still be found by its identifier."""
        try:
            with self._sessions.begin() as session:
                session.execute(update(IdempotentRequest).where(_named(claim.key_id, claim.name)).values(answer=answer))
        except DatabaseUnavailable:
            log.error("answer_not_remembered", prediction=claim.prediction_id)

    def release(self, claim: Claim) -> None:
        """Forget a request that was refused: it may be sent again under the same name, mended or not."""
        try:
            with self._sessions.begin() as session:
                session.execute(delete(IdempotentRequest).where(_named(claim.key_id, claim.name)))
        except DatabaseUnavailable:
            log.error("name_not_released", prediction=claim.prediction_id)

    def sweep(self) -> None:
        """Forget what is older than a day."""
        with self._sessions.begin() as session:
            session.execute(delete(IdempotentRequest).where(IdempotentRequest.expires_at <= self._clock()))

    def _insert(self, key_id: str, name: str, fingerprint: str) -> Claim | None:
        moment = self._clock()
        row = IdempotentRequest(
            key_id=key_id,
            name=name,
            fingerprint=fingerprint,
            prediction_id=str(ULID.from_datetime(moment)),
            held_until=moment + self._held,
            expires_at=moment + _KEPT,
        )
        try:
            with self._sessions.begin() as session:
                session.add(row)
        except IntegrityError:
            return None
        return Claim(key_id, name, row.prediction_id)

    def _look(self, key_id: str, name: str, fingerprint: str) -> Claim | None:
        """Give the claim on a name that is taken; None where it has just become free."""
        moment = self._clock()
        with self._sessions.begin() as session:
            row = session.scalar(select(IdempotentRequest).where(_named(key_id, name)))
            if row is None:
                return None
            if row.expires_at <= moment:
                session.delete(row)
                return None
            if row.fingerprint != fingerprint:
                raise IdempotencyKeyReused("This Idempotency-Key was used for another request; choose a new one for each.")
            if row.answer is not None:
                return Claim(key_id, name, row.prediction_id, row.answer)
            if row.held_until > moment:
                raise StillRunning(_RUNNING, _ASK_AGAIN_SECONDS)
            # Of two that find it abandoned one takes it over.
            unchanged = and_(_named(key_id, name), IdempotentRequest.held_until == row.held_until)
            taken = update(IdempotentRequest).where(unchanged).values(held_until=moment + self._held)
            won = session.scalar(taken.returning(IdempotentRequest.prediction_id))
            return None if won is None else Claim(key_id, name, won, taken_over=True)


def _named(key_id: str, name: str) -> ColumnElement[bool]:
    return and_(IdempotentRequest.key_id == key_id, IdempotentRequest.name == name)
