"""The one-time link that makes the first administrator."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from urllib.parse import urlsplit

import pytest

from tests.serving import PASSWORD, RunningSite
from tests.web.reading import Page
from tests.web.visiting import Visitor, assert_redirect

DEAD = "This set-up link is used or was replaced by a newer one."
FIRST = {"email": "first@example.org", "password": PASSWORD, "password_confirm": PASSWORD}


@pytest.fixture(scope="module")
def small_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    """Give a site of these tests' own: on one that others use somebody may have an account already."""
    with RunningSite(tmp_path_factory.mktemp("setup"), access="guests", workers="1") as running:
        yield running


@pytest.fixture
def link(small_site: RunningSite) -> Iterator[str]:
    """Give the path of the link that the start printed; whoever used it is forgotten, and it lives again."""
    path = urlsplit(small_site.setup_link).path
    yield path
    with closing(sqlite3.connect(small_site.data / "vitrine.db", timeout=30)) as database, database:
        database.execute("DELETE FROM roles_users")
        database.execute("DELETE FROM users")
    (small_site.data / "setup_token").write_text(path.rpartition("/")[2], encoding="ascii")


def administrators(site: RunningSite) -> list[str]:
    """Give everybody with an account, who must be an administrator."""
    with closing(sqlite3.connect(site.data / "vitrine.db", timeout=30)) as database:
        everybody = database.execute("SELECT email FROM users ORDER BY email").fetchall()
        statement = "SELECT email FROM users JOIN roles_users ON user_id = users.id JOIN roles ON role_id = roles.id"
        found = database.execute(f"{statement} WHERE name = 'admin' ORDER BY email").fetchall()
    assert found == everybody
    return [email for (email,) in found]


def assert_alive(visitor: Visitor, link: str) -> None:
    assert "Make the first account." in Page(visitor.get(link)).words
    assert administrators(visitor.site) == []


def test_the_link_makes_the_first_administrator_who_is_logged_in(guest: Visitor, link: str) -> None:
    assert "this link works once" in Page(guest.get(link)).words
    guest.get(link)
    before = dict(guest.cookies)
    assert_redirect(guest.submit(link, FIRST), "/")
    assert "The account is made, and you are logged in." in Page(guest.get("/")).words
    assert guest.cookies != before
    assert administrators(guest.site) == ["first@example.org"]
    assert "first@example.org" in Page(guest.get("/account")).words
    later = Visitor(guest.site)
    assert_redirect(later.log_in("first@example.org", PASSWORD), "/")


def test_a_used_link_is_dead_for_a_page_opened_before_too(small_site: RunningSite, guest: Visitor, link: str) -> None:
    late = Visitor(small_site)
    token = late.token_of(link)
    guest.submit(link, FIRST)
    for reply in (late.get(link), late.send(link, {**FIRST, "email": "second@example.org", "csrf_token": token})):
        assert (reply.status, DEAD in Page(reply).words) == (404, True)
        assert not Page(reply).all("input", type="password")
    assert administrators(small_site) == ["first@example.org"]


def test_a_link_is_dead_once_anybody_has_an_account(small_site: RunningSite, guest: Visitor, link: str) -> None:
    small_site.make_account("shell@example.org", admin=True)
    assert guest.get(link).status == 404
    assert administrators(small_site) == ["shell@example.org"]


def test_of_two_who_use_the_link_at_once_one_gets_the_account(small_site: RunningSite, link: str) -> None:
    visitors = [Visitor(small_site) for _ in range(4)]
    tokens = [visitor.token_of(link) for visitor in visitors]

    def use(number: int) -> int:
        fields = {**FIRST, "email": f"number{number}@example.org", "csrf_token": tokens[number]}
        return visitors[number].send(link, fields).status

    with ThreadPoolExecutor(len(visitors)) as pool:
        statuses = list(pool.map(use, range(len(visitors))))
    assert sorted(statuses) == [303, 404, 404, 404]
    assert administrators(small_site) == [f"number{statuses.index(303)}@example.org"]


@pytest.mark.parametrize("change", ["short", "longer", "other", "accents"])
def test_a_guessed_link_opens_nothing(guest: Visitor, link: str, change: str) -> None:
    guess = {"short": link[:-1], "longer": f"{link}a", "other": "/setup/" + "a" * 32, "accents": f"{link[:-1]}%C3%A9"}[change]
    token = guest.token_of("/login")
    for reply in (guest.get(guess), guest.send(guess, {**FIRST, "csrf_token": token})):
        assert (reply.status, DEAD in Page(reply).words) == (404, True)
    assert_alive(guest, link)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"email": ""}, "Give an e-mail address."),
        ({"email": "first"}, "first is not an e-mail address."),
        ({"password": "too short", "password_confirm": "too short"}, "Choose at least 12 characters."),
        ({"password": "a" * 1025, "password_confirm": "a" * 1025}, "Choose at least 12 characters."),
        ({"password": "password123456", "password_confirm": "password123456"}, "That password is soon guessed."),
        ({"password_confirm": "correct horse bakery"}, "The two passwords differ."),
    ],
)
def test_a_wrong_form_says_what_is_wrong_and_the_link_lives(
    guest: Visitor, link: str, wrong: dict[str, str], sentence: str
) -> None:
    reply = guest.submit(link, {**FIRST, **wrong})
    page = Page(reply)
    assert reply.status == 422
    assert f"Error: {sentence}" in page.words
    assert [field.get("value", "") for field in page.all("input", type="password")] == ["", ""]
    assert_alive(guest, link)


def test_over_plain_http_no_password_is_taken_and_the_link_lives(small_site: RunningSite, guest: Visitor, link: str) -> None:
    reply = Visitor(small_site, headers={"Host": "192.0.2.7"}).submit(link, FIRST)
    assert reply.status == 422
    assert "This page was reached over plain http" in Page(reply).words
    assert_alive(guest, link)


def test_a_form_of_another_site_makes_no_account(guest: Visitor, link: str) -> None:
    assert guest.send(link, FIRST).status == 400
    assert_alive(guest, link)


def test_the_link_tells_caches_and_other_sites_nothing(guest: Visitor, link: str) -> None:
    headers = guest.get(link).headers
    assert (headers["Cache-Control"], headers["Referrer-Policy"]) == ("no-store", "same-origin")
