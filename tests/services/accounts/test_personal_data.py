"""What the site has of a person: all of it in one file, no secret in it, and all of it gone when they go."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from sqlalchemy import inspect, text

from app.composition import Services
from app.errors import AccountNotFound, InvalidKey, InvalidRequest
from app.services.accounts.personal_data import GIVEN
from app.services.audit_log import COMMAND_LINE, Actor, subject_of_account, subject_of_model
from app.services.recorder import Owner, Recorder
from app.services.shadow_answers import ShadowAnswer, ShadowAnswers
from app.storage.tables import Base
from tests.factories import make_picture, make_prediction, make_services

PASSWORD = "correct horse battery"
ADA = "ada@example.org"
# What is not given: it checks passwords, cookies, links and keys, or says no more than that it is all of one account.
KEPT_BACK = {
    "users": {"id", "password", "fs_uniquifier"},
    "address_changes": {"user_id", "digest"},
    "authenticators": {"user_id", "secret", "last_counter"},
    "identities": {"id", "user_id"},
    "passkeys": {"id", "user_id", "handle", "credential_id", "credential", "sign_count"},
    "recovery_codes": {"id", "user_id", "digest"},
    "logins": {"id", "user_id", "digest"},
    "api_keys": {"user_id", "digest"},
    "audit_log": {"id", "account_id", "address"},
    "predictions": {"user_id", "guest"},
    "shadow_answers": {"id", "prediction_id", "passed_over"},
}


@pytest.fixture
def services(tmp_path: Path) -> Services:
    return make_services(tmp_path)


@pytest.fixture
def ada(services: Services) -> int:
    return services.accounts.create(ADA, PASSWORD)


def store(services: Services, account: int | None, count: int = 1) -> list[str]:
    """Store predictions with pictures, and give their identifiers."""
    recorder, made = Recorder(engine=services.engine), [make_prediction() for _ in range(count)]
    for prediction in made:
        owner = Owner(guest="a guest") if account is None else Owner(account=account)
        assert recorder.record(prediction, owner, "cat.png")
        assert services.pictures.keep(prediction.id, make_picture())
    return [prediction.id for prediction in made]


def archive(services: Services, account: int) -> ZipFile:
    return ZipFile(BytesIO(b"".join(services.personal_data.archive(account))))


def read(file: ZipFile, name: str) -> Any:
    return json.loads(file.read(name))


def left(services: Services) -> dict[str, int]:
    """Give how many rows every table has that has any."""
    with services.engine.connect() as connection:
        names = inspect(connection).get_table_names()
        counted = {name: connection.execute(text(f"SELECT COUNT(*) FROM {name}")).scalar_one() for name in names}
    return {name: count for name, count in counted.items() if count and name not in ("alembic_version", "roles")}


def test_everything_is_in_the_file(services: Services, ada: int) -> None:
    (prediction,) = store(services, ada)
    services.logins.begin(ada, browser="Firefox", address="192.0.2.1")
    key = services.api_keys.create(ada, "laptop")
    services.audit_log.record(Actor(ADA, ada), "activated", subject_of_model("digits"), "version 2")
    services.audit_log.record(COMMAND_LINE, "disabled", subject_of_account(ADA))
    services.address_changes.ask(ada, "new@example.org")
    file = archive(services, ada)
    assert file.testzip() is None
    account = read(file, "account.json")
    assert (account["email"], account["active"], account["roles"]) == (ADA, True, [])
    assert account["new_address"]["email"] == "new@example.org"
    assert [login["browser"] for login in read(file, "logins.json")] == ["Firefox"]
    assert [row["name"] for row in read(file, "keys.json")] == ["laptop"]
    assert [deed["action"] for deed in read(file, "deeds.json")] == ["activated", "disabled"]
    (given,) = read(file, "predictions-1.json")
    assert (given["id"], given["file_name"], given["label"]) == (prediction, "cat.png", "light")
    assert file.read(f"pictures/{prediction}.jpg") == services.pictures.read(prediction, "picture")
    assert key.split("_")[2] not in str([file.read(name) for name in file.namelist()])


def test_what_versions_in_the_shadow_said_of_a_picture_stands_with_its_prediction(services: Services, ada: int) -> None:
    eve = services.accounts.create("eve@example.org", PASSWORD)
    (hers,), mine = store(services, eve), store(services, ada, 2)
    made = make_prediction().created_at
    said = [
        ShadowAnswer("shade", "2", "1", number, "light", 0.75, made, "dark", 0.5, 0.25, 4.0) for number in (mine[0], hers, None)
    ]
    ShadowAnswers(sessions=services.sessions).record(said)
    first, second = read(archive(services, ada), "predictions-1.json")
    (given,) = first["shadows"]
    assert (given["version"], given["against"], given["label"], given["shadow_label"]) == ("2", "1", "light", "dark")
    assert second["shadows"] == []
    services.personal_data.delete(ada, Actor(ADA, ada))
    assert left(services)["shadow_answers"] == 2


def test_nothing_of_anybody_else_is_in_it(services: Services, ada: int) -> None:
    eve = services.accounts.create("eve@example.org", PASSWORD)
    store(services, eve)
    store(services, None)
    services.logins.begin(eve, browser="", address="")
    services.api_keys.create(eve, "hers")
    services.audit_log.record(Actor("eve@example.org", eve), "activated", subject_of_model("digits"))
    file = archive(services, ada)
    assert sorted(file.namelist()) == [
        "account.json",
        "deeds.json",
        "identities.json",
        "keys.json",
        "logins.json",
        "passkeys.json",
    ]
    assert [read(file, f"{name}.json") for name in ("deeds", "identities", "keys", "logins", "passkeys")] == [[]] * 5


def test_every_column_is_given_or_kept_back_for_a_reason() -> None:
    tables = {row.__tablename__: set(names) for row, names in GIVEN.items()}
    assert tables.keys() == KEPT_BACK.keys()
    for name, given in tables.items():
        assert given | KEPT_BACK[name] == set(Base.metadata.tables[name].columns.keys()), name
        assert not given & KEPT_BACK[name]


def test_every_table_that_belongs_to_an_account_is_in_it() -> None:
    belonging = {
        name
        for name, table in Base.metadata.tables.items()
        for key in table.foreign_keys
        if key.column.table.name in ("users", "predictions")
    }
    # Its roles stand with the account.
    assert belonging | {"users"} == {row.__tablename__ for row in GIVEN} | {"roles_users"}


def test_many_predictions_are_given_some_at_a_time(services: Services, ada: int) -> None:
    recorder, made = Recorder(engine=services.engine), [make_prediction() for _ in range(1001)]
    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(lambda prediction: recorder.record(prediction, Owner(account=ada), None), made))
    file = archive(services, ada)
    given = [row["id"] for number in (1, 2, 3) for row in read(file, f"predictions-{number}.json")]
    assert given == sorted(prediction.id for prediction in made)
    assert "predictions-4.json" not in file.namelist()


def test_deeds_follow_an_account_to_its_new_address_and_end_where_another_takes_the_old_one(
    services: Services, ada: int
) -> None:
    services.audit_log.record(COMMAND_LINE, "promoted", subject_of_account(ADA))
    token = services.address_changes.ask(ada, "new@example.org").token
    services.address_changes.use(ada, token or "", here=0)
    services.audit_log.record(COMMAND_LINE, "demoted", subject_of_account("new@example.org"))
    second = services.accounts.create(ADA, PASSWORD)
    services.audit_log.record(COMMAND_LINE, "disabled", subject_of_account(ADA))
    actions = {who: [deed["action"] for deed in read(archive(services, who), "deeds.json")] for who in (ada, second)}
    assert actions == {ada: ["promoted", "changed address", "demoted"], second: ["disabled"]}


def test_it_names_no_administrator(services: Services, ada: int) -> None:
    root = Actor("root@example.org", services.accounts.create("root@example.org", PASSWORD, admin=True))
    services.people.disable(ada, root)
    services.audit_log.record(COMMAND_LINE, "enabled", subject_of_account(ADA))
    deeds = read(archive(services, ada), "deeds.json")
    assert [(deed["actor"], deed["action"]) for deed in deeds] == [
        ("an administrator", "disabled"),
        ("command line", "enabled"),
    ]


def test_whoever_goes_leaves_nothing_but_what_they_did(services: Services, ada: int) -> None:
    predictions = store(services, ada, 3)
    services.logins.begin(ada, browser="", address="")
    key = services.api_keys.create(ada, "laptop")
    services.address_changes.ask(ada, "new@example.org")
    services.audit_log.record(Actor(ADA, ada), "activated", subject_of_model("digits"))
    assert services.personal_data.delete(ada, Actor(ADA, ada)) == ADA
    assert left(services) == {"audit_log": 2}
    assert not any(services.pictures.has(prediction) for prediction in predictions)
    assert list(services.settings.data.rglob("*.jpg")) == []
    with pytest.raises(InvalidKey):
        services.api_keys.check(key)
    with services.engine.connect() as connection:
        entries = connection.execute(text("SELECT actor, account_id, action, subject FROM audit_log ORDER BY id")).all()
    assert [tuple(entry) for entry in entries] == [
        (ADA, None, "activated", "model:digits"),
        (ADA, None, "deleted", f"account:{ADA}"),
    ]


def test_others_keep_what_is_theirs(services: Services, ada: int) -> None:
    eve = services.accounts.create("eve@example.org", PASSWORD)
    kept = [*store(services, eve), *store(services, None)]
    services.api_keys.create(eve, "hers")
    store(services, ada)
    services.personal_data.delete(ada, COMMAND_LINE)
    assert left(services) == {"users": 1, "predictions": 2, "api_keys": 1, "audit_log": 1}
    assert all(services.pictures.has(prediction) for prediction in kept)


def test_the_only_administrator_who_is_let_in_stays(services: Services) -> None:
    root = services.accounts.create("root@example.org", PASSWORD, admin=True)
    (prediction,) = store(services, root)
    services.people.disable(services.accounts.create("second@example.org", PASSWORD, admin=True), COMMAND_LINE)
    with pytest.raises(InvalidRequest, match="only administrator"):
        services.personal_data.delete(root, Actor("root@example.org", root))
    assert services.pictures.has(prediction)
    services.accounts.create("third@example.org", PASSWORD, admin=True)
    services.personal_data.delete(root, Actor("root@example.org", root))
    assert not services.accounts.exists("root@example.org")


def test_of_two_administrators_who_go_at_once_one_stays(services: Services) -> None:
    names = ("root@example.org", "second@example.org")
    actors = [Actor(name, services.accounts.create(name, PASSWORD, admin=True)) for name in names]

    def go(actor: Actor) -> bool:
        try:
            return services.personal_data.delete(actor.account or 0, actor) == actor.name
        except InvalidRequest:
            return False

    with ThreadPoolExecutor(2) as pool:
        assert sum(pool.map(go, actors)) == 1


def test_an_account_that_is_not_there_is_told(services: Services) -> None:
    with pytest.raises(AccountNotFound):
        services.personal_data.archive(7)
    with pytest.raises(AccountNotFound):
        services.personal_data.delete(7, COMMAND_LINE)
