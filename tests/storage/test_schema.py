"""From any older schema to today's: whole, with a copy first, and never backwards."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from multiprocessing import get_context
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, text

from app.errors import InvalidSettings
from app.storage.database import open_database
from app.storage.schema import MIGRATIONS, upgrade
from app.storage.sums import StoredSum
from app.storage.tables import Base
from tests.storage.migrating import migrate

COLUMN = """
    op.add_column("attempts", sa.Column("note", sa.String(length=20), nullable=True))
"""
ANEW = """
    with op.batch_alter_table("users", recreate="always") as table:
        table.alter_column("email", type_=sa.String(length=320))
"""
OF_THE_FIRST_VERSION = [
    "INSERT INTO roles (id, name) VALUES (1, 'admin')",
    "INSERT INTO users (id, email, password, active, fs_uniquifier, created_at)"
    " VALUES (7, 'ada@example.org', 'a hash', 1, 'unique', '2026-01-02 03:04:05.000006')",
    "INSERT INTO roles_users (user_id, role_id) VALUES (7, 1)",
    "INSERT INTO api_keys (id, user_id, name, digest, scopes, created_at)"
    " VALUES ('a', 7, 'laptop', 'digest', '[]', '2026-01-02 03:04:05')",
    "INSERT INTO predictions (id, user_id, model, version, label, probability, scores, picture, timings, created_at)"
    " VALUES ('b', 7, 'digits', '1', '8', 0.5, '[]', '{}', '{}', '2026-01-02 03:04:05')",
    "INSERT INTO attempts (key, amount, expires_at) VALUES ('mine', 7, 1.5)",
]
FAILURE = """
    raise RuntimeError("half way")
"""


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return open_database(f"sqlite:///{tmp_path / 'vitrine.db'}")


def later_migrations(folder: Path, body: str) -> Path:
    """Give today's migrations with a further one after the newest."""
    shutil.copytree(MIGRATIONS, folder, ignore=shutil.ignore_patterns("__pycache__"))
    newest = sorted(folder.glob("versions/*.py"))[-1].name[:4]
    (folder / "versions" / "9000_later.py").write_text(
        f'import sqlalchemy as sa\nfrom alembic import op\n\nrevision = "9000"\ndown_revision = "{newest}"\n\n\n'
        f"def upgrade() -> None:{body}"
    )
    return folder


def add_attempt(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO attempts (key, amount, expires_at) VALUES ('mine', 7, 1.5)"))


def rows_of(file: Path) -> dict[str, list[tuple[object, ...]]]:
    """Give every row of every table but Alembic's own."""
    with closing(sqlite3.connect(file)) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: connection.execute(f"SELECT * FROM {name}").fetchall() for name in tables if name != "alembic_version"}


def attempts_in(file: Path) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(file)) as connection:
        return connection.execute("SELECT * FROM attempts").fetchall()


def test_a_fresh_file_gets_exactly_the_tables_and_no_copy_is_made(engine: Engine, tmp_path: Path) -> None:
    assert upgrade(engine, copies=tmp_path / "copies") is None
    assert StoredSum.__tablename__ in Base.metadata.tables, "every module of tables is read"
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), Base.metadata) == []
    assert not (tmp_path / "copies").exists()


def test_a_second_upgrade_does_nothing(engine: Engine, tmp_path: Path) -> None:
    upgrade(engine, copies=tmp_path / "copies")
    add_attempt(engine)
    before = attempts_in(tmp_path / "vitrine.db")
    assert upgrade(engine, copies=tmp_path / "copies") is None
    assert attempts_in(tmp_path / "vitrine.db") == before == [("mine", 7, 1.5)]
    assert not (tmp_path / "copies").exists()


def test_an_older_file_is_copied_first_and_keeps_its_rows(engine: Engine, tmp_path: Path) -> None:
    upgrade(engine, copies=tmp_path / "copies")
    add_attempt(engine)
    copy = upgrade(engine, copies=tmp_path / "copies", migrations=later_migrations(tmp_path / "later", COLUMN))
    assert copy is not None
    assert copy.parent == tmp_path / "copies"
    assert attempts_in(copy) == [("mine", 7, 1.5)]
    assert attempts_in(tmp_path / "vitrine.db") == [("mine", 7, 1.5, None)]
    assert (copy.parent.stat().st_mode & 0o777, copy.stat().st_mode & 0o777) == (0o700, 0o600)


def test_a_migration_that_fails_leaves_a_whole_copy(engine: Engine, tmp_path: Path) -> None:
    upgrade(engine, copies=tmp_path / "copies")
    add_attempt(engine)
    with pytest.raises(RuntimeError, match="half way"):
        upgrade(engine, copies=tmp_path / "copies", migrations=later_migrations(tmp_path / "later", COLUMN + FAILURE))
    (copy,) = (tmp_path / "copies").iterdir()
    assert attempts_in(copy) == [("mine", 7, 1.5)]


def upgrade_in_its_own_process(ready: Barrier, file: Path, migrations: Path) -> None:
    engine = open_database(f"sqlite:///{file}")
    ready.wait(60)
    upgrade(engine, copies=file.parent / "copies", migrations=migrations)


