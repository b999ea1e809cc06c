"""What is asked of a list, from texts that anybody may have written into an address."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

_LONGEST = 100
_DIGITS = re.compile(r"\d{1,6}", re.ASCII)
_YEARS = range(1970, 9999)


@dataclass(frozen=True, slots=True)
class Question:
    """Which rows, in which order, and which page of them; what could not be understood is left out, each with a sentence."""

    search: str = ""
    chosen: Mapping[str, str] = field(default_factory=dict)
    since: date | None = None
    until: date | None = None
    sort: str = ""
    descending: bool = False
    page: int = 1
    misunderstood: tuple[str, ...] = ()

    @property
    def order(self) -> str:
        """The order in one word, as an address has it: a column, with a minus before it for the largest first."""
        return f"-{self.sort}" if self.descending else self.sort

    @property
    def asked(self) -> dict[str, str]:
        """Everything that narrows the list down, as an address has it."""
        days = {name: day.isoformat() for name, day in (("since", self.since), ("until", self.until)) if day}
        return {**({"q": self.search} if self.search else {}), **self.chosen, **days}


def read_question(
    given: Mapping[str, str], *, sorts: tuple[str, ...], usual: str, filters: Mapping[str, frozenset[str]]
) -> Question:
    """Give what the texts of an address ask for.

    `sorts` are the columns that may be sorted by, and `usual` is the order where none of them is named; `filters` are what may
    be chosen under a name, where an empty set lets any text be written.
    """
    said: list[str] = []
    texts = {name: value.replace("\0", "").strip()[:_LONGEST] for name, value in given.items()}
    order = texts.get("sort", "")
    if order.removeprefix("-") not in sorts:
        if order:
            said.append("The list cannot be sorted by that.")
        order = usual
    chosen = {name: texts[name] for name in filters if texts.get(name)}
    for name, values in filters.items():
        if name in chosen and values and chosen[name] not in values:
            said.append(f"There is no {name} “{chosen.pop(name)}”, so all are shown.")
    return Question(
        search=texts.get("q", ""),
        chosen=chosen,
        since=_day(texts.get("since", ""), said),
        until=_day(texts.get("until", ""), said),
        sort=order.removeprefix("-"),
        descending=order.startswith("-"),
        page=max(1, int(texts["page"])) if _DIGITS.fullmatch(texts.get("page", "")) else 1,
        misunderstood=tuple(said),
    )


def _day(text: str, said: list[str]) -> date | None:
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or day.year not in _YEARS:
        said.append(f"“{text}” is no day like 2026-11-29, so it is left out.")
        return None
    return day
