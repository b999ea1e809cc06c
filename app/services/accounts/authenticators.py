"""Codes that an app tells, a new one every thirty seconds (RFC 6238), as a second factor."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from passlib.totp import TOTP, TokenError
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session, sessionmaker

from app.errors import InvalidCode
from app.services.accounts.recovery_codes import drop_codes_without_a_factor
from app.services.accounts.vault import Vault
from app.services.audit_log import Actor, AuditLog, subject_of_account
from app.storage.tables import StoredAuthenticator, now

_ISSUER = "Vitrine"
# A clock may be this many seconds off: the code before and the one after are good too.
_WINDOW = 30
_SET_UP_WITHIN = 1800


@dataclass(frozen=True, slots=True)
class Offer:
    """A secret for an app, before it counts: as text, as an address for its camera, and sealed, to be given back."""

    secret: str
    address: str
    sealed: str


class Authenticators:
    """Sets up an account's app and checks its codes; a code is good once."""

    def __init__(
        self, *, sessions: sessionmaker[Session], vault: Vault, audit_log: AuditLog, clock: Callable[[], datetime] = now
    ) -> None:
        self._sessions = sessions
        self._vault = vault
        self._audit_log = audit_log
        self._clock = clock

    def added_at(self, account: int) -> datetime | None:
        """Give since when an account has its app, or None."""
        with self._sessions() as session:
            return session.scalar(select(StoredAuthenticator.added_at).where(StoredAuthenticator.user_id == account))

    def offer(self, actor: Actor) -> Offer:
        """Give a new secret; nothing is kept of it yet."""
        return self._offer(actor, TOTP(new=True))

    def offered(self, actor: Actor, sealed: str) -> Offer:
        """Give an offer again, or a new one where it is too old or was made to another."""
        key = self._key(actor, sealed)
        return self.offer(actor) if key is None else self._offer(actor, TOTP(key=key))

    def turn_on(self, actor: Actor, sealed: str, code: str) -> None:
        """Let an app's codes be asked for from now on, or raise InvalidCode; a code shows that the app has the secret."""
        key = self._key(actor, sealed)
        counter = None if key is None else self._counter(key, code)
        if key is None or counter is None:
            raise InvalidCode("That is not the code of this secret now; wait for the next one and try again.")
        row = StoredAuthenticator(
            user_id=actor.account, secret=self._vault.seal(key), last_counter=counter, added_at=self._clock()
        )
        with self._sessions.begin() as session:
            session.merge(row)
        self._audit_log.record(actor, "second factor on", subject_of_account(actor.name), "codes of an app")

    def turn_off(self, actor: Actor) -> bool:
        """Ask for codes no more; False where none were asked for."""
        mine = delete(StoredAuthenticator).where(StoredAuthenticator.user_id == actor.account)
        with self._sessions.begin() as session:
            gone = session.scalar(mine.returning(StoredAuthenticator.user_id))
            if gone is None:
                return False
            drop_codes_without_a_factor(session, gone)
        self._audit_log.record(actor, "second factor off", subject_of_account(actor.name), "codes of an app")
        return True

    def check(self, account: int, code: str) -> bool:
        """Tell whether that is the code now; it is used up by that, with all before it."""
        with self._sessions() as session:
            sealed = session.scalar(select(StoredAuthenticator.secret).where(StoredAuthenticator.user_id == account))
        key = None if sealed is None else self._vault.open(sealed)
        counter = None if key is None else self._counter(key, code)
        if counter is None:
            return False
        mine = StoredAuthenticator.user_id == account, StoredAuthenticator.last_counter < counter
        # Of two that bring the same code at once, one finds it used.
        used = update(StoredAuthenticator).where(*mine).values(last_counter=counter).returning(StoredAuthenticator.user_id)
        with self._sessions.begin() as session:
            return session.scalar(used) is not None

    def _offer(self, actor: Actor, made: TOTP) -> Offer:
        sealed = self._vault.seal(f"{actor.account} {made.base32_key}")
        return Offer(made.pretty_key(sep=" "), made.to_uri(actor.name, issuer=_ISSUER), sealed)

    def _key(self, actor: Actor, sealed: str) -> str | None:
        account, _, key = (self._vault.open(sealed, within=_SET_UP_WITHIN) or "").partition(" ")
        return key if account == str(actor.account) else None

    def _counter(self, key: str, code: str) -> int | None:
        try:
            return int(TOTP(key=key).match(code, time=self._clock(), window=_WINDOW).counter)
        except TokenError:
            return None
