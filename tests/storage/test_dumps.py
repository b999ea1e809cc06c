"""The databases of everybody who has not upgraded yet: each revision, with rows in it, becomes today's and loses nothing."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from app.composition import Services, compose
from app.errors import InvalidSettings
from app.services.accounts.vault import Vault
from app.storage.database import open_database, sqlite_file
from app.storage.schema import upgrade
from app.storage.tables import Base, StoredAuthenticator, User
from tests.factories import make_settings
from tests.postgres import RunningPostgres
from tests.storage.migrating import DUMPS, as_before, dump_of, load, migrate_to, revisions, rows_of, schema_of
from tests.storage.telling_rows import AUTHENTICATOR, KEY, PASSWORD, ROWS, SECRET_KEY

# What rows of before are given on purpose, where a migration has added a column.
GIVEN = {("users", "logged_in_at", "None"), ("api_keys", "daily", "None"), ("audit_log", "address", "None")}
KINDS = ("sqlite", "postgresql")
NAMES = [f"{revision}-{kind}" for revision in revisions() for kind in KINDS]
NewDatabase = Callable[[str], str]


@pytest.fixture(scope="module")
def server() -> Iterator[RunningPostgres]:
    with RunningPostgres() as running:
        yield running


@pytest.fixture
def new_database(server: RunningPostgres, tmp_path: Path) -> NewDatabase:
    """Give the URL of an empty database of a kind, one a test and kind."""
    return lambda kind: f"sqlite:///{tmp_path / 'vitrine.db'}" if kind == "sqlite" else server.database()


@pytest.fixture(scope="module")
def built(server: RunningPostgres, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, str]]:
    """Give the schema of every revision, as today's migrations make it from nothing, step by step."""
    found = {}
    for kind in KINDS:
        url = server.database() if kind == "postgresql" else f"sqlite:///{tmp_path_factory.mktemp('built') / 'vitrine.db'}"
        engine = open_database(url)
        for revision in revisions():
            migrate_to(engine, revision)
            found[f"{revision}-{kind}"] = schema_of(url)
        engine.dispose()
    return found


def test_every_revision_has_its_dumps_and_there_are_no_others() -> None:
    # Where one is missing: scripts/dump-schema tests/storage/schemas
    assert {path.name for path in DUMPS.iterdir()} == {f"{revision}.{kind}.sql" for revision in revisions() for kind in KINDS}


@pytest.mark.parametrize("name", NAMES)
def test_an_older_database_becomes_todays_and_every_row_is_still_there(
    name: str, new_database: NewDatabase, built: dict[str, dict[str, str]], tmp_path: Path
) -> None:
    revision, _, kind = name.partition("-")
    url = new_database(kind)
    load(url, dump_of(revision, url))
    # Where they differ an old migration was edited: whoever has it already would never get that.
    assert schema_of(url) == built[name]
    before = rows_of(url)
    tables = {table: len(rows) for table, rows in before.items() if not table.startswith("the counter ")}
    assert tables == {table: len(ROWS[table]) for table in tables}
    engine = open_database(url)
    copy = upgrade(engine, copies=tmp_path / "copies")
    engine.dispose()
    assert schema_of(url) == built[f"{revisions()[-1]}-{kind}"]
    after = rows_of(url)
    assert as_before(after, before) == before
    added = {
        (table, name, row[name]) for table, rows in before.items() for row in after[table] for name in row.keys() - rows[0]
    }
    assert added <= GIVEN
    assert not any(rows for table, rows in after.items() if table not in before)
    file = sqlite_file(url)
    assert (copy is not None) == (file is not None and revision != revisions()[-1])
    assert copy is None or rows_of(f"sqlite:///{copy}") == before
    if file is not None:
        with closing(sqlite3.connect(file)) as connection:
            assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


@pytest.mark.parametrize("kind", KINDS)
def test_the_database_of_a_newer_vitrine_is_refused_in_a_sentence(kind: str, new_database: NewDatabase, tmp_path: Path) -> None:
    url = new_database(kind)
    load(url, dump_of(revisions()[-1], url))
    engine = open_database(url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9000'"))
    before = rows_of(url)
    with pytest.raises(InvalidSettings, match="made by a newer Vitrine"):
        upgrade(engine, copies=tmp_path / "copies")
    engine.dispose()
    assert rows_of(url) == before
    assert not (tmp_path / "copies").exists()


def services_over(url: str, folder: Path) -> Services:
    settings = make_settings(folder, database_url=url, secret_key=SECRET_KEY)
    settings.data.mkdir(mode=0o700)
    services = compose(settings)
    upgrade(services.engine, copies=settings.data / "copies")
    return services


@pytest.mark.parametrize("kind", KINDS)
def test_the_people_of_the_first_revision_go_on_as_if_nothing_had_happened(
    kind: str, new_database: NewDatabase, tmp_path: Path
) -> None:
    url = new_database(kind)
    load(url, dump_of(revisions()[0], url))
    services = services_over(url, tmp_path)
    with Session(services.engine) as session:
        ada = session.scalars(select(User).where(User.email == "ada@example.org")).one()
        assert services.passwords.verify(PASSWORD, ada.password)
        assert ada.is_admin
    holder = services.api_keys.check(KEY)
    assert (holder.owner, holder.daily, "admin" in holder.scopes) == ("ada@example.org", None, True)
    # Numbers go on where they were.
    assert services.accounts.create("new@example.org", PASSWORD) > 2_000_000_000
    services.engine.dispose()


@pytest.mark.parametrize("kind", KINDS)
def test_every_row_of_the_newest_dump_is_read_by_the_code_of_today(
    kind: str, new_database: NewDatabase, tmp_path: Path
) -> None:
    url = new_database(kind)
    load(url, dump_of(revisions()[-1], url))
    services = services_over(url, tmp_path)
    with Session(services.engine) as session:
        for mapper in Base.registry.mappers:
            read = session.scalars(select(mapper.class_)).all()
            assert len(read) == len(ROWS[str(mapper.local_table)]) == session.scalar(select(func.count()).select_from(mapper))
        sealed = session.scalars(select(StoredAuthenticator.secret)).all()
    assert AUTHENTICATOR in [Vault(key=lambda: SECRET_KEY).open(secret) for secret in sealed]
    services.engine.dispose()


def test_dumps_are_of_the_tables_alone() -> None:
    for path in DUMPS.iterdir():
        assert not re.search(r"^(\\|-- Dumped|ALTER .* OWNER|GRANT)", path.read_text(encoding="utf-8"), re.MULTILINE), path
