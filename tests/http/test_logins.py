"""A login ends on the server: a browser that kept its cookie is nobody then, on every worker."""

from __future__ import annotations

import re

import pytest

from tests.serving import EMAIL, PASSWORD, RunningSite
from tests.web.visiting import Visitor, assert_redirect, grow_old, make_visitor

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 26_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Safari/604.1"
NEW_PASSWORD = "quite another long phrase"


def log_in(site: RunningSite, email: str = EMAIL, password: str = PASSWORD, browser: str = FIREFOX) -> Visitor:
    make_visitor(site, email, password)
    visitor = Visitor(site, {"User-Agent": browser})
    assert visitor.log_in(email, password).status == 302
    return visitor


def copy_of(visitor: Visitor) -> Visitor:
    """Give whoever has stolen the cookies."""
    thief = Visitor(visitor.site)
    thief.cookies = dict(visitor.cookies)
    return thief


def assert_nobody(visitor: Visitor) -> None:
    for _ in range(6):  # whichever worker answers
        assert_redirect(visitor.get("/account"), "/login?next=/account")


def test_logging_out_ends_the_login_whatever_cookie_was_kept(site: RunningSite) -> None:
    ada = log_in(site)
    thief = copy_of(ada)
    assert thief.get("/account").status == 200
    assert ada.submit("/logout", page="/account").status == 302
    assert_nobody(ada)
    assert_nobody(thief)


def test_a_cookie_from_before_the_login_is_not_logged_in_by_it(site: RunningSite) -> None:
    make_visitor(site)
    ada = Visitor(site)
    ada.get("/login")
    before = copy_of(ada)
    assert ada.log_in().status == 302
    assert_nobody(before)


def test_logging_in_again_gives_a_new_token_and_ends_the_old_one(site: RunningSite) -> None:
    ada = log_in(site)
    before = copy_of(ada)
    assert ada.submit("/logout", page="/account").status == 302
    assert ada.log_in().status == 302
    assert ada.get("/account").status == 200
    assert_nobody(before)


def test_a_changed_password_ends_all_other_logins(site: RunningSite) -> None:
    email = "changes@example.org"
    ada, phone = log_in(site, email), log_in(site, email, browser=PHONE)
    thief = copy_of(ada)
    fields = {"password": PASSWORD, "new_password": NEW_PASSWORD, "new_password_confirm": NEW_PASSWORD, "submit": "1"}
    assert_redirect(ada.submit("/account/password", fields), "/account")
    assert ada.get("/account").status == 200
    assert_nobody(phone)
    assert_nobody(thief)
    assert b"iPhone" not in ada.get("/account").body


def test_the_account_lists_its_browsers_and_ends_one(site: RunningSite) -> None:
    email = "lists@example.org"
    ada, phone = log_in(site, email), log_in(site, email, browser=PHONE)
    page = ada.get("/account").body.decode()
    assert "Firefox on Linux, this browser" in page
    assert "Safari on iPhone" in page
    (path, *others) = re.findall(r'action="(/account/logins/\d+/end)"', page)
    assert len(others) == 2  # of the visitors who made the account
    assert_redirect(ada.submit(path, page="/account"), "/account")
    assert_nobody(phone)
    assert "Safari on iPhone" not in ada.get("/account").body.decode()


def test_everything_else_is_ended_at_once(site: RunningSite) -> None:
    email = "everywhere@example.org"
    ada, *others = (log_in(site, email) for _ in range(3))
    assert_redirect(ada.submit("/account/logins/end-others", page="/account"), "/account")
    for other in others:
        assert_nobody(other)
    assert ada.get("/account").body.decode().count("Firefox on Linux") == 1


def test_nobody_ends_the_login_of_another(site: RunningSite) -> None:
    ada, bob = log_in(site), log_in(site, "bob@example.org")
    log_in(site, "bob@example.org")
    path = re.findall(r'action="(/account/logins/\d+/end)"', bob.get("/account").body.decode())[0]
    assert_redirect(ada.submit(path, page="/account"), "/account")
    assert path in bob.get("/account").body.decode()


@pytest.mark.parametrize(("remember", "stays"), [({"remember": "y"}, True), ({}, False)])
def test_the_cookie_outlives_the_browser_only_where_one_asked_for_it(
    site: RunningSite, remember: dict[str, str], stays: bool
) -> None:
    make_visitor(site)
    ada = Visitor(site)
    assert ada.submit("/login", {"email": EMAIL, "password": PASSWORD, **remember}).status == 302
    (line,) = (line for line in ada.set_cookies if line.startswith("vitrine="))
    assert ("Expires=" in line) == stays


def test_what_a_browser_says_of_itself_is_text(site: RunningSite) -> None:
    email = "markup@example.org"
    log_in(site, email, browser="<script>alert(1)</script> Firefox/1")
    page = log_in(site, email).get("/account").body.decode()
    assert "<script>alert" not in page


def test_an_old_login_ends_no_other_before_its_password_is_typed_again(site: RunningSite) -> None:
    email = "asked@example.org"
    ada, phone = log_in(site, email), log_in(site, email, browser=PHONE)
    grow_old(ada, minutes=16)
    paths = [
        "/account/logins/end-others",
        *re.findall(r'action="(/account/logins/\d+/end)"', ada.get("/account").body.decode()),
    ]
    for path in paths:
        assert_redirect(ada.submit(path, page="/account"), "/verify?next=/account")
    assert phone.get("/account").status == 200
    assert_redirect(ada.submit("/verify?next=/account", {"password": PASSWORD, "submit": "1"}), "/account")
    assert_redirect(ada.submit("/account/logins/end-others", page="/account"), "/account")
    assert_nobody(phone)
