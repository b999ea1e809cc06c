"""The tables. "Model" always means the machine-learning model, so these are called tables."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from flask_security import AsaList, RoleMixin, UserMixin
from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    DateTime,
    ForeignKey,
    Index,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.mutable import MutableList
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship
from sqlalchemy.types import TypeDecorator

# Named constraints can be changed by a later migration, also on SQLite.
_NAMING = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """The root of all tables."""

    metadata = MetaData(naming_convention=_NAMING)


class Moment(TypeDecorator[datetime]):
    """A point in time: UTC in the database, aware in Python (SQLite keeps no time zone)."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Give the naive UTC time that is stored."""
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Give the aware time that was stored."""
        return None if value is None else value.replace(tzinfo=UTC)


def now() -> datetime:
    """Give the present moment, aware."""
    return datetime.now(UTC)


roles_of_users = Table(
    "roles_users",
    Base.metadata,
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("role_id", ForeignKey("roles.id", ondelete="CASCADE"), primary_key=True),
)


class Role(Base, RoleMixin):
    """What an account may do beyond what every member does; "admin" is the one role, and who has no account is a guest."""

    __tablename__ = "roles"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80), unique=True)
    description: Mapped[str | None] = mapped_column(String(255))
    permissions: Mapped[list[str] | None] = mapped_column(MutableList.as_mutable(AsaList()))


class User(Base, UserMixin):
    """An account; the columns are those that the accounts library asks for."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(255), unique=True)
    password: Mapped[str | None] = mapped_column(String(255))
    active: Mapped[bool] = mapped_column(default=True)
    fs_uniquifier: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(Moment, default=now)
    logged_in_at: Mapped[datetime | None] = mapped_column(Moment)
    # The mixin annotates a list of its own role class, and lists are invariant.
    roles: Mapped[list[Role]] = relationship(secondary=roles_of_users, lazy="selectin")  # type: ignore[assignment]

    @property
    def is_admin(self) -> bool:
        """Whether the account may administer the site."""
        return any(role.name == "admin" for role in self.roles)


class ApiKey(Base):
    """A key for programs: its secret is kept as a digest only."""

    __tablename__ = "api_keys"

    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(80))
    digest: Mapped[str] = mapped_column(String(64))
    scopes: Mapped[list[str]] = mapped_column(JSON)
    daily: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(Moment, default=now)
    last_used_at: Mapped[datetime | None] = mapped_column(Moment)
    expires_at: Mapped[datetime | None] = mapped_column(Moment)
    revoked_at: Mapped[datetime | None] = mapped_column(Moment)
    user: Mapped[User] = relationship(lazy="joined")


