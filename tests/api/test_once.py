"""Requests that are sent again under an Idempotency-Key, through real Gunicorn and real SQLite."""

from __future__ import annotations

import re
import sqlite3
import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from tests.api.asking import as_form, as_json, assert_problem, make_key, send, services_of
from tests.factories import CAT, EIGHT
from tests.serving import Reply, RunningSite

DIGITS = "/api/v1/models/digits/predict"
PHOTO = EIGHT.read_bytes()


def send_named(site: RunningSite, name: str, photo: bytes = PHOTO, path: str = DIGITS, key: str = "") -> Reply:
    headers = {"Content-Type": "image/png", "Idempotency-Key": name}
    return site.request("POST", path, photo, headers, key=key or site.key)


def stored(site: RunningSite, prediction_id: str) -> int:
    with closing(sqlite3.connect(site.data / "vitrine.db", timeout=30)) as database:
        return int(database.execute("SELECT count(*) FROM predictions WHERE id = ?", [prediction_id]).fetchone()[0])


def predictions(site: RunningSite) -> int:
    with closing(sqlite3.connect(site.data / "vitrine.db", timeout=30)) as database:
        return int(database.execute("SELECT count(*) FROM predictions").fetchone()[0])


def abandon(site: RunningSite, name: str) -> None:
    """Leave a request as a killed process does that has stored its prediction and not yet said so."""
    past = f"{datetime.now(UTC) - timedelta(seconds=1):%Y-%m-%d %H:%M:%S.%f}"
    with closing(sqlite3.connect(site.data / "vitrine.db", timeout=30)) as database, database:
        changed = database.execute(
            "UPDATE idempotent_requests SET answer = NULL, held_until = ? WHERE name = ?", [past, name]
        ).rowcount
    assert changed == 1


def test_the_same_request_gets_the_same_answer_to_the_letter_and_is_stored_once(site: RunningSite) -> None:
    name = str(uuid4())
    first = send_named(site, name)
    count = predictions(site)
    again = [send_named(site, name) for _ in range(3)]
    assert [reply.status for reply in (first, *again)] == [200] * 4
    assert {reply.body for reply in again} == {first.body}
    assert "Idempotent-Replayed" not in first.headers
    assert [reply.headers["Idempotent-Replayed"] for reply in again] == ["true"] * 3
    assert (predictions(site), stored(site, first.json["id"])) == (count, 1)


def test_it_is_the_picture_that_makes_it_the_same_however_it_is_sent(site: RunningSite) -> None:
    first = send_named(site, name := str(uuid4()))
    body, headers = as_form(("image", "eight.png", PHOTO))
    again = send(site, body, {**headers, "Idempotency-Key": f'"{name}"'}, DIGITS)
    assert (again.status, again.body) == (200, first.body)


@pytest.mark.parametrize(
    ("photo", "path"),
    [(CAT.read_bytes(), DIGITS), (PHOTO, "/api/v1/predict"), (PHOTO, f"{DIGITS}?top_k=1")],
    ids=["picture", "model", "query"],
)
def test_another_request_under_the_name_is_refused(site: RunningSite, photo: bytes, path: str) -> None:
    name = str(uuid4())
    assert send_named(site, name).status == 200
    assert_problem(send_named(site, name, photo, path), 422, "idempotency_key_reused")


def test_a_refused_picture_leaves_the_name_free(site: RunningSite) -> None:
    name = str(uuid4())
    assert_problem(send_named(site, name, b"no picture"), 415, "unsupported_image")
    assert send_named(site, name).status == 200


@pytest.mark.parametrize("name", ["", " ", '""', '"open', 'a"b', "a b", "é", "a" * 256])
def test_a_name_that_is_none_is_refused(site: RunningSite, name: str) -> None:
    assert_problem(send_named(site, name), 400, "invalid_request")


def test_many_at_once_are_stored_once_and_say_the_same(site: RunningSite) -> None:
    name, replies = str(uuid4()), []
    count = predictions(site)
    threads = [threading.Thread(target=lambda: replies.append(send_named(site, name))) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    answers = {reply.body for reply in replies if reply.status == 200}
    assert len(answers) == 1
    assert predictions(site) == count + 1
    for reply in replies:
        if reply.status != 200:
            assert_problem(reply, 409, "still_running")
            assert reply.headers["Retry-After"] == "2"


def test_the_prediction_of_a_killed_process_is_found_and_not_made_again(site: RunningSite) -> None:
    name = str(uuid4())
    first = send_named(site, name)
    count = predictions(site)
    abandon(site, name)
    again = send_named(site, name)
    assert (again.status, again.headers["Idempotent-Replayed"]) == (200, "true")
    same = ("id", "model", "label", "probability", "predictions", "image", "stored")
    assert {field: again.json[field] for field in same} == {field: first.json[field] for field in same}
    assert predictions(site) == count
    assert send_named(site, name).body == again.body


def test_what_a_killed_process_never_stored_is_made_once(site: RunningSite) -> None:
    name = str(uuid4())
    first = send_named(site, name)
    abandon(site, name)
    with closing(sqlite3.connect(site.data / "vitrine.db", timeout=30)) as database, database:
        database.execute("DELETE FROM predictions WHERE id = ?", [first.json["id"]])
    again = send_named(site, name)
    assert (again.status, again.json["id"], again.json["stored"]) == (200, first.json["id"], True)
    assert stored(site, first.json["id"]) == 1


def test_another_key_has_names_of_its_own(site: RunningSite) -> None:
    name, other = str(uuid4()), make_key(services_of(site))
    first, second = send_named(site, name), send_named(site, name, CAT.read_bytes(), key=other)
    assert (first.status, second.status) == (200, 200)


def test_the_document_tells_of_it(site: RunningSite) -> None:
    document = site.request("GET", "/api/v1/openapi.json").json
    for path, operations in document["paths"].items():
        for operation in operations.values():
            told = [parameter["name"] for parameter in operation.get("parameters", []) if parameter["in"] == "header"]
            assert told == (["Idempotency-Key"] if re.search("predict$", path) else [])
            assert ("headers" in operation["responses"]["200"]) == bool(told)


def test_json_is_a_way_too(site: RunningSite) -> None:
    body, headers = as_json({"image": "data:image/png;base64,!"})
    assert_problem(send(site, body, {**headers, "Idempotency-Key": "x"}, DIGITS), 400, "invalid_request")
