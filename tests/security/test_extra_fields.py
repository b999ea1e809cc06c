"""Fields that a form does not have, and values given twice, change nothing that the form was not meant to."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.factories import CAT
from tests.serving import EMAIL, RunningSite
from tests.web.visiting import Visitor, make_visitor

EVERYTHING = {
    "user_id": "1",
    "id": "1",
    "account": "1",
    "is_admin": "true",
    "roles": "admin",
    "active": "0",
    "email": "eve@example.org",
    "fs_uniquifier": "x",
    "digest": "0" * 64,
    "scopes": "everything",
    "created_at": "2001-01-01",
    "revoked_at": "",
}


def rows(site: RunningSite, query: str, *values: object) -> list[tuple[Any, ...]]:
    """Ask the site's database."""
    with closing(sqlite3.connect(site.data / "vitrine.db", timeout=30)) as database:
        return database.execute(query, values).fetchall()


def test_a_form_changes_what_it_asks_for_and_nothing_else(site: RunningSite) -> None:
    ada, accounts = make_visitor(site), "SELECT id, email, active, fs_uniquifier FROM users WHERE email = ?"
    before, roles = rows(site, accounts, EMAIL), rows(site, "SELECT * FROM roles_users ORDER BY 1, 2")
    reply = ada.submit(
        "/account/keys", {**EVERYTHING, "name": "with everything", "predict": "y", "expires": "90"}, page="/account"
    )
    assert reply.status == 200
    ((owner, digest),) = rows(site, "SELECT user_id, digest FROM api_keys WHERE name = 'with everything'")
    assert owner == before[0][0]
    assert digest != EVERYTHING["digest"]
    assert (rows(site, accounts, EMAIL), rows(site, "SELECT * FROM roles_users ORDER BY 1, 2")) == (before, roles)


def test_a_photo_belongs_to_whoever_sent_it_whatever_the_form_says(site: RunningSite) -> None:
    bob = make_visitor(site, "bob@example.org")
    fields = {**EVERYTHING, "model": "cats-vs-dogs", "label": "dog", "probability": "1", "guest": "0" * 32}
    reply = bob.submit("/", fields, [("images", "cat.jpg", CAT.read_bytes())])
    identifier = reply.headers["Location"].rpartition("/")[2]
    (found,) = rows(
        site,
        "SELECT email, label, guest FROM predictions JOIN users ON users.id = user_id WHERE predictions.id = ?",
        identifier,
    )
    assert found == ("bob@example.org", "cat", None)


@pytest.mark.parametrize("query", ["top_k=1&top_k=2", "top_k=1&admin=1", "key=x", "top_k[]=1", "top_k=1;top_k=2"])
def test_a_query_with_anything_twice_or_too_much_is_refused(site: RunningSite, query: str) -> None:
    reply = site.predict(CAT.read_bytes(), f"/api/v1/predict?{query}")
    assert (reply.status, reply.json["code"]) == (400, "invalid_request")


def test_a_login_with_two_names_is_nobodys(site: RunningSite) -> None:
    make_visitor(site)
    visitor = Visitor(site)
    token = visitor.token_of("/login")
    twice = [("csrf_token", token), ("email", "nobody@example.org"), ("email", EMAIL), ("password", "wrong"), ("password", "x")]
    reply = visitor._request("POST", "/login", urlencode(twice).encode(), {"Content-Type": "application/x-www-form-urlencoded"})
    assert reply.status == 200
    assert visitor.get("/account").status == 302


def test_what_stands_in_the_address_is_no_field_of_a_form(site: RunningSite) -> None:
    ada = make_visitor(site)
    token = ada.token_of("/account")
    reply = ada.send(f"/account/keys?csrf_token={token}&name=in+the+address&expires=90")
    assert reply.status == 400
    assert not rows(site, "SELECT 1 FROM api_keys WHERE name = 'in the address'")
