"""All accounts, for administrators."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from sqlalchemy import ColumnElement, SQLColumnExpression, and_, case, exists, func, or_, select

from app.services.accounts.people import Person
from app.services.listings.listing import EARLIEST, Column, Filter, Found, Listing, Wanted, beginning, ending
from app.services.listings.question import Question
from app.storage.tables import Role, StoredAuthenticator, StoredPasskey, User, roles_of_users

_ADMIN = exists().where(and_(roles_of_users.c.user_id == User.id, roles_of_users.c.role_id == Role.id, Role.name == "admin"))

_SECURED = or_(exists().where(StoredAuthenticator.user_id == User.id), exists().where(StoredPasskey.user_id == User.id))


class PersonListing(Listing[Person]):
    """Accounts, by their address."""

    name = "people"
    columns = (
        Column("email", "Address"),
        Column("admin", "Role"),
        Column("active", "State"),
        Column("second_factor", "Second factor"),
        Column("created_at", "Since"),
        Column("logged_in_at", "Last login"),
    )
    usual = "email"
    sorts: ClassVar = {
        "email": func.lower(User.email),
        "admin": case((_ADMIN, 0), else_=1),
        "active": case((User.active, 0), else_=1),
        "second_factor": case((_SECURED, 0), else_=1),
        "created_at": User.created_at,
        "logged_in_at": func.coalesce(User.logged_in_at, EARLIEST),
    }

    def filters(self) -> tuple[Filter, ...]:
        """Give what the list can be narrowed down by."""
        return (
            Filter("role", "Role", ("administrator", "member")),
            Filter("state", "State", ("active", "disabled")),
            Filter("factor", "Second factor", ("yes", "no")),
        )

    def _key(self) -> SQLColumnExpression[int]:
        return User.id

    def _select(self) -> Wanted:
        admin, secured = case((_ADMIN, 1), else_=0), case((_SECURED, 1), else_=0)
        return select(User.id, User.email, admin, User.active, User.created_at, User.logged_in_at, secured)

    def _where(self, question: Question) -> Iterator[ColumnElement[bool]]:
        if text := question.search:
            yield User.email.icontains(text, autoescape=True)
        if role := question.chosen.get("role"):
            yield _ADMIN if role == "administrator" else ~_ADMIN
        if state := question.chosen.get("state"):
            yield User.active.is_(state == "active")
        if factor := question.chosen.get("factor"):
            yield _SECURED if factor == "yes" else ~_SECURED
        if question.since:
            yield User.created_at >= beginning(question.since)
        if question.until:
            yield User.created_at < ending(question.until)

    def _row(self, row: Found) -> Person:
        number, email, admin, active, created_at, logged_in_at, secured = row[:7]
        return Person(number, email, bool(admin), active, created_at, logged_in_at, bool(secured))
