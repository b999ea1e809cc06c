"""What comes into a site: nothing twice, nothing half, and nobody let in by it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from app.composition import Services
from app.errors import InvalidRequest
from app.services.audit_log import Actor
from app.services.exchange.importing import Imported, Importer
from app.services.exchange.shapes import AUDIT_LOG, PREDICTIONS, USERS, Row, Shape
from app.services.recorder import Owner
from tests.services.exchange.rows import BEGAN, HARD, account, deed, prediction, predictions_of, written
from tests.services.exchange.test_exporting import export


def take(services: Services, shape: Shape, url: str | Path) -> Imported:
    """Import, as the command does."""
    steps: list[int] = []
    begun = Importer(engine=services.engine, audit_log=services.audit_log).open(shape, str(url))
    done = begun.run(steps.append)
    assert sum(steps) == begun.length
    return done


def taken(services: Services, shape: Shape, rows: Sequence[Row], folder: Path) -> Imported:
    """Import rows."""
    file = folder / "rows.jsonl"
    file.unlink(missing_ok=True)
    return take(services, shape, written(file, shape, rows))


def log_of(services: Services) -> list[Row]:
    """Give a site's audit log without numbers of its own, oldest first."""
    names = ("at", "actor", "action", "subject", "detail", "address")
    return [{name: getattr(entry, name) for name in names} for entry in reversed(services.audit_log.before(None, 10_000))]


def told(row: Row) -> Row:
    return {name: row[name] for name in ("at", "actor", "action", "subject", "detail", "address")}


def test_an_account_comes_as_it_was_but_without_a_way_in(services: Services, other: Services, tmp_path: Path) -> None:
    services.accounts.add("ada@example.org", "a hash", admin=True)
    bob = services.accounts.add("bob@example.org", "a hash")
    services.people.disable(bob, Actor("ada@example.org"))
    export(services, USERS, tmp_path / "a.csv")
    assert take(other, USERS, tmp_path / "a.csv") == Imported(2)
    before, after = ([(p.email, p.admin, p.active, p.created_at) for p in s.people.page(1).people] for s in (services, other))
    assert before == after
    with other.engine.connect() as connection:
        rows = connection.execute(text("SELECT password, fs_uniquifier FROM users")).all()
    assert [password for password, _ in rows] == [None, None]
    with services.engine.connect() as connection:
        assert not set(connection.scalars(text("SELECT fs_uniquifier FROM users"))) & {token for _, token in rows}


def test_who_is_there_already_stays_as_they_are(services: Services, tmp_path: Path) -> None:
    services.accounts.add("ada@example.org", "a hash")
    rows = [
        account(1, email="ADA@example.org", roles=["admin"], active=False),
        account(2),
        account(3, email="person2@example.org"),
    ]
    assert taken(services, USERS, rows, tmp_path) == Imported(1, known=2)
    assert taken(services, USERS, rows, tmp_path) == Imported(0, known=3)
    people = {person.email: (person.admin, person.active) for person in services.people.page(1).people}
    assert people == {"ada@example.org": (False, True), "person2@example.org": (False, True)}


def test_a_list_of_addresses_is_enough(services: Services, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("email\nada@example.org\n Bob@Example.org \n")
    assert take(services, USERS, tmp_path / "a.csv").rows == 2
    assert [(p.email, p.admin, p.active) for p in services.people.page(1).people] == [
        ("ada@example.org", False, True),
        ("Bob@example.org", False, True),
    ]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (account(2, email="nobody"), r"Line 2 of .* is not taken: nobody is not an e-mail address\. 1,000 rows"),
        (account(2, email=""), "is not taken: An empty text is not an e-mail address"),
        (account(2, roles=["root"]), r"Line 2 of .* is not taken: its roles are neither \[\] nor \[\"admin\"\]\. Nothing"),
    ],
)
def test_an_account_that_cannot_be_is_refused_by_its_line(services: Services, tmp_path: Path, row: Row, said: str) -> None:
    rows = [account(1), row]
    if "1,000" in said:
        rows, said = [account(number) for number in range(1000)] + rows, said.replace("Line 2", "Line 1002")
    with pytest.raises(InvalidRequest, match=said):
        taken(services, USERS, rows, tmp_path)
    assert services.people.page(1).total == len(rows) - 2, "the batches before it are in, and nothing of its own"


def test_predictions_find_their_owners_by_address_and_wait_for_those_who_have_no_account(
    services: Services, tmp_path: Path
) -> None:
    services.accounts.add("eve@example.org", "a hash")
    ada = services.accounts.add("Ada@example.org", "a hash")
    rows = [
        prediction(1, owner="ada@EXAMPLE.org", guest=None),
        prediction(2, owner="bob@example.org", guest=None),
        prediction(3),
        prediction(3),
    ]
    assert taken(services, PREDICTIONS, rows, tmp_path) == Imported(2, known=1, ownerless=1)
    assert services.history.page(Owner(account=ada), 1).items[0].prediction.id == rows[0]["id"]
    bob = services.accounts.add("bob@example.org", "a hash")
    assert taken(services, PREDICTIONS, rows, tmp_path) == Imported(1, known=3)
    (item,) = services.history.page(Owner(account=bob), 1).items
    made = item.prediction
    assert (made.id, made.model, made.created_at) == (rows[1]["id"], "shade", rows[1]["created_at"])
    assert [[score.label, score.probability] for score in made.scores] == rows[1]["scores"]