def test_of_several_processes_that_start_at_once_one_changes_the_file(engine: Engine, tmp_path: Path) -> None:
    later = later_migrations(tmp_path / "later", COLUMN)
    for migrations in (MIGRATIONS, later):
        here = get_context("spawn")
        at_once = (here.Barrier(3), tmp_path / "vitrine.db", migrations)
        started = [here.Process(target=upgrade_in_its_own_process, args=at_once) for _ in range(3)]
        for process in started:
            process.start()
        for process in started:
            process.join(60)
        assert [process.exitcode for process in started] == [0, 0, 0]
        # The first time there was nothing to copy.
        assert len(list(tmp_path.glob("copies/*"))) == (migrations == later)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all() == ["9000"]


def test_a_table_that_is_made_anew_keeps_what_refers_to_it(engine: Engine, tmp_path: Path) -> None:
    migrate(engine, command.upgrade, "0001")
    with engine.begin() as connection:
        for statement in OF_THE_FIRST_VERSION:
            connection.execute(text(statement))
    upgrade(engine, copies=tmp_path / "copies")
    before = rows_of(tmp_path / "vitrine.db")
    upgrade(engine, copies=tmp_path / "copies", migrations=later_migrations(tmp_path / "later", ANEW))
    assert rows_of(tmp_path / "vitrine.db") == before
    with engine.connect() as connection:
        assert connection.execute(text("PRAGMA foreign_keys")).scalar() == 1
        assert connection.execute(text("PRAGMA foreign_key_check")).all() == []


def test_what_a_killed_process_left_of_a_copy_is_swept_away(engine: Engine, tmp_path: Path) -> None:
    upgrade(engine, copies=tmp_path / "copies")
    (tmp_path / "copies").mkdir()
    (tmp_path / "copies" / ".vitrine-20260101-000000.db").write_bytes(b"half of it")
    copy = upgrade(engine, copies=tmp_path / "copies", migrations=later_migrations(tmp_path / "later", COLUMN))
    assert list((tmp_path / "copies").iterdir()) == [copy]


def test_the_file_of_a_newer_vitrine_is_left_alone(engine: Engine, tmp_path: Path) -> None:
    upgrade(engine, copies=tmp_path / "copies", migrations=later_migrations(tmp_path / "later", COLUMN))
    with pytest.raises(InvalidSettings, match="newer Vitrine"):
        upgrade(engine, copies=tmp_path / "copies")
    assert not (tmp_path / "copies").exists()


def test_later_tables_come_to_a_database_in_use_and_nothing_else_changes(engine: Engine, tmp_path: Path) -> None:
    migrate(engine, command.upgrade, "0001")
    with engine.begin() as connection:
        for statement in OF_THE_FIRST_VERSION:
            connection.execute(text(statement))
    before = rows_of(tmp_path / "vitrine.db")
    copy = upgrade(engine, copies=tmp_path / "copies")
    assert copy is not None
    assert rows_of(copy) == before
    after = rows_of(tmp_path / "vitrine.db")
    added = {"address_changes", "audit_log", "authenticators", "idempotent_requests", "identities", "invitations", "logins"}
    added |= {"passkeys", "recovery_codes", "shadow_answers", "sums"}
    assert not any(after.pop(table) for table in added)
    assert [user[-1:] for user in after["users"]] == [(None,)]  # nobody has logged in since
    assert [key[-1:] for key in after["api_keys"]] == [(None,)]  # nor has any key a quota
    widened = {table: [row[:-1] for row in after[table]] for table in ("users", "api_keys")}
    assert {**after, **widened} == before
    assert all(before[table] for table in ("users", "roles", "roles_users", "api_keys", "predictions", "attempts"))
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), Base.metadata) == []


def test_every_migration_bears_the_number_that_its_file_is_named_by() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    scripts = list(ScriptDirectory.from_config(config).walk_revisions())
    named = [Path(script.path).name.partition("_")[0] for script in reversed(scripts)]
    assert [script.revision for script in reversed(scripts)] == named == sorted(named)
    assert len(scripts) == len(list(MIGRATIONS.glob("versions/*.py")))


def test_fewer_indexes_leave_every_row_as_it_was(engine: Engine, tmp_path: Path) -> None:
    migrate(engine, command.upgrade, "0002")
    with engine.begin() as connection:
        for statement in OF_THE_FIRST_VERSION:
            connection.execute(text(statement))
        connection.execute(text("UPDATE predictions SET user_id = NULL, guest = 'a guest'"))
    before = rows_of(tmp_path / "vitrine.db")
    migrate(engine, command.upgrade, "0003")
    assert rows_of(tmp_path / "vitrine.db") == before
    migrate(engine, command.downgrade, "0002")
    assert rows_of(tmp_path / "vitrine.db") == before


def test_every_migration_can_be_undone(engine: Engine, tmp_path: Path) -> None:
    upgrade(engine, copies=tmp_path / "copies")
    migrate(engine, command.downgrade, "base")
    with closing(sqlite3.connect(tmp_path / "vitrine.db")) as connection:
        left = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert left == {"alembic_version"}
    upgrade(engine, copies=tmp_path / "copies")
    assert attempts_in(tmp_path / "vitrine.db") == []
