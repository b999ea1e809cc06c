"""Passkeys: a device's own key for this site (https://www.w3.org/TR/webauthn-3/), alone or beside the password."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import delete, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker

from app.errors import InvalidPasskey
from app.services.accounts.recovery_codes import drop_codes_without_a_factor
from app.services.audit_log import Actor, AuditLog, subject_of_account
from app.storage.tables import StoredPasskey, now

if TYPE_CHECKING:
    from fido2.server import Fido2Server
    from fido2.webauthn import AttestedCredentialData

_NAME = "Vitrine"
_MOST = 20
_NOT_OURS = "That passkey is not known here."
_NOT_GOOD = "That passkey does not let you in; try again."
Verification = Literal["required", "discouraged"]


@dataclass(frozen=True, slots=True)
class Passkey:
    """A passkey as its owner sees it."""

    id: int
    name: str
    added_at: datetime
    used_at: datetime | None


@dataclass(frozen=True, slots=True)
class Ceremony:
    """What a browser is asked, and what its answer is checked against; both are plain JSON."""

    options: dict[str, Any]
    state: dict[str, str]


class Passkeys:
    """Adds passkeys and checks them; `domain` is the site's name, without which browsers offer none."""

    def __init__(
        self,
        *,
        sessions: sessionmaker[Session],
        audit_log: AuditLog,
        domain: str | None,
        origin: str,
        clock: Callable[[], datetime] = now,
    ) -> None:
        self._sessions = sessions
        self._audit_log = audit_log
        self._domain = domain
        self._origin = origin
        self._clock = clock

    @property
    def possible(self) -> bool:
        """Whether browsers offer passkeys at the site's address: over TLS or on this machine, and under a name."""
        return self._domain is not None

    def list(self, account: int) -> tuple[Passkey, ...]:
        """Give an account's passkeys, the oldest first."""
        mine = select(StoredPasskey).where(StoredPasskey.user_id == account).order_by(StoredPasskey.id)
        with self._sessions() as session:
            return tuple(Passkey(row.id, row.name, row.added_at, row.used_at) for row in session.scalars(mine))

    def begin_adding(self, actor: Actor) -> Ceremony:
        """Ask a browser to make a passkey."""
        rows = self._rows(actor.account)
        if len(rows) >= _MOST:
            raise InvalidPasskey(f"An account has at most {_MOST} passkeys; remove one first.")
        # One handle an account, the same for all its passkeys, so that a device replaces its own; it tells nothing of whose.
        handle = rows[0].handle if rows else secrets.token_bytes(32)
        user = {"id": handle, "name": actor.name, "displayName": actor.name}
        options, state = self._server().register_begin(
            user,  # type: ignore[arg-type] # a mapping does, says its documentation
            _credentials(rows),
            resident_key_requirement="preferred",  # type: ignore[arg-type] # likewise
            user_verification="preferred",  # type: ignore[arg-type] # likewise
        )
        return Ceremony(dict(options), {**_plain(state), "handle": handle.hex()})

    def add(self, actor: Actor, name: str, state: dict[str, str], answer: str) -> None:
        """Keep a passkey that a browser has made, or raise InvalidPasskey."""
        server = self._server()
        with _refusing("The browser's answer does not fit; try again."):
            data = server.register_complete(state, json.loads(answer))
            made = data.credential_data
            assert made is not None, "a registration holds a credential"  # noqa: S101 - without one it is refused as well
            _check_key(made)
        row = StoredPasskey(
            user_id=actor.account,
            name=name,
            handle=bytes.fromhex(state["handle"]),
            credential_id=made.credential_id.hex(),
            credential=bytes(made),
            sign_count=data.counter,
            added_at=self._clock(),
        )
        try:
            with self._sessions.begin() as session:
                session.add(row)
        except IntegrityError as error:
            raise InvalidPasskey("That passkey is here already.") from error
        self._audit_log.record(actor, "passkey added", subject_of_account(actor.name), name)

    def remove(self, actor: Actor, number: int) -> str | None:
        """Forget a passkey of whoever asks, and give its name; None where there is none such."""
        mine = StoredPasskey.user_id == actor.account, StoredPasskey.id == number
        with self._sessions.begin() as session:
            name = session.scalar(delete(StoredPasskey).where(*mine).returning(StoredPasskey.name))
            if name is not None and actor.account is not None:
                drop_codes_without_a_factor(session, actor.account)
        if name is not None:
            self._audit_log.record(actor, "passkey removed", subject_of_account(actor.name), name)
        return name

    def begin_login(self, account: int | None = None) -> Ceremony:
        """Ask a browser for a passkey: one of an account after its password, or any that knows its owner by itself.

        Without a password the device must have recognised its owner, by a finger, a face or a number.
        """
        verification: Verification = "required" if account is None else "discouraged"
        known = None if account is None else _credentials(self._rows(account))
        options, state = self._server().authenticate_begin(
            known,
            user_verification=verification,  # type: ignore[arg-type] # its text does, says the documentation
        )
        return Ceremony(dict(options), _plain(state))

    def check(self, state: dict[str, str], answer: str, account: int | None = None) -> int:
        """Give the account that a browser's answer lets in, which is `account` where one is given, or raise InvalidPasskey."""
        from fido2.webauthn import AuthenticationResponse

        server = self._server()
        with _refusing(_NOT_GOOD):
            response = AuthenticationResponse.from_dict(json.loads(answer))
            credential = response.raw_id
        row = self._row(credential)
        if row is None or account not in (None, row.user_id):
            raise InvalidPasskey(_NOT_OURS)
        with _refusing(_NOT_GOOD):
            server.authenticate_complete(state, _credentials([row]), response)
            handle, count = response.response.user_handle, response.response.authenticator_data.counter
        if handle not in (None, b"", row.handle) or not self._used(row.id, count):
            raise InvalidPasskey(_NOT_OURS)
        return row.user_id

    def _used(self, number: int, count: int) -> bool:
        # A device that counts never counts backwards: if it seems to, the key was copied. Most say 0 and do not count.
        grown = or_(StoredPasskey.sign_count < count, (StoredPasskey.sign_count == 0) & (count == 0))
        mine = update(StoredPasskey).where(StoredPasskey.id == number, grown)
        with self._sessions.begin() as session:
            used = mine.values(sign_count=count, used_at=self._clock()).returning(StoredPasskey.id)
            return session.scalar(used) is not None

    def _rows(self, account: int | None) -> Sequence[StoredPasskey]:
        with self._sessions() as session:
            return session.scalars(select(StoredPasskey).where(StoredPasskey.user_id == account)).all()

    def _row(self, credential: bytes) -> StoredPasskey | None:
        with self._sessions() as session:
            return session.scalar(select(StoredPasskey).where(StoredPasskey.credential_id == credential.hex()))

    def _server(self) -> Fido2Server:
        from fido2.server import Fido2Server
        from fido2.webauthn import PublicKeyCredentialRpEntity

        if self._domain is None:
            raise InvalidPasskey("Browsers offer no passkeys at this site's address.")
        site = PublicKeyCredentialRpEntity(id=self._domain, name=_NAME)
        return Fido2Server(site, verify_origin=lambda origin: origin == self._origin)


def _check_key(made: AttestedCredentialData) -> None:
    from cryptography.exceptions import InvalidSignature

    # A key that can check nothing would lock its owner out; one that can says so of what nobody has signed.
    with suppress(InvalidSignature):
        made.public_key.verify(b"", b"")


@contextmanager
def _refusing(sentence: str) -> Iterator[None]:
    # The library reads bytes that anybody may send, and fails in as many ways as there are to be wrong.
    try:
        yield
    except Exception as error:
        raise InvalidPasskey(sentence) from error


def _credentials(rows: Sequence[StoredPasskey]) -> list[AttestedCredentialData]:
    from fido2.webauthn import AttestedCredentialData

    return [AttestedCredentialData(row.credential) for row in rows]


def _plain(state: dict[str, Any]) -> dict[str, str]:
    return {name: str(value) for name, value in state.items()}
