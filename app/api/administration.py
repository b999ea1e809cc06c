"""What administrators may read: who has an account, and who did what."""

from __future__ import annotations

from datetime import datetime

from flask import Blueprint, Response, request

from app.api.access import key_holder
from app.api.openapi import Operation, documented
from app.api.queries import read_query
from app.api.replies import render_problem, reply
from app.api.schemas import Account, AccountList, AuditLogEntry, AuditLogPage, NumberedQuery
from app.http.context import services
from app.http.errors import render_errors
from app.services.accounts.people import Person
from app.services.audit_log import Entry

blueprint = Blueprint("api_administration", __name__, url_prefix="/api/v1")
render_errors(blueprint, render_problem)

_TAKEN = "The query may hold limit, from 1 to 100, and before, a whole number from 1, and nothing else."


@blueprint.get("/people")
@documented(Operation("list_people", AccountList, "administration", query=NumberedQuery))
def list_people() -> Response:
    """List the accounts, the newest first."""
    key_holder("admin")
    query = read_query(request, NumberedQuery, _TAKEN)
    people = services().people.before(query.before, query.limit + 1)
    some = people[: query.limit]
    left = some[-1].id if len(people) > query.limit else None
    return reply(AccountList(people=[_account(person) for person in some], next=left).model_dump())


@blueprint.get("/audit-log")
@documented(Operation("list_deeds", AuditLogPage, "administration", query=NumberedQuery))
def list_deeds() -> Response:
    """List what was done to models and accounts, and by whom, newest first."""
    key_holder("admin")
    query = read_query(request, NumberedQuery, _TAKEN)
    entries = services().audit_log.before(query.before, query.limit + 1)
    some = entries[: query.limit]
    left = some[-1].id if len(entries) > query.limit else None
    return reply(AuditLogPage(entries=[_entry(entry) for entry in some], next=left).model_dump())


def _account(person: Person) -> Account:
    return Account(
        id=person.id,
        email=person.email,
        admin=person.admin,
        active=person.active,
        created_at=_text(person.created_at),
        logged_in_at=None if person.logged_in_at is None else _text(person.logged_in_at),
    )


def _entry(entry: Entry) -> AuditLogEntry:
    return AuditLogEntry(
        id=entry.id,
        at=_text(entry.at),
        actor=entry.actor,
        action=entry.action,
        subject=entry.subject,
        detail=entry.detail,
        address=entry.address,
    )


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds")
