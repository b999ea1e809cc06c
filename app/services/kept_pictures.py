"""The pictures that are kept of a model's answers, whoever's they are: to be answered again, never to be shown."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from app.services.pictures import PictureStore
from app.services.recorder import Owner
from app.storage.tables import StoredPrediction

# Looked through backwards by identifier, which has an index; of answers that came by key no picture is kept.
_AT_ONCE = 2000
# So many pictures are looked for together: more than are wanted would be looked for in vain.
_LOOKED_FOR = 100

_Row = tuple[str, int | None, str | None, str]


@dataclass(frozen=True, slots=True)
class KeptPicture:
    """A picture that is kept of an answer, and whose it is: it may be shown to nobody else."""

    prediction_id: str
    owner: Owner


class KeptPictures:
    """Finds pictures for whoever compares versions; only what they are answered may leave, with whose they are."""

    def __init__(self, *, sessions: sessionmaker[Session], pictures: PictureStore) -> None:
        self._sessions = sessions
        self._pictures = pictures

    def newest(self, model: str, most: int, until: float) -> tuple[KeptPicture, ...]:
        """Give the newest that are kept of a model's answers, as many as are found before `until` (`time.monotonic`).

        Raises DatabaseUnavailable.
        """
        found: list[KeptPicture] = []
        before: str | None = None
        while len(found) < most and (before is None or time.monotonic() < until):
            rows = self._before(before)
            own = [row for row in rows if row[3] == model]
            for start in range(0, len(own), _LOOKED_FOR):
                if len(found) < most and (start == 0 or time.monotonic() < until):
                    found += self._kept(own[start : start + _LOOKED_FOR])
            if len(rows) < _AT_ONCE:
                break
            before = rows[-1][0]
        return tuple(found[:most])

    def read(self, picture: KeptPicture) -> bytes | None:
        """Give the picture as it is kept, or None where it has been deleted."""
        return self._pictures.read(picture.prediction_id, "picture")

    def _kept(self, rows: Sequence[_Row]) -> list[KeptPicture]:
        there = self._pictures.kept(row[0] for row in rows)
        return [KeptPicture(number, Owner(user_id, guest)) for number, user_id, guest, _ in rows if number in there]

    def _before(self, prediction_id: str | None) -> Sequence[_Row]:
        told = StoredPrediction
        wanted = select(told.id, told.user_id, told.guest, told.model).order_by(told.id.desc()).limit(_AT_ONCE)
        if prediction_id is not None:
            wanted = wanted.where(told.id < prediction_id)
        with self._sessions() as session:
            return [(row.id, row.user_id, row.guest, row.model) for row in session.execute(wanted)]
