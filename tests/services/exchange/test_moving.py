"""A whole site in another database: every row, compared, and it goes on living there."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Engine, delete, func, inspect, select, text, update
from sqlalchemy.exc import IntegrityError

from app.composition import Services
from app.errors import InvalidRequest
from app.services.audit_log import COMMAND_LINE
from app.services.exchange.moving import Moved, Mover
from app.storage.database import open_database
from app.storage.schema import upgrade
from app.storage.tables import Base, StoredPrediction, User
from tests.factories import make_services
from tests.postgres import RunningPostgres
from tests.services.exchange.full_sites import content_of, fill
from tests.services.exchange.rows import prediction, store_predictions

STAND_IN = "\N{REPLACEMENT CHARACTER}"


@pytest.fixture
def full(services: Services) -> Services:
    fill(services.engine)
    return services


@pytest.fixture(params=["postgresql", "sqlite"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'target.db'}"
    server: RunningPostgres = request.getfixturevalue("server")
    return server.database()


@contextmanager
def opened(url: str) -> Iterator[Engine]:
    engine = open_database(url)
    yield engine
    engine.dispose()


def move(services: Services, url: str, *, killed_after: int | None = None) -> Moved:
    """Move, as the command does; as one that is killed after so many steps."""
    mover = Mover(engine=services.engine, audit_log=services.audit_log, copies=services.settings.data / "copies")
    steps: list[int] = []

    def step(amount: int) -> None:
        steps.append(amount)
        if killed_after is not None and len(steps) > killed_after:
            raise KeyboardInterrupt

    with mover.open(url) as begun:
        moved = begun.run(step)
        assert sum(steps) == begun.length == 2 * moved.rows
    return moved


def test_every_row_of_every_table_is_there_and_each_is_the_same(full: Services, url: str) -> None:
    moved = move(full, url)
    before = content_of(full.engine)
    assert moved == Moved(len(Base.metadata.sorted_tables), sum(map(len, before.values())), 0)
    with opened(url) as target:
        assert content_of(target) == before
        assert "vitrine_move" not in inspect(target).get_table_names()
    assert all(before.values())


def test_the_site_lives_on_in_its_new_database(full: Services, server: RunningPostgres, tmp_path: Path) -> None:
    url = server.database()
    move(full, url)
    there = make_services(tmp_path, database_url=url)
    assert upgrade(there.engine, copies=tmp_path) is None
    assert there.accounts.add("new@example.org", "a hash") == 13
    assert there.audit_log.record(COMMAND_LINE, "joined", "account:new@example.org")
    assert there.audit_log.before(None, 1)[0].id == full.audit_log.before(None, 1)[0].id + 1
    with pytest.raises(IntegrityError, match="only added to"), there.engine.begin() as connection:
        connection.execute(text("DELETE FROM audit_log"))
    there.engine.dispose()


def test_it_goes_back_to_a_file(full: Services, server: RunningPostgres, tmp_path: Path) -> None:
    url = server.database()
    move(full, url)
    there = make_services(tmp_path, database_url=url)
    move(there, f"sqlite:///{tmp_path / 'back.db'}")
    there.engine.dispose()
    with opened(f"sqlite:///{tmp_path / 'back.db'}") as back:
        back_again, before = content_of(back), content_of(full.engine)
    assert len(set(map(repr, back_again.pop("audit_log"))) - set(map(repr, before.pop("audit_log")))) == 1, "that it went back"
    assert back_again == before


@pytest.mark.parametrize("steps", [5, 40])
def test_a_move_that_was_interrupted_is_gone_on_with(full: Services, url: str, steps: int) -> None:
    store_predictions(full, [prediction(number, scores=[["a", 0.1]]) for number in range(1200)])
    with pytest.raises(KeyboardInterrupt):
        move(full, url, killed_after=steps)
    with opened(url) as target:
        assert "vitrine_move" in inspect(target).get_table_names()
    move(full, url)
    with opened(url) as target:
        assert content_of(target) == content_of(full.engine)


def test_a_row_that_changed_after_it_was_copied_is_told(full: Services, url: str) -> None:
    with pytest.raises(KeyboardInterrupt):
        move(full, url, killed_after=30)
    with full.engine.begin() as connection:
        connection.execute(update(User).where(User.id == 7).values(email="another@example.org"))
    with pytest.raises(InvalidRequest, match="Row 7 of users is not the same in both databases: stop the site, empty"):
        move(full, url)


def test_a_row_that_was_lost_on_the_way_is_told(full: Services, url: str) -> None:
    with pytest.raises(KeyboardInterrupt):
        move(full, url, killed_after=40)
    with opened(url) as target, target.begin() as connection:
        lost = connection.scalar(select(func.min(StoredPrediction.id)))
        connection.execute(delete(StoredPrediction).where(StoredPrediction.id == lost))
    with pytest.raises(InvalidRequest, match=f"Row {lost} of predictions is not the same in both databases"):
        move(full, url)


def test_a_database_that_holds_anything_stays_as_it_is(full: Services, url: str) -> None:
    move(full, url)
    with opened(url) as target:
        before = content_of(target)
        with pytest.raises(InvalidRequest, match="holds a site already: name an empty database"):
            move(full, url)
        assert content_of(target) == before


def test_a_database_of_something_else_stays_as_it_is(full: Services, url: str) -> None:
    with opened(url) as target:
        with target.begin() as connection:
            connection.execute(text("CREATE TABLE notes (id integer)"))
        with pytest.raises(InvalidRequest, match="is not empty: name a database that holds no tables"):
            move(full, url)
        assert inspect(target).get_table_names() == ["notes"]


def test_two_sites_do_not_move_into_one_database(full: Services, other: Services, url: str) -> None:
    with pytest.raises(KeyboardInterrupt):
        move(full, url, killed_after=3)
    with pytest.raises(InvalidRequest, match="is where another site is being moved to"):
        move(other, url)


def test_what_is_no_database_or_the_sites_own_is_refused(services: Services, tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="into a database alone: give its URL"):
        move(services, str(tmp_path / "everything.csv"))
    with pytest.raises(InvalidRequest, match="the database that the site has already"):
        move(services, str(services.engine.url))


def test_a_table_that_nobody_knows_is_not_left_behind_without_a_word(services: Services, url: str) -> None:
    with services.engine.begin() as connection:
        connection.execute(text("CREATE TABLE notes (id integer)"))
    with pytest.raises(InvalidRequest, match="The table notes is none of Vitrine's, and would be left behind"):
        move(services, url)


def test_what_postgresql_does_not_take_is_stood_in_for_and_counted(services: Services, server: RunningPostgres) -> None:
    url = server.database()
    store_predictions(services, [prediction(1, file_name="a\0b", scores=[["c\0d", 1.0]]), prediction(2), prediction(3)])
    with closing(sqlite3.connect(services.settings.data / "vitrine.db")) as connection:
        # Half a surrogate, in UTF-8 as nobody should write it, and as JSON has it; and bytes of another encoding.
        connection.execute("UPDATE predictions SET scores = '[[\"c\", 1.0]]'")
        connection.execute("UPDATE predictions SET file_name = CAST(x'61eda080' AS TEXT) WHERE id LIKE '%2'")
        connection.execute(
            "UPDATE predictions SET label = CAST(x'c4e4' AS TEXT), scores = '[[\"\\ud800\", 1.0]]' WHERE id LIKE '%3'"
        )
        connection.commit()
    assert move(services, url).mended == 4
    with opened(url) as target, target.connect() as there:
        rows = there.execute(select(StoredPrediction).order_by(StoredPrediction.id)).mappings().all()
    assert [row["file_name"] for row in rows] == [f"a{STAND_IN}b", f"a{STAND_IN * 3}", None]
    assert (rows[2]["label"], rows[2]["scores"]) == (STAND_IN * 2, [[STAND_IN, 1.0]])


def test_a_row_that_is_in_nobodys_name_is_named_without_its_secrets(services: Services, server: RunningPostgres) -> None:
    with closing(
        sqlite3.connect(services.settings.data / "vitrine.db")
    ) as connection:  # which asks for no such thing by itself
        connection.execute(
            "INSERT INTO api_keys (id, user_id, name, digest, scopes, created_at)"
            " VALUES ('k', 7, 'a', 'a digest', '[]', '2026-01-01')"
        )
        connection.commit()
    with pytest.raises(InvalidRequest, match=r"Row k of api_keys is not taken there: .*foreign key") as refused:
        move(services, server.database())
    assert "a digest" not in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_row_that_is_not_taken_is_named_and_what_came_before_it_stays(services: Services, server: RunningPostgres) -> None:
    url = server.database()
    with services.engine.begin() as connection:
        for number in range(1, 6):
            email = f"{number}" * (300 if number == 4 else 1)
            connection.execute(User.__table__.insert().values(id=number, email=email, fs_uniquifier=email[:9]))  # type: ignore[attr-defined]
    with pytest.raises(
        InvalidRequest, match="Row 4 of users is not taken there: The database cannot take that: a text in it is"
    ):
        move(services, url)
    with services.engine.begin() as connection:
        connection.execute(update(User).where(User.id == 4).values(email="4"))
    move(services, url)
    with opened(url) as target:
        assert content_of(target) == content_of(services.engine)
