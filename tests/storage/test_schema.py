"""From any older schema to today's: whole, with a copy first, and never backwards."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Engine, text

from app.errors import InvalidSettings
from app.storage.database import open_database
from app.storage.schema import MIGRATIONS, upgrade
from app.storage.tables import Base

COLUMN = """
    op.add_column("attempts", sa.Column("note", sa.String(length=20), nullable=True))
"""
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


def attempts_in(file: Path) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(file)) as connection:
        return connection.execute("SELECT * FROM attempts").fetchall()


def test_a_fresh_file_gets_exactly_the_tables_and_no_copy_is_made(engine: Engine, tmp_path: Path) -> None:
    assert upgrade(engine, copies=tmp_path / "copies") is None
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


def test_the_file_of_a_newer_vitrine_is_left_alone(engine: Engine, tmp_path: Path) -> None:
    upgrade(engine, copies=tmp_path / "copies", migrations=later_migrations(tmp_path / "later", COLUMN))
    with pytest.raises(InvalidSettings, match="newer Vitrine"):
        upgrade(engine, copies=tmp_path / "copies")
    assert not (tmp_path / "copies").exists()


def test_every_migration_can_be_undone(engine: Engine, tmp_path: Path) -> None:
    upgrade(engine, copies=tmp_path / "copies")
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
    with closing(sqlite3.connect(tmp_path / "vitrine.db")) as connection:
        left = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert left == {"alembic_version"}
    upgrade(engine, copies=tmp_path / "copies")
    assert attempts_in(tmp_path / "vitrine.db") == []
