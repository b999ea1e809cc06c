"""What belongs to another answers as what never was, byte for byte; and no further field of a form or a body is heeded."""

from __future__ import annotations

import base64
import json
import re
import sqlite3
from contextlib import closing
from typing import Any

import pytest

from tests.factories import make_picture
from tests.security.cast import NOBODYS, key_of, number_of, person, predicted, services
from tests.serving import PASSWORD, Reply, RunningSite
from tests.web.visiting import Visitor, assert_redirect

ADA, BOB = "ada@example.org", "bob@example.org"
# What somebody might hope that a form is copied from.
GREEDY = {
    **{"admin": "1", "is_admin": "true", "role": "admin", "roles": "admin", "roles-0-name": "admin", "active": "0", "id": "1"},
    **{"user_id": "1", "owner": "1", "account": "1", "email": "taken@example.org", "fs_uniquifier": "x", "scopes": "admin"},
    **{"password_hash": "x", "confirmed_at": "2026-01-01", "created_at": "1999-01-01", "key_id": "x", "digest": "x"},
    **{"__class__": "x", "_sa_instance_state": "x", "version": "2", "stored": "1", "scores": "[]", "permissions": "*"},
}
_VARYING = re.compile(rb'value="[\w.-]{60,}"|[0-9a-f]{16}')


def told(reply: Reply, name: str) -> tuple[object, ...]:
    """Give all of an answer, but for the name asked for, which one has written oneself, and what is new each time."""
    headers = {key: value for key, value in reply.headers.items() if key not in ("Date", "X-Request-Id", "Set-Cookie")}
    body = _VARYING.sub(b"", reply.body.replace(name.encode(), b""))
    return reply.status, {**headers, "Content-Length": ""}, body


def rows(site: RunningSite) -> dict[str, list[Any]]:
    """Give the accounts, their roles, the keys and the predictions as they are stored."""
    asked = {
        "accounts": "SELECT id, email, active, fs_uniquifier FROM users ORDER BY id",
        "keys": "SELECT id, user_id, scopes, digest, revoked_at FROM api_keys ORDER BY id",
        "roles": f"SELECT * FROM {_table_of_roles(site)} ORDER BY 1, 2",
    }
    with closing(sqlite3.connect(site.data / "vitrine.db", timeout=30)) as database:
        return {name: database.execute(statement).fetchall() for name, statement in asked.items()}


def _table_of_roles(site: RunningSite) -> str:
    with closing(sqlite3.connect(site.data / "vitrine.db", timeout=30)) as database:
        names = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    (found,) = (name for name in names if "role" in name and "user" in name)
    return str(found)


@pytest.fixture
def ada(fort: RunningSite) -> Visitor:
    return person(fort, ADA)


@pytest.fixture
def bob(fort: RunningSite) -> Visitor:
    return person(fort, BOB)


@pytest.mark.parametrize("part", ["", "/picture", "/picture?size=thumbnail"])
def test_the_prediction_and_the_picture_of_another_are_as_none(ada: Visitor, bob: Visitor, part: str) -> None:
    theirs = predicted(ada)
    assert ada.get(f"/predictions/{theirs}{part}").status == 200
    found, never = bob.get(f"/predictions/{theirs}{part}"), bob.get(f"/predictions/{NOBODYS}{part}")
    assert found.status == 404
    assert told(found, theirs) == told(never, NOBODYS)


def test_nobody_deletes_the_prediction_of_another(ada: Visitor, bob: Visitor) -> None:
    theirs = predicted(ada)
    replies = {name: bob.submit(f"/predictions/{name}/delete", page="/account") for name in (theirs, NOBODYS)}
    assert told(replies[theirs], theirs) == told(replies[NOBODYS], NOBODYS)
    assert ada.get(f"/predictions/{theirs}").status == 200


def test_nobody_ends_the_key_of_another(fort: RunningSite, bob: Visitor) -> None:
    key = key_of(fort, ADA) if services(fort).accounts.exists(ADA) else key_of(fort, BOB)
    theirs, never = key.split("_")[1], "0123456789ab"
    replies = {name: bob.submit(f"/account/keys/{name}/revoke", page="/account") for name in (theirs, never)}
    assert told(replies[theirs], theirs) == told(replies[never], never)
    assert bob.get("/account").body.count(b"is revoked.") == 0
    assert fort.request("GET", "/api/v1/models", key=key).status == 200


def test_nobody_ends_the_login_of_another(fort: RunningSite, ada: Visitor, bob: Visitor) -> None:
    number = max(login.id for login in services(fort).logins.list(number_of(fort, ADA)))
    paths = [f"/account/logins/{name}/end" for name in (number, 9999999)]
    here, nowhere = (told(bob.submit(path, page="/account"), path) for path in paths)
    assert here == nowhere
    assert ada.get("/account").status == 200


