"""What the site has of a person: given to them as a file, and deleted when they go."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import chain
from typing import Any

import orjson
from sqlalchemy import ColumnElement, and_, delete, func, or_, select
from sqlalchemy.orm import Session, sessionmaker

from app.errors import AccountNotFound, InvalidRequest
from app.services.audit_log import Actor, AuditLog, subject_of_account
from app.services.pictures import PictureStore
from app.services.zip_stream import Entry, zip_stream
from app.storage.tables import (
    ApiKey,
    AuditEntry,
    Role,
    StoredAddressChange,
    StoredAuthenticator,
    StoredIdentity,
    StoredLogin,
    StoredPasskey,
    StoredPrediction,
    StoredRecoveryCode,
    StoredShadowAnswer,
    User,
)

_AT_ONCE = 500

# What is given of each row: never a digest, a hash, or what cookies are checked by.
GIVEN: dict[type[Any], tuple[str, ...]] = {
    User: ("email", "active", "created_at", "logged_in_at"),
    StoredAddressChange: ("email", "expires_at"),
    StoredIdentity: ("issuer", "subject", "linked_at"),
    StoredAuthenticator: ("added_at",),
    StoredPasskey: ("name", "added_at", "used_at"),
    StoredRecoveryCode: (),
    StoredLogin: ("browser", "address", "began_at", "seen_at"),
    ApiKey: ("id", "name", "scopes", "created_at", "last_used_at", "expires_at", "revoked_at", "daily"),
    AuditEntry: ("at", "actor", "action", "subject", "detail"),
    StoredPrediction: (
        *("id", "model", "version", "label", "probability", "scores", "picture", "timings", "file_name", "created_at"),
    ),
    StoredShadowAnswer: (
        *("model", "version", "against", "label", "probability", "shadow_label", "shadow_probability"),
        *("difference", "ms", "created_at"),
    ),
}


_LISTS: dict[str, type[Any]] = {"identities": StoredIdentity, "keys": ApiKey, "logins": StoredLogin, "passkeys": StoredPasskey}


class PersonalData:
    """Gives an account's owner everything that is kept of them, and deletes it all at once."""

    def __init__(self, *, sessions: sessionmaker[Session], pictures: PictureStore, audit_log: AuditLog) -> None:
        self._sessions = sessions
        self._pictures = pictures
        self._audit_log = audit_log

    def archive(self, account: int) -> Iterator[bytes]:
        """Give the pieces of a ZIP file with everything that is kept of an account, or raise AccountNotFound."""
        with self._sessions() as session:
            user = _user(session, account)
            waiting, app = session.get(StoredAddressChange, account), session.get(StoredAuthenticator, account)
            own = {
                **_given(user),
                "roles": [role.name for role in user.roles],
                "new_address": waiting and _given(waiting),
                "authenticator": app and _given(app),
            }
            first = [_entry("account.json", own), _entry("deeds.json", _deeds(session, user))]
            for name, table in _LISTS.items():
                rows = session.scalars(select(table).where(table.user_id == account).order_by(table.id))
                first.append(_entry(f"{name}.json", list(map(_given, rows))))
        return zip_stream(chain(first, self._predictions(account)))

    def delete(self, account: int, actor: Actor) -> str:
        """Delete an account with all that is kept of it, and give its address; raises AccountNotFound, or InvalidRequest.

        What it did to models and people stays written down, with the address that it had then.
        """
        with self._sessions() as session:
            _check_may_go(session, _user(session, account), actor)
        # Before the rows: whoever is interrupted here has an account left, and deletes the rest another time.
        dropped = self._drop_pictures(self._identifiers(account))
        with self._sessions.begin() as session:
            # Of two administrators who go at once the second waits here, and is the last then.
            session.execute(select(Role.id).where(Role.name == "admin").with_for_update())
            gone = delete(StoredPrediction).where(StoredPrediction.user_id == account).returning(StoredPrediction.id)
            since = set(session.scalars(gone)) - dropped
            user = _user(session, account)
            _check_may_go(session, user, actor)
            email = user.email
            session.delete(user)
        self._drop_pictures(since)
        own = actor.account == account
        self._audit_log.record(replace(actor, account=None) if own else actor, "deleted", subject_of_account(email))
        return email

    def _identifiers(self, account: int) -> set[str]:
        with self._sessions() as session:
            return set(session.scalars(select(StoredPrediction.id).where(StoredPrediction.user_id == account)))

    def _drop_pictures(self, predictions: Iterable[str]) -> set[str]:
        dropped = set(predictions)
        self._pictures.drop(*dropped)
        return dropped

    def _predictions(self, account: int) -> Iterator[Entry]:
        number, last = 0, ""
        while True:
            number += 1
            own = StoredPrediction.user_id == account, StoredPrediction.guest.is_(None), StoredPrediction.id > last
            some = select(StoredPrediction).where(*own).order_by(StoredPrediction.id).limit(_AT_ONCE)
            # A session for some of them: a browser that loads slowly must not hold one.
            with self._sessions() as session:
                rows = list(map(_given, session.scalars(some)))
                _add_shadows(session, rows)
            if not rows:
                return
            yield _entry(f"predictions-{number}.json", rows)
            kept = self._pictures.kept(row["id"] for row in rows)
            last = rows[-1]["id"]
            for prediction_id in (row["id"] for row in rows if row["id"] in kept):
                content = self._pictures.read(prediction_id, "picture")
                if content is not None:
                    yield Entry(f"pictures/{prediction_id}.jpg", content, compressed=True)