def test_predictions_are_the_same_on_the_other_side(services: Services, other: Services, tmp_path: Path) -> None:
    taken(services, PREDICTIONS, HARD["predictions"][1], tmp_path)
    for file in ("a.csv", "b.jsonl"):
        export(services, PREDICTIONS, tmp_path / file)
    assert take(other, PREDICTIONS, tmp_path / "a.csv").rows == len(HARD["predictions"][1])
    assert take(other, PREDICTIONS, tmp_path / "b.jsonl").rows == 0
    assert predictions_of(other) == predictions_of(services) != []


def test_a_site_is_imported_from_directly(services: Services, other: Services, tmp_path: Path) -> None:
    services.accounts.add("ada@example.org", "a hash", admin=True)
    taken(services, PREDICTIONS, [prediction(1, owner="ada@example.org", guest=None), prediction(2)], tmp_path)
    assert take(other, USERS, str(services.engine.url)) == Imported(1)
    assert take(other, PREDICTIONS, str(services.engine.url)) == Imported(2)
    assert predictions_of(other) == predictions_of(services)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"id": "../../etc/passwd"}, "id is no identifier"),
        ({"id": "0" * 25 + "I"}, "id is no identifier"),
        ({"probability": 1.5}, "probability is not between 0 and 1"),
        ({"owner": "ada@example.org", "guest": "g"}, "it belongs to an account and to a guest"),
        ({"scores": []}, "scores is no list of classes"),
        ({"scores": {"cat": 1}}, "scores is no list of classes"),
        ({"scores": [["cat", "1"]]}, "scores is no list of classes"),
        ({"scores": [["cat", True]]}, "scores is no list of classes"),
        ({"picture": {}}, "picture does not tell format, height, sha256, steps, width"),
        ({"picture": prediction(1)["picture"] | {"width": "32"}}, "picture does not tell"),
        ({"picture": prediction(1)["picture"] | {"steps": [1]}}, "picture does not tell"),
        ({"timings": {"thinking": 1.0}}, "timings are not the milliseconds of decode, queue, model, store, total"),
        ({"timings": {"decode": 1.0}}, "timings are not the milliseconds"),
    ],
)
def test_a_prediction_that_no_page_could_show_is_refused(
    services: Services, tmp_path: Path, given: dict[str, Any], said: str
) -> None:
    with pytest.raises(InvalidRequest, match=f"Line 2 of .* is not taken: {said}.* Nothing was taken"):
        taken(services, PREDICTIONS, [prediction(0), prediction(1, **given)], tmp_path)
    assert predictions_of(services) == []


def test_a_log_is_added_at_the_end_with_its_own_times_and_never_twice(services: Services, tmp_path: Path) -> None:
    services.accounts.add("ada@example.org", "a hash")
    services.audit_log.record(Actor("eve@example.org"), "joined", "account:eve@example.org")
    rows = [deed(number, account="ada@example.org" if number % 2 else "gone@example.org") for number in range(1, 1203)]
    assert taken(services, AUDIT_LOG, rows[:1101], tmp_path) == Imported(1101)
    services.audit_log.record(Actor("eve@example.org"), "activated", "model:shade")
    # A longer export of the same log: an entry of this site's own stands between.
    assert taken(services, AUDIT_LOG, rows, tmp_path) == Imported(101, known=1101)
    assert taken(services, AUDIT_LOG, rows, tmp_path) == Imported(0, known=1202)
    log = log_of(services)
    assert [entry for entry in log if entry["at"].year == BEGAN.year and entry["at"] < BEGAN.replace(month=2)] == [
        told(row) for row in rows
    ]
    assert [(entry["action"], entry["detail"]) for entry in log if entry["actor"] == "command line"] == [
        ("imported", f"from {tmp_path / 'rows.jsonl'}")
    ] * 3
    with services.engine.connect() as connection:
        linked = connection.scalar(text("SELECT count(*) FROM audit_log WHERE account_id = 1"))
    assert linked == 601


def test_entries_that_are_alike_are_each_kept(services: Services, tmp_path: Path) -> None:
    rows = [deed(number, at=BEGAN, detail="the same") for number in (1, 2, 3)]
    assert taken(services, AUDIT_LOG, rows[:2], tmp_path) == Imported(2)
    assert taken(services, AUDIT_LOG, rows, tmp_path) == Imported(1, known=2)


def test_a_log_of_a_second_site_comes_after_that_of_the_first(services: Services, tmp_path: Path) -> None:
    first, second = ([deed(number, actor=actor) for number in range(1, 6)] for actor in ("ada@example.org", "bob@example.org"))
    for rows in (first, second):
        assert taken(services, AUDIT_LOG, rows, tmp_path) == Imported(5)
    for rows in (first, second):
        assert taken(services, AUDIT_LOG, rows, tmp_path) == Imported(0, known=5)


def test_a_log_that_was_put_in_another_order_is_refused(services: Services, tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match=r"Line 2 of .* is not taken: entries come in the order of their numbers"):
        taken(services, AUDIT_LOG, [deed(2), deed(1)], tmp_path)


def test_half_a_surrogate_is_stood_in_for(services: Services, tmp_path: Path) -> None:
    done = taken(services, PREDICTIONS, [prediction(1, scores=[["\ud800", 1.0]])], tmp_path)
    assert done == Imported(1, mended=1)
    assert predictions_of(services)[0]["scores"] == [["\N{REPLACEMENT CHARACTER}", 1.0]]


def test_what_cannot_be_read_is_not_written_down_as_a_deed(services: Services, tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="cannot be read"):
        take(services, USERS, tmp_path / "a.csv")
    assert log_of(services) == []
