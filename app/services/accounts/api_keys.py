"""Keys for programs: made, listed, revoked, and checked. Only a digest of the secret is stored."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import secrets
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session, sessionmaker

from app.errors import DatabaseUnavailable, InvalidKey, InvalidRequest, KeyNotFound, MissingScope
from app.services.audit_log import Actor
from app.storage.tables import ApiKey, User, now

SCOPES = ("predict", "history:read", "models:read", "models:write", "metrics:read", "admin")
USUAL_SCOPES = ("predict", "models:read")
# A key has these only for as long as its owner is an administrator.
ADMINISTRATORS_SCOPES = frozenset({"models:write", "metrics:read", "admin"})
MOST_DAILY = 1_000_000_000
_PREFIX = "vtr"
_CACHED_SECONDS = 5.0
_CACHED_KEYS = 1000
_LONGEST_DAYS = 36_500
_REFUSED = "The API key is missing, unknown, expired or revoked."


@dataclass(frozen=True, slots=True)
class KeyHolder:
    """Whom a good key speaks for, and what it is good for."""

    key_id: str
    account: int
    scopes: frozenset[str]
    owner: str = ""
    daily: int | None = None

    @property
    def actor(self) -> Actor:
        """The key's owner, as the audit log names whoever does something by a key."""
        return Actor(self.owner, self.account, key=f"{_PREFIX}_{self.key_id}")

    def require(self, scope: str) -> None:
        """Raise MissingScope where the key is not good for `scope`."""
        if scope not in self.scopes:
            raise MissingScope(f"This key does not have the scope {scope!r}.")


@dataclass(frozen=True, slots=True)
class KeyRow:
    """What its owner may see of a key, ever after."""

    id: str
    name: str
    scopes: tuple[str, ...]
    created_at: datetime
    last_used_at: datetime | None
    expires_at: datetime | None
    revoked: bool
    daily: int | None = None

    @property
    def prefix(self) -> str:
        """The part of the key that tells it from the others."""
        return f"{_PREFIX}_{self.id}_…"

    @property
    def state(self) -> str:
        """In one word: good, expired or revoked."""
        if self.revoked:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= datetime.now(UTC) else "good"