def test_an_idempotency_key_of_another_gives_nothing_away(fort: RunningSite, ada: Visitor, bob: Visitor) -> None:
    picture, header = make_picture((1, 2, 3)), {"Idempotency-Key": "the-same-for-both"}
    kind = {"Content-Type": "application/octet-stream"}
    first = fort.request("POST", "/api/v1/predict", picture, {**header, **kind}, key=key_of(fort, ADA))
    other = fort.request("POST", "/api/v1/predict", picture, {**header, **kind}, key=key_of(fort, BOB))
    assert (first.status, other.status) == (200, 200)
    assert first.json["id"] != other.json["id"]
    assert "Idempotent-Replayed" not in other.headers
    assert ada.get(f"/predictions/{other.json['id']}").status == 404


def test_a_guessed_neighbour_is_nobodys(ada: Visitor, bob: Visitor) -> None:
    theirs = predicted(ada)
    for name in (
        theirs.lower(),
        theirs[:-1],
        f"{theirs}0",
        theirs[:-1] + ("0" if theirs[-1] != "0" else "1"),
        f"%20{theirs}",
        "1",
    ):
        assert bob.get(f"/predictions/{name}").status == 404, name


@pytest.mark.parametrize(
    ("path", "fields", "page"),
    [
        (
            "/account/password",
            {"password": "wrong but long enough", "new_password": PASSWORD, "new_password_confirm": PASSWORD},
            "",
        ),
        ("/account/logins/9999999/end", {}, "/account"),
        ("/account/keys/0123456789ab/revoke", {}, "/account"),
        ("/verify", {"password": PASSWORD}, "/account"),
        ("/", {"model": "cats-vs-dogs"}, "/account"),
        ("/recover", {}, "/account"),
    ],
)
def test_no_further_field_of_a_form_changes_anything(
    fort: RunningSite, bob: Visitor, path: str, fields: dict[str, str], page: str
) -> None:
    before = rows(fort)
    query = "&".join(f"{name}={value}" for name, value in GREEDY.items())
    reply = bob.submit(f"{path}?{query}", {**GREEDY, **fields}, page=page or path)
    assert reply.status < 500
    assert rows(fort) == before


def test_a_key_is_ones_own_whatever_the_form_says(fort: RunningSite, ada: Visitor, bob: Visitor) -> None:
    before = rows(fort)
    fields = {**GREEDY, "user_id": str(number_of(fort, ADA)), "name": "greedy", "predict": "y", "daily": "", "expires": "90"}
    # That one is a field of this form, for administrators: a member is refused.
    assert bob.submit("/account/keys", fields, page="/account").status == 400
    assert rows(fort)["keys"] == before["keys"]
    del fields["admin"]
    assert bob.submit("/account/keys", fields, page="/account").status == 200
    after = rows(fort)
    (made,) = set(after["keys"]) - set(before["keys"])
    assert made[1] == number_of(fort, BOB)
    assert json.loads(made[2]) == ["predict"]
    assert after["accounts"] == before["accounts"]
    assert after["roles"] == before["roles"]


def test_a_login_and_an_invitation_give_no_more_than_they_say(fort: RunningSite) -> None:
    root = person(fort, "root@example.org", admin=True)
    reply = root.submit("/people/invite", {"email": "greedy@example.org"}, page="/people")
    (link,) = re.findall(r'id="key-text">http://[^/]+(/invitation/[^<]+)<', reply.body.decode())
    fields = {**GREEDY, "password": PASSWORD, "password_confirm": PASSWORD}
    assert_redirect(Visitor(fort).submit(str(link), fields), "/")
    greedy = Visitor(fort)
    assert greedy.submit("/login", {**GREEDY, "email": "greedy@example.org", "password": PASSWORD}).status == 302
    assert greedy.get("/people").status == 403
    assert not services(fort).accounts.exists("taken@example.org")
    assert greedy.get("/account").status == 200


@pytest.mark.parametrize("field", [*GREEDY, "model", "top_k", "images", "url", "path"])
def test_an_unknown_field_of_a_body_is_refused(fort: RunningSite, ada: Visitor, field: str) -> None:
    picture = base64.b64encode(make_picture()).decode()
    body = json.dumps({"image": picture, field: "1"}).encode()
    reply = fort.request("POST", "/api/v1/predict", body, {"Content-Type": "application/json"}, key=key_of(fort, ADA))
    assert (reply.status, reply.json["code"]) == (400, "invalid_request")


@pytest.mark.parametrize("field", ["admin", "user_id", "model", "owner", "image", "top_k=1&top_k", "TOP_K"])
def test_an_unknown_word_of_a_query_is_refused(fort: RunningSite, ada: Visitor, field: str) -> None:
    kind = {"Content-Type": "application/octet-stream"}
    key = key_of(fort, ADA)
    for path, method, body in (("/api/v1/predict", "POST", make_picture()), ("/api/v1/models", "GET", None)):
        reply = fort.request(method, f"{path}?{field}=1", body, kind, key=key)
        if not (field.startswith("top_k") and method == "POST"):
            assert (reply.status, reply.json["code"]) == (400, "invalid_request"), path
