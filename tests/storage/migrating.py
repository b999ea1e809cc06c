"""Databases at any revision, and what is in them: their schema, and every row."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, make_url

from app.storage.database import sqlite_file
from app.storage.schema import MIGRATIONS

DUMPS = Path(__file__).parent / "schemas"

# Of each table every row, as the driver gives it: type, value, and with them what a comparison alone does not tell apart.
Rows = dict[str, list[dict[str, str]]]

# What makes PostgreSQL's tables what they are; each gives a name and a description of it.
_CATALOGUE = (
    "SELECT table_name || '.' || column_name, concat_ws(' ', ordinal_position, data_type, character_maximum_length,"
    " is_nullable, column_default) FROM information_schema.columns WHERE table_schema = 'public'",
    "SELECT conrelid::regclass || '.' || conname, pg_get_constraintdef(oid) FROM pg_constraint"
    " WHERE connamespace = 'public'::regnamespace",
    "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
    "SELECT tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal",
    "SELECT proname, pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'public'::regnamespace",
    "SELECT sequencename, concat_ws(' ', data_type, start_value, increment_by) FROM pg_sequences",
)


def revisions() -> list[str]:
    """Give every revision, the oldest first."""
    known = ScriptDirectory.from_config(_configuration()).walk_revisions()
    return [script.revision for script in reversed(list(known))]


def migrate(engine: Engine, direction: Callable[[Config, str], None], revision: str) -> None:
    """Bring a database to a revision, newer or older."""
    config = _configuration()
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        direction(config, revision)


def migrate_to(engine: Engine, revision: str) -> None:
    """Bring a database to a newer revision."""
    migrate(engine, command.upgrade, revision)


def dump_of(revision: str, url: str) -> Path:
    """Give the file that holds a revision, as the kind of database at that URL takes it."""
    return DUMPS / f"{revision}.{make_url(url).get_backend_name()}.sql"


def load(url: str, dump: Path) -> None:
    """Make an empty database what a dump says."""
    statements = dump.read_text(encoding="utf-8")
    file = sqlite_file(url)
    if file is not None:
        with closing(sqlite3.connect(file)) as connection:
            connection.executescript(statements)
        return
    with psycopg.connect(url) as connection:
        connection.execute(statements.encode())


def schema_of(url: str) -> dict[str, str]:
    """Give tables with their columns and types, constraints, indexes and triggers, each with what it is."""
    file = sqlite_file(url)
    if file is not None:
        with closing(sqlite3.connect(file)) as connection:
            wanted = "SELECT type || ' ' || name, sql FROM sqlite_master WHERE sql IS NOT NULL"
            return dict(connection.execute(wanted).fetchall())
    with psycopg.connect(url) as connection:
        return dict(row for statement in _CATALOGUE for row in connection.execute(statement).fetchall())


def rows_of(url: str) -> Rows:
    """Give every row of every table but Alembic's own, and what PostgreSQL's counters stand at where they have counted."""
    file = sqlite_file(url)
    if file is not None:
        with closing(sqlite3.connect(file)) as connection:
            named = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
            return {name: _read(connection.execute(f"SELECT * FROM {name}")) for (name,) in named if _is_ours(name)}
    with psycopg.connect(url) as connection:
        named = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        tables = {name: _read(connection.execute(f"SELECT * FROM {name}".encode())) for (name,) in named if _is_ours(name)}
        counters = connection.execute("SELECT sequencename, last_value FROM pg_sequences WHERE last_value IS NOT NULL")
        return tables | {f"the counter {name}": [{"last_value": repr(value)}] for name, value in counters.fetchall()}


def as_before(after: Rows, before: Rows) -> Rows:
    """Give what there is now of the tables and columns that there were before."""
    return {
        table: _sorted([{name: row[name] for name in rows[0]} for row in after[table]]) if rows else after[table]
        for table, rows in before.items()
    }


def _read(cursor: Any) -> list[dict[str, str]]:
    names = [column[0] for column in cursor.description]
    return _sorted([dict(zip(names, map(repr, row), strict=True)) for row in cursor.fetchall()])


def _sorted(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    return sorted(rows, key=lambda row: list(row.values()))


def _is_ours(table: str) -> bool:
    return table != "alembic_version" and not table.startswith("sqlite_")


def _configuration() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return config
