"""The audit log, for administrators: who did what to what, when and from where."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from sqlalchemy import ColumnElement, SQLColumnExpression, func, or_, select

from app.services.audit_log import ACTIONS
from app.services.listings.listing import Column, Filter, Found, Listing, Wanted, beginning, ending
from app.services.listings.question import Question
from app.storage.tables import AuditEntry


@dataclass(frozen=True, slots=True)
class ListedDeed:
    """One thing that was done."""

    id: int
    at: datetime
    actor: str
    action: str
    subject: str
    detail: str
    address: str | None


class DeedListing(Listing[ListedDeed]):
    """Everything that is written down."""

    name = "audit-log"
    columns = (
        Column("at", "When"),
        Column("actor", "Who"),
        Column("action", "What"),
        Column("subject", "To what"),
        Column("detail", "Details", sortable=False),
        Column("address", "From where"),
    )
    usual = "-at"
    sorts: ClassVar = {
        "at": AuditEntry.id,
        "actor": func.lower(AuditEntry.actor),
        "action": AuditEntry.action,
        "subject": AuditEntry.subject,
        "address": func.coalesce(AuditEntry.address, ""),
    }

    def filters(self) -> tuple[Filter, ...]:
        """Give what the list can be narrowed down by."""
        return (Filter("action", "What", ACTIONS),)

    def _key(self) -> SQLColumnExpression[int]:
        return AuditEntry.id

    def _select(self) -> Wanted:
        entry = AuditEntry
        return select(entry.id, entry.at, entry.actor, entry.action, entry.subject, entry.detail, entry.address)

    def _where(self, question: Question) -> Iterator[ColumnElement[bool]]:
        if text := question.search:
            searched = (AuditEntry.actor, AuditEntry.subject, AuditEntry.detail, AuditEntry.address)
            yield or_(*(column.icontains(text, autoescape=True) for column in searched))
        if action := question.chosen.get("action"):
            yield AuditEntry.action == action
        if question.since:
            yield AuditEntry.at >= beginning(question.since)
        if question.until:
            yield AuditEntry.at < ending(question.until)

    def _row(self, row: Found) -> ListedDeed:
        return ListedDeed(*row[:7])