class IdempotentRequest(Base):
    """A request that its sender gave a name, so that it can be sent again; it goes with its key."""

    __tablename__ = "idempotent_requests"

    key_id: Mapped[str] = mapped_column(ForeignKey("api_keys.id", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(String(255), primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(64))
    prediction_id: Mapped[str] = mapped_column(String(26))
    answer: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    held_until: Mapped[datetime] = mapped_column(Moment)
    expires_at: Mapped[datetime] = mapped_column(Moment, index=True)


class StoredPrediction(Base):
    """One answer of a model, belonging to an account or to a guest's session."""

    __tablename__ = "predictions"

    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    guest: Mapped[str | None] = mapped_column(String(32))
    model: Mapped[str] = mapped_column(String(63))
    version: Mapped[str] = mapped_column(String(16))
    label: Mapped[str] = mapped_column(String(255))
    probability: Mapped[float]
    scores: Mapped[list[tuple[str, float]]] = mapped_column(JSON)
    picture: Mapped[dict[str, Any]] = mapped_column(JSON)
    timings: Mapped[dict[str, float]] = mapped_column(JSON)
    file_name: Mapped[str | None] = mapped_column(String(255))
    created_at: Mapped[datetime] = mapped_column(Moment)

    # Identifiers sort by time, so one index serves "my newest first", an account's or a guest's (one of them is always empty),
    # and what is too old is found by its identifier: each further index is a page more to write for every answer.
    __table_args__ = (Index("ix_predictions_user_id_guest_id", "user_id", "guest", "id"),)


class StoredShadowAnswer(Base):
    """What a version in a model's shadow said of a picture beside the answer, which it goes with; nothing where it failed."""

    __tablename__ = "shadow_answers"

    id: Mapped[int] = mapped_column(primary_key=True)
    model: Mapped[str] = mapped_column(String(63))
    version: Mapped[str] = mapped_column(String(16))
    against: Mapped[str] = mapped_column(String(16))
    prediction_id: Mapped[str | None] = mapped_column(ForeignKey("predictions.id", ondelete="CASCADE"), index=True)
    label: Mapped[str] = mapped_column(String(255))
    probability: Mapped[float]
    shadow_label: Mapped[str | None] = mapped_column(String(255))
    shadow_probability: Mapped[float | None]
    difference: Mapped[float | None]
    ms: Mapped[float | None]
    passed_over: Mapped[int]  # pictures that the process had no time for since its row before
    created_at: Mapped[datetime] = mapped_column(Moment)

    __table_args__ = (Index("ix_shadow_answers_model_id", "model", "id"),)


class StoredInvitation(Base):
    """Somebody who may make an account, invited by nobody where they register; of the link's token only a digest is kept."""

    __tablename__ = "invitations"

    id: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    email: Mapped[str] = mapped_column(String(255), unique=True)
    admin: Mapped[bool]
    invited_by: Mapped[str] = mapped_column(String(255))
    expires_at: Mapped[datetime] = mapped_column(Moment)


class StoredAddressChange(Base):
    """The address that an account is to have once its link is used; of the token in it only a digest is kept."""

    __tablename__ = "address_changes"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    email: Mapped[str] = mapped_column(String(255))
    expires_at: Mapped[datetime] = mapped_column(Moment)


class StoredLogin(Base):
    """A browser in which an account is logged in; of the token in its cookie only a digest is kept."""

    __tablename__ = "logins"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    browser: Mapped[str] = mapped_column(String(255))
    address: Mapped[str] = mapped_column(String(45))
    began_at: Mapped[datetime] = mapped_column(Moment, index=True)
    seen_at: Mapped[datetime] = mapped_column(Moment)


class StoredIdentity(Base):
    """Who an account is at a provider of single sign-on: one subject of an issuer, and one of each issuer for an account."""

    __tablename__ = "identities"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    issuer: Mapped[str] = mapped_column(String(255))
    subject: Mapped[str] = mapped_column(String(255))
    linked_at: Mapped[datetime] = mapped_column(Moment, default=now)

    __table_args__ = (
        UniqueConstraint("issuer", "subject", name="uq_identities_issuer"),
        UniqueConstraint("user_id", "issuer", name="uq_identities_user_id"),
    )


class StoredAuthenticator(Base):
    """An app that tells an account's codes: the secret that both know, encrypted, and the newest code that was used."""

    __tablename__ = "authenticators"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    secret: Mapped[str] = mapped_column(String(255))
    last_counter: Mapped[int] = mapped_column(BigInteger)
    added_at: Mapped[datetime] = mapped_column(Moment)


class StoredRecoveryCode(Base):
    """A code that lets an account in once without its second factor; only a digest is kept."""

    __tablename__ = "recovery_codes"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    digest: Mapped[str] = mapped_column(String(64))


class StoredPasskey(Base):
    """The public half of a passkey, and how often its device says that it was used, where it counts."""

    __tablename__ = "passkeys"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(80))
    handle: Mapped[bytes] = mapped_column(LargeBinary(64))
    credential_id: Mapped[str] = mapped_column(String(2046), unique=True)
    credential: Mapped[bytes] = mapped_column(LargeBinary)
    sign_count: Mapped[int] = mapped_column(BigInteger)
    added_at: Mapped[datetime] = mapped_column(Moment)
    used_at: Mapped[datetime | None] = mapped_column(Moment)


class Attempt(Base):
    """How often somebody tried to log in within a window of time, counted for all workers."""

    __tablename__ = "attempts"

    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    amount: Mapped[int]
    expires_at: Mapped[float] = mapped_column(index=True)


class AuditEntry(Base):
    """Who did what, when and from where; it outlives the account that did it, and the database itself refuses to change it."""

    __tablename__ = "audit_log"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(Moment, default=now)
    actor: Mapped[str] = mapped_column(String(255))
    account_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"), index=True)
    action: Mapped[str] = mapped_column(String(40))
    subject: Mapped[str] = mapped_column(String(255))
    detail: Mapped[str] = mapped_column(String(1000))
    address: Mapped[str | None] = mapped_column(String(45))

    # Identifiers grow with time, so one index serves "what was done to this, newest first".
    __table_args__ = (Index("ix_audit_log_subject_id", "subject", "id"),)
