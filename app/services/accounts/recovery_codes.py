"""Codes on paper for whoever lost the second factor: each lets its owner in once."""

from __future__ import annotations

import hashlib
import secrets

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session, sessionmaker

from app.services.audit_log import Actor, AuditLog, subject_of_account
from app.storage.tables import StoredAuthenticator, StoredPasskey, StoredRecoveryCode

_MANY = 10
# No vowels, so that no code is a word, and nothing that looks like something else on paper. 24 of them are 114 bits: with so
# many a plain digest is enough.
_LETTERS, _LENGTH, _GROUP = "bcdfghjkmnpqrstvwxz23456789", 24, 4


class RecoveryCodes:
    """Ten at a time; only digests are kept, so they are shown once."""

    def __init__(self, *, sessions: sessionmaker[Session], audit_log: AuditLog) -> None:
        self._sessions = sessions
        self._audit_log = audit_log

    def left(self, account: int) -> int:
        """Give how many codes an account has left."""
        with self._sessions() as session:
            return session.scalar(select(func.count()).where(StoredRecoveryCode.user_id == account)) or 0

    def make(self, actor: Actor) -> tuple[str, ...]:
        """Make new codes for whoever asks, and give them, this once; the old ones are dead then."""
        codes = tuple(_code() for _ in range(_MANY))
        with self._sessions.begin() as session:
            session.execute(delete(StoredRecoveryCode).where(StoredRecoveryCode.user_id == actor.account))
            session.add_all(StoredRecoveryCode(user_id=actor.account, digest=_digest(code)) for code in codes)
        self._audit_log.record(actor, "recovery codes made", subject_of_account(actor.name))
        return codes

    def use(self, actor: Actor, code: str) -> bool:
        """Use up a code of an account; False where it has none such."""
        mine, same = StoredRecoveryCode.user_id == actor.account, StoredRecoveryCode.digest == _digest(code)
        with self._sessions.begin() as session:
            # Whoever deletes it has used it: of two at once, one finds it gone.
            used = session.scalar(delete(StoredRecoveryCode).where(mine, same).returning(StoredRecoveryCode.id)) is not None
        if used:
            self._audit_log.record(actor, "recovery code used", subject_of_account(actor.name), f"{self.left_of(actor)} left")
        return used

    def left_of(self, actor: Actor) -> int:
        """Give how many codes whoever asks has left."""
        return 0 if actor.account is None else self.left(actor.account)


def drop_codes_without_a_factor(session: Session, account: int) -> None:
    """Delete the codes of an account that has no second factor any more: they stand in for nothing."""
    session.flush()
    for table in (StoredAuthenticator, StoredPasskey):
        if session.scalar(select(table.user_id).where(table.user_id == account).limit(1)) is not None:
            return
    session.execute(delete(StoredRecoveryCode).where(StoredRecoveryCode.user_id == account))


def _code() -> str:
    letters = "".join(secrets.choice(_LETTERS) for _ in range(_LENGTH))
    return "-".join(letters[start : start + _GROUP] for start in range(0, _LENGTH, _GROUP))


def _digest(code: str) -> str:
    # As people type what stands on paper: with spaces, without dashes, in capitals.
    return hashlib.sha256("".join(code.lower().replace("-", " ").split()).encode()).hexdigest()
