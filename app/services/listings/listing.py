"""One list of the database: a page of it, or all of it, a batch at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, ClassVar, Generic, TypeVar

from sqlalchemy import ColumnElement, Row, Select, SQLColumnExpression, func, literal, select
from sqlalchemy.orm import Session, sessionmaker

from app.services.listings.question import Question, read_question
from app.storage.tables import Moment

R = TypeVar("R")
Wanted = Select[*tuple[Any, ...]]
Found = Row[*tuple[Any, ...]]
_PAGE = 50
# A page far back takes as long as all before it: whoever looks for something that old filters, or takes the whole list away.
_MOST_PAGES = 200
_MOST_COUNTED = _PAGE * _MOST_PAGES
_BATCH = 1000
# Where there is no moment: databases differ in where they sort nothing.
EARLIEST = literal(datetime(1, 1, 2, tzinfo=UTC), Moment)
LATEST = literal(datetime(9999, 12, 30, tzinfo=UTC), Moment)


@dataclass(frozen=True, slots=True)
class Column:
    """What a list tells of each of its rows, in a column of its own on the page or only in the file."""

    name: str
    title: str
    sortable: bool = True
    number: bool = False
    shown: bool = True


@dataclass(frozen=True, slots=True)
class Filter:
    """What a list can be narrowed down by: one of some values, or a text."""

    name: str
    title: str
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rows(Generic[R]):
    """Some rows of a list; `number` and `pages` count from 1, and `total` is the least there are where `more` is true."""

    rows: tuple[R, ...]
    number: int
    pages: int
    total: int
    more: bool

    @property
    def previous(self) -> int | None:
        """The number of the page before, or None."""
        return self.number - 1 if self.number > 1 else None

    @property
    def next(self) -> int | None:
        """The number of the page after, or None."""
        return self.number + 1 if self.number < self.pages else None


class Listing(Generic[R]):
    """What all lists have in common: each says what its rows are, and what they can be found and sorted by."""

    name: ClassVar[str]
    columns: ClassVar[tuple[Column, ...]]
    usual: ClassVar[str]
    #: What each column is sorted by, where it can be; only these ever stand in a query.
    sorts: ClassVar[Mapping[str, SQLColumnExpression[Any]]]

    def __init__(self, *, sessions: sessionmaker[Session]) -> None:
        self._sessions = sessions

    def filters(self) -> tuple[Filter, ...]:
        """Give what the list can be narrowed down by."""
        return ()

    def read(self, given: Mapping[str, str]) -> Question:
        """Give what the texts of an address ask of this list."""
        filters = {choice.name: frozenset(choice.values) for choice in self.filters()}
        return read_question(given, sorts=tuple(self.sorts), usual=self.usual, filters=filters)

    def page(self, question: Question) -> Rows[R]:
        """Give one page; a number beyond the last gives the last, and no more than 10,000 rows are counted or paged through."""
        wanted = self._wanted(question)
        with self._sessions() as session:
            # The key alone is counted: where nothing is asked for, its index is all that is read.
            some = wanted.with_only_columns(self._key()).limit(_MOST_COUNTED + 1).subquery()
            total = session.scalar(select(func.count()).select_from(some)) or 0
            more = total > _MOST_COUNTED
            total = min(total, _MOST_COUNTED)
            pages = max(1, -(-total // _PAGE))
            number = min(question.page, pages)
            rows = session.execute(wanted.order_by(*self._order(question)).limit(_PAGE).offset((number - 1) * _PAGE))
            return Rows(tuple(map(self._row, rows)), number, pages, total, more)

    def batches(self, question: Question) -> Iterator[tuple[R, ...]]:
        """Give every row that is asked for, newest first whatever the order, in batches that each take a moment.

        A row that is added or deleted meanwhile changes no other: each batch begins after the last row of the one before.
        """
        wanted, last = self._wanted(question).add_columns(self._key().label("key_of_row")).order_by(self._key().desc()), None
        while True:
            with self._sessions() as session:
                rows = session.execute((wanted if last is None else wanted.where(self._key() < last)).limit(_BATCH)).all()
            if not rows:
                return
            yield tuple(map(self._row, rows))
            last = rows[-1].key_of_row

    def _key(self) -> SQLColumnExpression[Any]:
        """Give what a row is known by, which is never the same in two rows."""
        raise NotImplementedError

    def _select(self) -> Wanted:
        """Give the question for all rows."""
        raise NotImplementedError

    def _where(self, question: Question) -> Iterator[ColumnElement[bool]]:
        """Give what is true of the rows that are asked for."""
        raise NotImplementedError

    def _row(self, row: Found) -> R:
        """Give what is told of a row."""
        raise NotImplementedError

    def _wanted(self, question: Question) -> Wanted:
        return self._select().where(*self._where(question))

    def _order(self, question: Question) -> tuple[ColumnElement[Any], ...]:
        first, then = self.sorts[question.sort], self._key()
        return (first.desc(), then.desc()) if question.descending else (first.asc(), then.asc())


def beginning(day: date) -> datetime:
    """Give the moment at which a day begins."""
    return datetime.combine(day, time(), UTC)


def ending(day: date) -> datetime:
    """Give the moment at which a day is over."""
    return beginning(day) + timedelta(days=1)
