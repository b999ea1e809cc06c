"""All keys for programs, for administrators: whose they are, how long they live and whether they are used."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from sqlalchemy import ColumnElement, SQLColumnExpression, case, func, or_, select

from app.services.listings.listing import EARLIEST, LATEST, Column, Filter, Found, Listing, Wanted, beginning, ending
from app.services.listings.question import Question
from app.storage.tables import ApiKey, User, now


@dataclass(frozen=True, slots=True)
class ListedKey:
    """What administrators see of a key: never the key itself."""

    id: str
    name: str
    account: str
    scopes: str
    created_at: datetime
    last_used_at: datetime | None
    expires_at: datetime | None
    state: str


class KeyListing(Listing[ListedKey]):
    """Keys of all people."""

    name = "keys"
    columns = (
        Column("id", "Key", sortable=False, shown=False),
        Column("name", "Name"),
        Column("account", "Whose"),
        Column("scopes", "Good for", sortable=False),
        Column("created_at", "Made"),
        Column("last_used_at", "Last used"),
        Column("expires_at", "Good until"),
        Column("state", "State", sortable=False),
    )
    usual = "-created_at"
    sorts: ClassVar = {
        "name": func.lower(ApiKey.name),
        "account": func.lower(User.email),
        "created_at": ApiKey.created_at,
        "last_used_at": func.coalesce(ApiKey.last_used_at, EARLIEST),
        "expires_at": func.coalesce(ApiKey.expires_at, LATEST),
    }

    def filters(self) -> tuple[Filter, ...]:
        """Give what the list can be narrowed down by."""
        return (Filter("state", "State", ("good", "expired", "revoked")),)

    def _key(self) -> SQLColumnExpression[str]:
        return ApiKey.id

    def _select(self) -> Wanted:
        columns = (ApiKey.id, ApiKey.name, User.email, ApiKey.scopes, ApiKey.created_at, ApiKey.last_used_at, ApiKey.expires_at)
        return select(*columns, self._state()).join(User, User.id == ApiKey.user_id)

    def _where(self, question: Question) -> Iterator[ColumnElement[bool]]:
        if text := question.search:
            yield or_(*(column.icontains(text, autoescape=True) for column in (ApiKey.name, User.email, ApiKey.id)))
        if state := question.chosen.get("state"):
            yield self._state() == state
        if question.since:
            yield ApiKey.created_at >= beginning(question.since)
        if question.until:
            yield ApiKey.created_at < ending(question.until)

    def _state(self) -> ColumnElement[str]:
        return case((ApiKey.revoked_at.is_not(None), "revoked"), (ApiKey.expires_at <= now(), "expired"), else_="good")

    def _row(self, row: Found) -> ListedKey:
        return ListedKey(row[0], row[1], row[2], " ".join(row[3]), *row[4:8])
