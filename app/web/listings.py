"""A list on a page: what is asked of it comes from the address, and every way on from it is an address again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from typing import Any

from flask import Response, request, url_for

from app.http.context import acting_administrator, services
from app.services.audit_log import subject_of_list
from app.services.listings.listing import Column, Filter, Listing, Rows
from app.services.listings.question import Question
from app.services.spreadsheets import csv_pieces


@dataclass(frozen=True, slots=True)
class ShownList:
    """What a template shows of a list."""

    name: str
    endpoint: str
    columns: tuple[Column, ...]
    filters: tuple[Filter, ...]
    question: Question
    page: Rows[Any]
    usual: str

    @property
    def asked(self) -> dict[str, str]:
        """What an address says of the list, but for the page."""
        order = {} if self.question.order == self.usual else {"sort": self.question.order}
        return {**self.question.asked, **order}

    @property
    def narrowed(self) -> bool:
        """Whether only some of the rows are asked for."""
        return bool(self.question.asked)

    @property
    def file(self) -> str:
        """Where all that is asked for can be taken away."""
        return url_for("records.download", name=self.name, **dict[str, Any](self.question.asked))

    def order(self, column: Column) -> str:
        """How the list is sorted by a column, as `aria-sort` has it: ascending, descending or none."""
        if column.name != self.question.sort:
            return "none"
        return "descending" if self.question.descending else "ascending"

    def sorted_by(self, column: Column) -> str:
        """Where the list is sorted by a column; by the one it is sorted by now, the other way round."""
        order = f"-{column.name}" if self.order(column) == "ascending" else column.name
        return url_for(self.endpoint, **dict[str, Any](self.question.asked), sort=order)


def shown(listing: Listing[Any], endpoint: str) -> ShownList:
    """Give what the address of this request asks of a list."""
    question = listing.read(request.args.to_dict())
    return ShownList(
        name=listing.name,
        endpoint=endpoint,
        columns=tuple(column for column in listing.columns if column.shown),
        filters=listing.filters(),
        question=question,
        page=listing.page(question),
        usual=listing.usual,
    )


def file_of(listing: Listing[Any]) -> Response:
    """Give all that the address of this request asks of a list as a file, made while it is sent, and write down who took it."""
    question = listing.read(request.args.to_dict())
    pieces = csv_pieces([column.name for column in listing.columns], listing.batches(question))
    # The first one before the answer begins, so that it can still be an error.
    first = next(pieces)
    asked = ", ".join(f"{name} {value}" for name, value in question.asked.items())
    services().audit_log.record(acting_administrator(), "downloaded", subject_of_list(listing.name), asked)
    response = Response(chain([first], pieces), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="{listing.name}-{datetime.now(UTC):%Y-%m-%d}.csv"'
    return response