class ApiKeys:
    """A key is `vtr_<id>_<secret>_<checksum>`; good ones are remembered for five seconds, so that a revoked one dies soon."""

    def __init__(self, *, sessions: sessionmaker[Session], clock: Callable[[], float] = time.monotonic) -> None:
        self._sessions = sessions
        self._clock = clock
        self._cache: dict[str, tuple[KeyHolder, float]] = {}
        self.hits = self.misses = 0

    def create(
        self,
        account: int,
        name: str,
        *,
        scopes: tuple[str, ...] = USUAL_SCOPES,
        days: int | None = None,
        daily: int | None = None,
    ) -> str:
        """Make a key and give it, this once; `daily` is how many pictures it may send in a day."""
        name = name.strip()
        _check(name, scopes, days, daily)
        key_id, secret = secrets.token_hex(6), secrets.token_hex(32)
        row = ApiKey(id=key_id, user_id=account, name=name, digest=_digest(secret), daily=daily)
        row.scopes = [scope for scope in SCOPES if scope in scopes]
        row.expires_at = None if days is None else now() + timedelta(days=days)
        with self._sessions.begin() as session:
            owner = session.get(User, account)
            if ADMINISTRATORS_SCOPES & set(scopes) and not (owner and owner.is_admin):
                raise InvalidRequest("Only an administrator's key may have the scopes models:write, metrics:read and admin.")
            session.add(row)
        return f"{_PREFIX}_{key_id}_{secret}_{_checksum(key_id, secret)}"

    def list(self, account: int) -> tuple[KeyRow, ...]:
        """Give an account's keys, newest first."""
        with self._sessions() as session:
            rows = session.scalars(select(ApiKey).where(ApiKey.user_id == account).order_by(ApiKey.created_at.desc()))
            return tuple(map(_row, rows))

    def get(self, account: int, key_id: str) -> KeyRow:
        """Give one key of the account, or raise KeyNotFound."""
        with self._sessions() as session:
            row = session.scalar(select(ApiKey).where(ApiKey.user_id == account, ApiKey.id == key_id))
            if row is None:
                raise KeyNotFound("There is no such key, or it is not yours.")
            return _row(row)

    def revoke(self, account: int, key_id: str) -> bool:
        """End a key of the account; False where it has no such key."""
        return self._end(ApiKey.user_id == account, ApiKey.id == key_id) is not None

    def revoke_of_anybody(self, key_id: str) -> str | None:
        """End a key, whoever's it is, and give its owner's address; None where there is no such key."""
        return self._end(ApiKey.id == key_id)

    def _end(self, *which: ColumnElement[bool]) -> str | None:
        with self._sessions.begin() as session:
            row = session.scalar(select(ApiKey).where(*which))
            if row is None:
                return None
            row.revoked_at = row.revoked_at or now()
            key_id, owner = row.id, row.user.email
        for text, (holder, _) in list(self._cache.items()):
            if holder.key_id == key_id:
                self._cache.pop(text, None)
        return owner

    def check(self, key: str) -> KeyHolder:
        """Tell whom a key speaks for, or raise InvalidKey."""
        fingerprint = _digest(key)
        holder, until = self._cache.get(fingerprint, (None, 0.0))
        if holder is not None and self._clock() < until:
            self.hits += 1
            return holder
        self.misses += 1
        holder = self._look_up(key)
        if len(self._cache) >= _CACHED_KEYS:
            self._cache.clear()
        self._cache[fingerprint] = holder, self._clock() + _CACHED_SECONDS
        return holder

    def _look_up(self, key: str) -> KeyHolder:
        parts = key.split("_")
        # The checksum spares the database a guess with a typing error in it.
        if len(parts) != 4 or parts[0] != _PREFIX or not _same(parts[3], _checksum(parts[1], parts[2])):
            raise InvalidKey(_REFUSED)
        with self._sessions() as session:
            row = session.get(ApiKey, parts[1])
            if row is None or not _same(row.digest, _digest(parts[2])):
                raise InvalidKey(_REFUSED)
            expired = row.expires_at is not None and row.expires_at <= datetime.now(UTC)
            if expired or row.revoked_at is not None or not row.user.active:
                raise InvalidKey(_REFUSED)
            holder = KeyHolder(row.id, row.user_id, _in_effect(row), row.user.email, row.daily)
        self._note_use(holder)
        return holder

    def _note_use(self, holder: KeyHolder) -> None:
        # A key stays good where the database can be read but not written to.
        with contextlib.suppress(DatabaseUnavailable), self._sessions.begin() as session:
            session.execute(update(ApiKey).where(ApiKey.id == holder.key_id).values(last_used_at=now()))


def _check(name: str, scopes: tuple[str, ...], days: int | None, daily: int | None) -> None:
    if not 1 <= len(name) <= 80:
        raise InvalidRequest("Give the key a name of 1 to 80 characters.")
    if not scopes:
        raise InvalidRequest("Say what the key is good for.")
    if unknown := sorted(set(scopes) - set(SCOPES)):
        raise InvalidRequest(f"There is no scope {unknown[0]!r}; there are {', '.join(SCOPES)}.")
    if days is not None and not 1 <= days <= _LONGEST_DAYS:
        raise InvalidRequest(f"A key lives for 1 to {_LONGEST_DAYS:,} days, or without an end.")
    if daily is not None and not 1 <= daily <= MOST_DAILY:
        raise InvalidRequest(f"A key may send 1 to {MOST_DAILY:,} pictures in a day, or any number.")


def _in_effect(row: ApiKey) -> frozenset[str]:
    scopes = frozenset(row.scopes)
    return scopes if row.user.is_admin else scopes - ADMINISTRATORS_SCOPES


def _row(row: ApiKey) -> KeyRow:
    return KeyRow(
        id=row.id,
        name=row.name,
        scopes=tuple(row.scopes),
        created_at=row.created_at,
        last_used_at=row.last_used_at,
        expires_at=row.expires_at,
        revoked=row.revoked_at is not None,
        daily=row.daily,
    )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _checksum(key_id: str, secret: str) -> str:
    return f"{zlib.crc32(f'{key_id}_{secret}'.encode()):08x}"


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())