def _user(session: Session, account: int) -> User:
    user = session.get(User, account)
    if user is None:
        raise AccountNotFound("There is no such account.")
    return user


def _check_may_go(session: Session, user: User, actor: Actor) -> None:
    others = select(func.count(User.id)).where(User.id != user.id, User.active, User.roles.any(Role.name == "admin"))
    if actor.account == user.id and user.is_admin and not session.scalar(others):
        raise InvalidRequest("You are the only administrator: let somebody else administer the site before you go.")


def _given(row: Any) -> dict[str, Any]:
    return {name: getattr(row, name) for name in GIVEN[type(row)]}


def _add_shadows(session: Session, predictions: list[dict[str, Any]]) -> None:
    """Put with each prediction what versions in the shadow said of its picture."""
    known = {row["id"]: row.setdefault("shadows", []) for row in predictions}
    said = select(StoredShadowAnswer).where(StoredShadowAnswer.prediction_id.in_(known)).order_by(StoredShadowAnswer.id)
    for answer in session.scalars(said):
        known[answer.prediction_id].append(_given(answer))


def _entry(name: str, value: object) -> Entry:
    return Entry(name, orjson.dumps(value, option=orjson.OPT_INDENT_2))


def _deeds(session: Session, user: User) -> list[dict[str, Any]]:
    """Give what the account did, and what was done to it under the addresses that it had, while it had them."""
    own = AuditEntry.account_id == user.id
    moves = select(AuditEntry).where(own, AuditEntry.action == "changed address").order_by(AuditEntry.id)
    about: list[ColumnElement[bool]] = []
    names, since = {user.email}, user.created_at
    for move in session.scalars(moves):
        about.append(and_(AuditEntry.subject == subject_of_account(move.actor), AuditEntry.at.between(since, move.at)))
        names.add(move.actor)
        since = move.at
    about.append(and_(AuditEntry.subject == subject_of_account(user.email), AuditEntry.at >= since))
    found = session.scalars(select(AuditEntry).where(or_(own, *about)).order_by(AuditEntry.id))
    return [{**_given(entry), "actor": _actor(entry.actor, names)} for entry in found]


def _actor(name: str, own: set[str]) -> str:
    # Who runs the site is not told by it to everybody.
    return "an administrator" if "@" in name and name not in own else name
