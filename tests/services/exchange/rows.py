"""Rows that are hard to write and to read again, and stores of every kind to write them to."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select
from ulid import ULID

from app.composition import Services
from app.services.exchange.shapes import AUDIT_LOG, PREDICTIONS, USERS, Row, Shape
from app.services.exchange.stores import open_source, open_target
from app.storage.tables import StoredPrediction, User

BEGAN = datetime(2026, 1, 2, 3, 4, 5, 678901, UTC)
# Everything that a text can be taken for, or taken apart at.
TEXTS = [
    *("IMG-1.jpg", "", "'", "''", "=1+1", "'=1+1", "''=1+1", " =1", "' =1", "-", "-5", "+1", "@x", "＝1", "\t", "\ufeff=1"),
    *(
        'say "cheese", twice',
        "two\nlines",
        "two\r\nlines",
        "a\rb",
        "\n",
        ";",
        "null",
        "NaN",
        "yes",
        "[]",
        "1e5",
        "Ähre 🐈",
        "a\\",
    ),
    *("'quoted'", "\x7f", "\u2028", "x" * 255),
]


def prediction(number: int, **given: Any) -> Row:
    """Give a prediction as it is exchanged."""
    at = BEGAN + timedelta(seconds=number)
    values: Row = {
        "id": str(ULID.from_timestamp(at.timestamp()))[:10] + f"{number:016}",
        "owner": None,
        "guest": f"{number:032}",
        "model": "shade",
        "version": "1",
        "label": "light",
        "probability": 0.1 + number / 1e6,
        "scores": [["light", 0.1 + number / 1e6], ['a "dark" one\0', 1e-17]],
        "picture": {"format": "PNG", "width": 32, "height": 24, "sha256": "0" * 64, "steps": ["grey to RGB"]},
        "timings": {"decode": 1.0, "queue": 2.5, "model": 0.1, "store": 0.0, "total": 3.6},
        "file_name": None,
        "created_at": at,
    }
    return values | given


def account(number: int, **given: Any) -> Row:
    """Give an account as it is exchanged."""
    values: Row = {
        "id": number,
        "email": f"person{number}@example.org",
        "roles": [],
        "active": True,
        "created_at": BEGAN + timedelta(seconds=number),
        "logged_in_at": None,
    }
    return values | given


def deed(number: int, **given: Any) -> Row:
    """Give an entry of an audit log as it is exchanged."""
    values: Row = {
        "id": number,
        "at": BEGAN + timedelta(seconds=number),
        "actor": "ada@example.org",
        "account": None,
        "action": "activated",
        "subject": "model:shade",
        "detail": f"version {number}",
        "address": None,
    }
    return values | given


HARD: dict[str, tuple[Shape, list[Row]]] = {
    "predictions": (PREDICTIONS, [prediction(number, file_name=text, label=text) for number, text in enumerate(TEXTS)]),
    "users": (
        USERS,
        [
            account(1, roles=["admin"], active=False, logged_in_at=BEGAN),
            account(2, email="'=1@example.org"),
            account(3) | {"id": 9_007_199_254_740_993} | {"created_at": datetime(1, 1, 2, tzinfo=UTC)},
        ],
    ),
    "audit-log": (
        AUDIT_LOG,
        [deed(number, detail=text, address=text[:45], actor=text) for number, text in enumerate(TEXTS, 1)],
    ),
}


def written(url: str | Path, shape: Shape, rows: Sequence[Row]) -> str | Path:
    """Write rows to a store, and give its address."""
    target = open_target(str(url), shape)
    if rows:
        target.write(rows)
    target.close()
    return url


def read(url: str | Path, shape: Shape) -> list[Row]:
    """Give all rows of a store."""
    with closing(open_source(str(url), shape)) as source:
        return [placed.row for batch in source.batches() for placed in batch.rows]


def store_predictions(services: Services, rows: Sequence[Row]) -> None:
    """Store predictions in a site, whoever's they are."""
    with services.sessions.begin() as session:
        numbers = {row.email: row.id for row in session.execute(select(User.email, User.id))}
        stored = [{**row, "user_id": numbers.get(row["owner"] or "")} for row in rows]
        session.execute(insert(StoredPrediction), [{name: row[name] for name in row if name != "owner"} for row in stored])


def predictions_of(services: Services) -> list[Row]:
    """Give what a site holds of predictions, as it lies in the database."""
    with services.sessions() as session:
        found = session.execute(select(StoredPrediction.__table__, User.email).outerjoin(User).order_by(StoredPrediction.id))
        return [dict(row) for row in found.mappings()]
