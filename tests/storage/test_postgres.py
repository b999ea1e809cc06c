"""Everything that is kept, in PostgreSQL: the same tables, the same answers, and the same one of two who come at once."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, delete, event, func, insert, inspect, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.composition import Services
from app.errors import DatabaseUnavailable, InvalidAccount, InvalidInvitation, InvalidRequest, VitrineError
from app.services.accounts.attempts import DatabaseCounters
from app.services.audit_log import COMMAND_LINE, Actor, subject_of_account
from app.services.recorder import Owner, Recorder
from app.services.shadow_answers import Pair, ShadowAnswer, ShadowAnswers
from app.services.telemetry.traffic import Traffic
from app.services.telemetry.traffic_report import PERIODS, TrafficReports
from app.storage.database import open_database
from app.storage.inspection import known_revisions, look_at
from app.storage.schema import upgrade
from app.storage.sums import HOUR, Amount, SumKey, Sums
from app.storage.tables import Attempt, AuditEntry, Base, StoredPrediction, User
from tests.factories import make_prediction, make_services
from tests.postgres import RunningPostgres
from tests.storage.migrating import migrate
from tests.storage.test_sums import NOON, add_in_every_order

PASSWORD = "correct horse battery"


@pytest.fixture(scope="module")
def server() -> Iterator[RunningPostgres]:
    with RunningPostgres() as running:
        yield running


@pytest.fixture
def engine(server: RunningPostgres) -> Iterator[Engine]:
    engine = open_database(server.database())
    yield engine
    engine.dispose()


@pytest.fixture
def services(server: RunningPostgres, tmp_path: Path) -> Iterator[Services]:
    services = make_services(tmp_path, database_url=server.database(), registration="open", mail="console")
    opened: list[psycopg.Connection] = []
    event.listen(services.engine, "connect", lambda connection, _entry: opened.append(connection))
    yield services
    services.engine.dispose()
    for connection in opened:  # a recorder keeps one for as long as it lives
        connection.close()


def at_once(number: int, deed: Callable[[int], object]) -> list[object]:
    """Do something so many times at the same moment, and give what came of each: our own errors among them."""
    ready = threading.Barrier(number)

    def do(one: int) -> object:
        ready.wait(30)
        try:
            return deed(one)
        except VitrineError as error:
            return error

    with ThreadPoolExecutor(number) as threads:
        return list(threads.map(do, range(number)))


def test_the_tables_are_those_of_every_other_database(engine: Engine, tmp_path: Path) -> None:
    assert engine.driver == "psycopg"
    assert upgrade(engine, copies=tmp_path / "copies") is None
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, Base.metadata) == []
    assert not (tmp_path / "copies").exists()


def test_every_migration_goes_back_and_forth(engine: Engine) -> None:
    migrate(engine, command.upgrade, "head")
    tables = set(inspect(engine).get_table_names())
    migrate(engine, command.downgrade, "base")
    assert inspect(engine).get_table_names() == ["alembic_version"]
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM pg_proc WHERE proname LIKE 'audit_log%'")) == 0
    migrate(engine, command.upgrade, "head")
    assert set(inspect(engine).get_table_names()) == tables


def test_of_several_machines_that_start_at_once_one_makes_the_tables(server: RunningPostgres, tmp_path: Path) -> None:
    engines = [open_database(url) for url in [server.database()] * 4]
    assert at_once(4, lambda number: upgrade(engines[number], copies=tmp_path)) == [None] * 4
    for engine in engines:
        engine.dispose()


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM audit_log",
        "TRUNCATE audit_log",
        "INSERT INTO audit_log (id, at, actor, action, subject, detail) SELECT id, at, 'eve', action, subject, detail"
        " FROM audit_log ON CONFLICT (id) DO UPDATE SET actor = 'eve'",
        *(f"UPDATE audit_log SET {name} = 'eve'" for name in ("actor", "action", "subject", "detail", "address")),
        "UPDATE audit_log SET id = 7",
        "UPDATE audit_log SET at = '2020-01-01'",
        "UPDATE audit_log SET account_id = id",
    ],
)
def test_nothing_that_is_written_down_can_be_changed_or_deleted(services: Services, statement: str) -> None:
    ada = services.accounts.create("ada@example.org", PASSWORD)
    services.audit_log.record(Actor("ada@example.org", ada), "joined", "nothing")
    with pytest.raises(IntegrityError, match="only added to"), services.engine.begin() as connection:
        connection.execute(text(statement))
    assert [entry.actor for entry in services.audit_log.before(None, 9)] == ["ada@example.org"]


def test_an_account_goes_with_all_that_is_its_own_and_its_deeds_stay(services: Services) -> None:
    services.accounts.create("root@example.org", PASSWORD, admin=True)
    ada = services.accounts.create("ada@example.org", PASSWORD, admin=True)
    services.audit_log.record(Actor("ada@example.org", ada), "joined", subject_of_account("ada@example.org"))
    services.api_keys.create(ada, "hers")
    assert recorder_of(services).record(make_prediction(), Owner(account=ada), "8.png") is True
    services.personal_data.delete(ada, COMMAND_LINE)
    with Session(services.engine) as session:
        left = {
            table: session.scalar(text(f"SELECT count(*) FROM {table}")) for table in ("api_keys", "predictions", "roles_users")
        }
        assert left == {"api_keys": 0, "predictions": 0, "roles_users": 1}
        first = session.scalars(select(AuditEntry).order_by(AuditEntry.id)).first()
        assert first is not None
        assert (first.actor, first.account_id) == ("ada@example.org", None)


def test_of_two_last_administrators_who_go_at_once_one_stays(services: Services) -> None:
    names = ["ada@example.org", "eve@example.org"]
    numbers = [services.accounts.create(name, PASSWORD, admin=True) for name in names]
    services.accounts.create("member@example.org", PASSWORD)
    came = at_once(2, lambda one: services.personal_data.delete(numbers[one], Actor(names[one], numbers[one])))
    assert sorted(type(one).__name__ for one in came) == ["InvalidRequest", "str"]


def recorder_of(services: Services) -> Recorder:
    return Recorder(engine=services.engine)


def test_what_several_record_at_once_is_there_and_read_page_by_page(services: Services) -> None:
    ada = Owner(account=services.accounts.create("ada@example.org", PASSWORD))
    recorder, beginning = recorder_of(services), datetime.now(UTC) - timedelta(minutes=5)
    predictions = [make_prediction(created_at=beginning + timedelta(seconds=number)) for number in range(61)]
    assert at_once(8, lambda one: [recorder.record(made, ada, "a.png") for made in predictions[one::8]])[0] == [True] * 8
    assert recorder.record(make_prediction(), Owner(account=7000), "a.png") is False
    assert recorder.record(make_prediction(), ada, "a\0.png") is False
    newest = [made.id for made in reversed(predictions)]
    page = services.history.page(ada, 99)
    rest = [item.prediction for item in page.items]
    assert (page.total, [made.id for made in rest]) == (61, newest[-len(rest) :])
    assert rest[-1].scores == predictions[0].scores
    assert (rest[-1].created_at, rest[-1].picture) == (predictions[0].created_at, predictions[0].picture)
    assert [item.prediction.id for item in services.history.before(ada, newest[9], 10).items] == newest[10:20]
    with services.engine.begin() as connection:
        connection.execute(update(StoredPrediction).values(created_at=beginning - timedelta(days=4000)))
    assert services.history.sweep() == 0  # the identifier tells as well


def test_a_recorder_goes_on_after_the_server_has_ended_its_connection(services: Services) -> None:
    ada = Owner(account=services.accounts.create("ada@example.org", PASSWORD))
    recorder = recorder_of(services)
    assert recorder.record(make_prediction(), ada, None) is True
    with psycopg.connect(services.settings.database, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
    assert recorder.record(make_prediction(), ada, None) is True
    assert not services.accounts.is_empty()
    assert services.history.page(ada, 1).total == 2


def test_counters_count_right_whoever_counts(server: RunningPostgres, services: Services) -> None:
    other = open_database(services.settings.database)
    counters = [DatabaseCounters(engine) for engine in (services.engine, other)]
    came = at_once(8, lambda one: [counters[one % 2].count("shared", 60).amount for _ in range(25)])
    assert sorted(amount for amounts in came if isinstance(amounts, list) for amount in amounts) == list(range(1, 201))
    assert counters[0].look(["shared", "other"]) == (200, 0)
    other.dispose()


def test_counters_whose_time_is_over_keep_nobody_waiting(services: Services) -> None:
    counters, names = DatabaseCounters(services.engine), [f"{number}" for number in range(8)]
    for _ in range(20):
        with services.engine.begin() as connection:
            connection.execute(delete(Attempt))
            connection.execute(insert(Attempt), [{"key": name, "amount": 5, "expires_at": 1.5} for name in names])
        assert at_once(8, lambda one: counters.count(names[one], 60).amount) == [1] * 8


def test_of_many_who_take_the_same_address_at_once_one_gets_it(services: Services) -> None:
    services.accounts.create("root@example.org", PASSWORD, admin=True)
    came = at_once(6, lambda _: services.accounts.add("ada@example.org", "a hash"))
    assert [type(one) for one in came].count(InvalidAccount) == 5
    came = at_once(6, lambda _: services.invitations.register("eve@example.org").token)
    assert sum(is_good(services, str(token)) for token in came) == 1
    came = at_once(6, lambda _: services.invitations.invite("bob@example.org", COMMAND_LINE))
    tokens = [one for one in came if isinstance(one, str)]
    assert {type(one) for one in came} <= {str, InvalidAccount}
    (good,) = [token for token in tokens if is_good(services, token)]
    came = at_once(4, lambda _: services.invitations.accept(good, PASSWORD))
    assert sorted(type(one).__name__ for one in came) == ["InvalidInvitation"] * 3 + ["int"]


def is_good(services: Services, token: str) -> bool:
    with contextlib.suppress(InvalidInvitation):
        return bool(services.invitations.find(token))
    return False


@pytest.mark.parametrize("name", ["people", "predictions", "keys", "audit-log"])
def test_lists_come_in_every_order_and_under_every_filter(services: Services, name: str) -> None:
    for number, email in enumerate(["ada@example.org", "Eve_@example.org", "bob%@example.org"]):
        account = services.accounts.create(email, PASSWORD, admin=number == 0)
        services.api_keys.create(account, f"of {email}", days=number or None)
        services.audit_log.record(Actor(email, account, "127.0.0.1"), "joined", subject_of_account(email))
        recorder_of(services).record(make_prediction(), Owner(account=account), f"{number}.png")
    listing = services.lists.named(name)
    assert listing is not None
    for sort in listing.sorts:
        rising, falling = (listing.page(listing.read({"sort": order})).rows for order in (sort, f"-{sort}"))
        assert len(rising) == 3
        assert rising == falling[::-1]
    for choice in listing.filters():
        for value in choice.values or ("a",):
            assert len(listing.page(listing.read({choice.name: value})).rows) <= 3
    for search, found in (("EVE_", 1), ("a_a", 0), ("%", 1), ("nobody", 0)):
        if name == "people":
            assert len(listing.page(listing.read({"q": search})).rows) == found
    everything = {"q": "e", "since": "2020-01-01", "until": "2999-01-01"}
    assert [len(batch) for batch in listing.batches(listing.read(everything))] in ([], [1], [2], [3])
    assert [len(batch) for batch in listing.batches(listing.read({}))] == [3]


def test_what_no_column_takes_is_said_and_not_an_accident(services: Services) -> None:
    for deed in (
        lambda: services.accounts.exists("ada\0@example.org"),
        lambda: services.people.before(1 << 40, 5),
        lambda: services.accounts.add(f"{'a' * 64}@{'.'.join(['b' * 60] * 3)}.org", "h" * 256),
    ):
        with pytest.raises(InvalidRequest, match="cannot take that"):
            deed()
    longest = f"{'a' * 60}@{'.'.join(['b' * 62] * 3)}.org"
    services.accounts.add(longest, "a hash")
    assert services.audit_log.record(COMMAND_LINE, "joined", subject_of_account(longest), "d" * 2000)
    assert [deed.detail for deed in services.audit_log.about(subject_of_account(longest))] == ["d" * 1000]


def test_a_lock_that_somebody_keeps_is_waited_for_briefly_and_one_may_only_read_is_said(services: Services) -> None:
    with psycopg.connect(services.settings.database) as other:
        other.execute("LOCK TABLE users")
        began = time.monotonic()
        with pytest.raises(DatabaseUnavailable):
            services.accounts.is_empty()
        assert time.monotonic() - began >= 5
    assert services.accounts.is_empty()
    with psycopg.connect(services.settings.database, autocommit=True) as other:
        other.execute("ALTER ROLE postgres IN DATABASE " + other.info.dbname + " SET default_transaction_read_only = on")
    services.engine.dispose()
    with pytest.raises(DatabaseUnavailable):
        services.accounts.create("ada@example.org", PASSWORD)
    assert services.accounts.is_empty()


def test_nobody_waits_for_a_connection_of_somebody_else(engine: Engine) -> None:
    with contextlib.ExitStack() as held:
        connections = [held.enter_context(engine.connect()) for _ in range(40)]
        assert len({connection.scalar(text("SELECT pg_backend_pid()")) for connection in connections}) == 40


def test_a_statement_that_takes_its_time_is_waited_for(services: Services) -> None:
    with services.engine.connect() as connection:
        assert connection.scalar(text("SELECT count(pg_sleep(2.5))")) == 1


def test_an_account_stays_what_it_was(services: Services) -> None:
    moment = datetime.now(UTC)
    services.accounts.create("Ada@Example.org", PASSWORD, admin=True)
    with Session(services.engine) as session:
        user = session.scalars(select(User)).one()
        assert (user.email, user.active, user.is_admin) == ("Ada@example.org", True, True)
        assert moment <= user.created_at <= datetime.now(UTC)
        assert session.scalar(select(func.count()).select_from(User)) == 1


def test_what_versions_in_the_shadow_said_is_kept_read_and_goes_with_its_prediction(services: Services) -> None:
    ada = services.accounts.create("ada@example.org", PASSWORD)
    prediction = make_prediction()
    assert Recorder(engine=services.engine).record(prediction, Owner(account=ada), None)
    answers = ShadowAnswers(sessions=services.sessions, kept=3)
    answer = ShadowAnswer("shade", "2", "1", prediction.id, "light", 0.75, prediction.created_at, "dark", 0.5, 0.25, 4.0, 2)
    gone, failed = replace(answer, prediction_id="0" * 26), replace(answer, prediction_id=None, shadow_label=None)
    answers.record([answer, gone, failed])
    found = answers.agreement("shade", "2", "1")
    assert (found.answered, found.same, found.failed, found.passed_over) == (1, 0, 1, 4)
    assert (found.difference, found.ms, found.pairs) == (0.25, 4.0, (Pair("light", "dark", 1),))
    (seen,) = answers.disagreements("shade", "2", "1", ada)
    assert (seen.prediction_id, seen.at) == (prediction.id, prediction.created_at)
    assert answers.disagreements("shade", "2", "1", None)[0].prediction_id is None
    answers.record([replace(answer, prediction_id=None)] * 3)
    assert answers.agreement("shade", "2", "1").answered == 3, "the last ones are kept"
    answers.record([answer])
    services.history.delete(Owner(account=ada), prediction.id)
    assert answers.disagreements("shade", "2", "1", ada)[0].prediction_id is None


def test_it_is_looked_at_without_a_change(server: RunningPostgres, tmp_path: Path) -> None:
    url = server.database()
    empty = look_at(url)
    assert empty is not None
    assert (empty.revision, empty.writable, empty.encoding) == (None, True, "UTF8")
    engine = open_database(url)
    upgrade(engine, copies=tmp_path)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE ROLE reader LOGIN")
        connection.exec_driver_sql("GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader")
    engine.dispose()
    seen = look_at(url)
    assert seen is not None
    assert seen.system.startswith("PostgreSQL 1")
    assert (seen.revision, seen.newest, seen.connections, seen.writable) == (known_revisions()[-1], None, 100, True)
    assert seen.size > 1_000_000
    assert abs(seen.ahead_seconds) < 5
    reader = look_at(url.replace("postgres@", "reader@"))
    assert reader is not None
    assert not reader.writable
    with pytest.raises(DatabaseUnavailable, match="does not exist"):
        look_at(url.replace("postgres@", "nobody@"))


def test_sums_of_many_who_add_at_once_lose_nothing_and_nobody_waits_for_ever(services: Services) -> None:
    sums = Sums(services.engine)
    add_in_every_order(sums)
    found = sums.read(HOUR, ["total"], NOON, HOUR)
    assert [(row.slot, row.amount, row.total) for row in found] == [(0, 200, 100.0)] * 5
    sums.add({SumKey(HOUR, "total", NOON + 7 * HOUR, "f", "1", "Grüße, 8 %"): Amount(3_000_000_000, 0.25)})
    assert sums.models("total") == [*"abcdef"]
    later = [row for row in sums.read(HOUR, ["total"], NOON, 3 * HOUR) if row.slot == 2]
    assert [(row.detail, row.amount, row.total) for row in later] == [("Grüße, 8 %", 3_000_000_000, 0.25)]
    sums.forget(HOUR, ["total"], NOON + HOUR)
    assert sums.models("total") == ["f"]


def test_traffic_is_counted_and_told_as_in_sqlite(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Traffic, "_start", lambda _self: None)  # no thread goes on when the server is gone
    services.traffic.begin()
    prediction = make_prediction()
    for _ in range(3):
        services.traffic.answered(prediction, prediction.timings)
    services.traffic.refused("invalid_image")
    assert services.traffic.write()
    report = TrafficReports(sums=services.traffic.sums).report(PERIODS["7d"], "shade")
    assert (report.answered, report.models, sum(report.confidence)) == (3, ("shade",), 3)
    assert [(one.model, one.label, one.count) for one in report.classes] == [("shade", "light", 3)]
    assert [(one.name, one.total) for one in report.refusals] == [("invalid_image", 1)]


def test_of_several_who_make_the_first_account_at_once_one_does(services: Services) -> None:
    link = services.accounts.setup_token() or ""
    made = at_once(4, lambda one: services.accounts.set_up(link, f"person{one}@example.org", PASSWORD))
    assert sorted(type(outcome).__name__ for outcome in made) == ["InvalidSetupLink"] * 3 + ["int"]
