"""The lists that there are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session, sessionmaker

from app.services.listings.deeds import DeedListing
from app.services.listings.keys import KeyListing
from app.services.listings.listing import Listing
from app.services.listings.people import PersonListing
from app.services.listings.predictions import PredictionListing


@dataclass(frozen=True, slots=True)
class Lists:
    """What administrators look up."""

    people: PersonListing
    predictions: PredictionListing
    keys: KeyListing
    deeds: DeedListing

    def named(self, name: str) -> Listing[Any] | None:
        """Give the list of that name, or None."""
        lists: tuple[Listing[Any], ...] = (self.people, self.predictions, self.keys, self.deeds)
        return next((one for one in lists if one.name == name), None)


def lists_of(sessions: sessionmaker[Session], *, models: Callable[[], Sequence[str]]) -> Lists:
    """Give the lists of a database; `models` gives the names of the models that there are."""
    return Lists(
        people=PersonListing(sessions=sessions),
        predictions=PredictionListing(sessions=sessions, models=models),
        keys=KeyListing(sessions=sessions),
        deeds=DeedListing(sessions=sessions),
    )
