"""A password is masked while it is typed, kept by whoever keeps passwords, and taken exactly as it stands."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing

import pytest

from tests.serving import PASSWORD, RunningSite
from tests.web.visiting import Visitor, assert_redirect, forgiving, make_visitor

# Blanks at both ends, a letter in two parts, both cases, and more bytes than some hashes look at.
ODD = "  Caf\u0065\u0301 AND cafe " + "\u00df" * 40 + " the end "
NEARLY = {
    "without the blanks": ODD.strip(),
    "in small letters": ODD.lower(),
    "with the letter in one part": ODD.replace("e\u0301", "\u00e9"),
    "cut after 72 bytes": ODD.encode()[:72].decode(errors="ignore"),
    "with another end": ODD[:-5] + "END ",
}
PAGES = ["/login", "/account/password", "/verify"]


@pytest.mark.parametrize("path", PAGES)
def test_a_field_for_a_password_masks_it_and_tells_password_managers_which_it_is(site: RunningSite, path: str) -> None:
    page = (Visitor(site) if path == "/login" else make_visitor(site)).get(path).body.decode()
    fields = [field for field in re.findall(r"<input[^>]*>", page) if "password" in field]
    assert fields
    for field in fields:
        assert 'type="password"' in field
        assert re.search(r'autocomplete="(current|new)-password"', field), field
        assert "maxlength" not in field
        assert "onpaste" not in field


def test_a_password_is_taken_exactly_as_it_was_typed(site: RunningSite) -> None:
    make_visitor(site, "odd@example.org")
    ada = make_visitor(site, "odd@example.org")
    change = {"password": PASSWORD, "new_password": ODD, "new_password_confirm": ODD, "submit": "1"}
    assert_redirect(ada.submit("/account/password", change), "/account")
    with forgiving(site):
        for how, password in NEARLY.items():
            assert Visitor(site).log_in("odd@example.org", password).status == 200, how
        assert Visitor(site).log_in("odd@example.org", ODD).status == 302


def test_an_old_password_is_as_good_as_a_new_one(site: RunningSite) -> None:
    make_visitor(site, "old@example.org")
    with closing(sqlite3.connect(site.data / "vitrine.db", timeout=30)) as database, database:
        database.execute("UPDATE users SET created_at = '2001-01-01 00:00:00' WHERE email = 'old@example.org'")
    visitor = Visitor(site)
    assert_redirect(visitor.log_in("old@example.org"), "/")
    assert visitor.get("/").status == 200


def test_changing_a_password_takes_the_present_one(site: RunningSite) -> None:
    ada = make_visitor(site, "present@example.org")
    new = "quite another long phrase"
    for said in ("", "not the present one"):
        fields = {"password": said, "new_password": new, "new_password_confirm": new, "submit": "1"}
        assert ada.submit("/account/password", fields).status == 200
    with forgiving(site):
        assert Visitor(site).log_in("present@example.org", new).status == 200
        assert Visitor(site).log_in("present@example.org").status == 302


def test_nobody_is_asked_for_a_hint_or_a_secret_of_their_life(site: RunningSite) -> None:
    known = {"csrf_token", "next", "email", "password", "password_confirm", "new_password", "new_password_confirm", "remember"}
    for path in PAGES:
        page = (Visitor(site) if path == "/login" else make_visitor(site)).get(path).body.decode()
        assert set(re.findall(r'<input[^>]*name="([^"]+)"', page)) <= known | {"submit"}, path
