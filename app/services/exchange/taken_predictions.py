"""Predictions that come from elsewhere: their owners are found by address, and what they hold is what a page will show."""

from __future__ import annotations

import re
from dataclasses import MISSING, fields
from math import isfinite
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from app.errors import InvalidRequest
from app.inference.prediction import STAGES, Picture, Timings
from app.services.exchange.shapes import Row
from app.services.exchange.store import Placed
from app.services.exchange.taken_accounts import numbers_of
from app.storage.tables import StoredPrediction

_IDENTIFIER = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}")
_PICTURE = {field.name for field in fields(Picture)}
_TIMED = {field.name for field in fields(Timings) if field.default is MISSING}


class TakenPredictions:
    """Adds predictions that are not there; models and versions are names, whether they are served here or not."""

    def take(self, session: Session, rows: list[Placed]) -> tuple[int, int]:
        """Add the predictions that are not there, and give how many these were and how many have no owner here."""
        for placed in rows:
            if wrong := _wrong(placed.row):
                raise InvalidRequest(f"{placed.place} is not taken: {wrong}.")
        given = {placed.row["id"]: placed.row for placed in rows}
        known = set(session.scalars(select(StoredPrediction.id).where(StoredPrediction.id.in_(given))))
        accounts = numbers_of(session, (row["owner"] for row in given.values()))
        new = [row for number, row in given.items() if number not in known]
        owned = [row for row in new if not row["owner"] or row["owner"].lower() in accounts]
        if owned:
            session.execute(insert(StoredPrediction), [_stored(row, accounts) for row in owned])
        return len(owned), len(new) - len(owned)


def _stored(row: Row, accounts: dict[str, int]) -> Row:
    stored = {name: value for name, value in row.items() if name != "owner"}
    return {**stored, "user_id": accounts[row["owner"].lower()] if row["owner"] else None}


def _wrong(row: Row) -> str | None:
    """Tell what a page could not show of a prediction."""
    if not _IDENTIFIER.fullmatch(row["id"]):
        return "id is no identifier of 26 digits and capital letters"
    if not 0 <= row["probability"] <= 1:
        return "probability is not between 0 and 1"
    if row["owner"] and row["guest"]:
        return "it belongs to an account and to a guest"
    if not row["scores"] or not isinstance(row["scores"], list) or not all(map(_is_score, row["scores"])):
        return 'scores is no list of classes with probabilities, such as [["cat",0.75],["dog",0.25]]'
    if not _is_picture(row["picture"]):
        return f"picture does not tell {', '.join(sorted(_PICTURE))}"
    if not _are_timings(row["timings"]):
        return f"timings are not the milliseconds of {', '.join(STAGES)}"
    return None


def _is_score(score: Any) -> bool:
    return isinstance(score, list) and len(score) == 2 and isinstance(score[0], str) and _is_number(score[1])


def _is_picture(picture: Any) -> bool:
    if not isinstance(picture, dict) or picture.keys() != _PICTURE:
        return False
    texts = isinstance(picture["format"], str) and isinstance(picture["sha256"], str)
    sizes = all(isinstance(picture[side], int) for side in ("width", "height"))
    return texts and sizes and isinstance(picture["steps"], list) and all(isinstance(step, str) for step in picture["steps"])


def _are_timings(timings: Any) -> bool:
    known = isinstance(timings, dict) and _TIMED <= timings.keys() <= set(STAGES)
    return known and all(map(_is_number, timings.values()))


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and isfinite(value)
