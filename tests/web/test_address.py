"""Another address for one's account, on the real site with letters in a folder."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.serving import PASSWORD, Reply, RunningSite
from tests.web.letters import letters, link_in, wait_for_letter
from tests.web.reading import Page
from tests.web.visiting import Visitor, assert_redirect, forgiving, grow_old, make_visitor

SENT = "A letter is on its way to that address."


@pytest.fixture(scope="module")
def mailing_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    folder = tmp_path_factory.mktemp("address")
    with RunningSite(folder, workers="2", mail=str(folder / "letters")) as running:
        yield running


@pytest.fixture
def site(mailing_site: RunningSite) -> Iterator[RunningSite]:
    with forgiving(mailing_site) as running:
        yield running


def ask(visitor: Visitor, email: str) -> Reply:
    return visitor.submit("/account/email", {"email": email})


def link(visitor: Visitor, email: str) -> str:
    """Have a link sent, and give its path."""
    count = len(letters(visitor.site, email))
    assert_redirect(ask(visitor, email), "/account")
    return link_in(wait_for_letter(visitor.site, email, count + 1), "/account/email/")


def test_the_address_changes_with_the_link_that_is_sent_to_the_new_one(site: RunningSite) -> None:
    old, new = "old@example.org", "new@example.org"
    ada, elsewhere = make_visitor(site, old), make_visitor(site, old)
    assert "/account/email" in Page(ada.get("/account")).targets("/account/email")
    path = link(ada, new)
    assert f"wants the address {new} for your account" in wait_for_letter(site, old)
    assert f"From now on it is {new}" in Page(ada.get(path)).words
    assert old in Page(ada.get("/account")).words
    assert_redirect(ada.submit(path), "/account")
    assert f"Your address is {new} now." in Page(ada.get("/account")).words
    assert f"has the address {new} now" in wait_for_letter(site, old, 2)
    assert_redirect(elsewhere.get("/account"), "/login?next=/account")
    assert Visitor(site).log_in(old).status == 200
    assert Visitor(site).log_in(new).status == 302


def test_a_link_is_good_once(site: RunningSite) -> None:
    ada = make_visitor(site, "once@example.org")
    path = link(ada, "once.new@example.org")
    token = ada.token_of(path)
    assert_redirect(ada.send(path, {"csrf_token": token}), "/account")
    assert ada.send(path, {"csrf_token": token}).status == ada.get(path).status == 404


def test_a_link_leads_nobody_else_anywhere(site: RunningSite) -> None:
    path = link(make_visitor(site, "mine@example.org"), "mine.new@example.org")
    assert_redirect(Visitor(site).get(path), f"/login?next={path}")
    eve = make_visitor(site, "eve@example.org")
    assert eve.get(path).status == eve.submit(path, page="/account").status == 404
    assert Visitor(site).log_in("mine@example.org").status == 302


def test_the_same_is_said_of_every_address_and_its_owner_is_told(site: RunningSite) -> None:
    ada, taken, free = make_visitor(site, "asks@example.org"), "Taken@example.org", "free@example.org"
    make_visitor(site, taken.lower())
    for number, email in enumerate((taken, free), 1):
        assert_redirect(ask(ada, email), "/account")
        assert SENT in Page(ada.get("/account")).words
        assert f"wants the address {email}" in wait_for_letter(site, "asks@example.org", number)
    letter = wait_for_letter(site, taken)
    assert ("nothing was changed" in letter, "/account/email/" in letter) == (True, False)


def test_an_address_that_was_taken_meanwhile_stays_where_it_is(site: RunningSite) -> None:
    ada, email = make_visitor(site, "slow@example.org"), "quick@example.org"
    path = link(ada, email)
    make_visitor(site, email)
    assert ada.submit(path).status == 404
    assert Visitor(site).log_in("slow@example.org").status == Visitor(site).log_in(email).status == 302


@pytest.mark.parametrize(
    ("email", "sentence"),
    [
        ("", "Give an e-mail address."),
        ("nobody", "nobody is not an e-mail address."),
        ("same@example.org", "That is the address of your account already."),
    ],
)
def test_what_cannot_be_the_new_address_is_told(site: RunningSite, email: str, sentence: str) -> None:
    reply = ask(make_visitor(site, "same@example.org"), email)
    assert (reply.status, sentence in Page(reply).words) == (422, True)


def test_an_old_login_is_asked_for_the_password_first(site: RunningSite) -> None:
    ada = make_visitor(site, "lingers@example.org")
    token = ada.token_of("/account/email")
    grow_old(ada, minutes=16)
    reply = ada.send("/account/email", {"email": "thief@example.org", "csrf_token": token})
    assert_redirect(reply, "/verify?next=/account/email")
    assert_redirect(ada.submit("/verify?next=/account/email", {"password": PASSWORD, "submit": "1"}), "/account/email")
    assert_redirect(ask(ada, "lingers.new@example.org"), "/account")
    assert letters(site, "thief@example.org") == []


def test_links_to_a_new_password_die_with_the_old_address(site: RunningSite) -> None:
    old = "lost@example.org"
    ada = make_visitor(site, old)
    path = link(ada, "found@example.org")
    time.sleep(1)  # links to a new password are dated by the second
    assert Visitor(site).submit("/recover", {"email": old, "submit": "1"}).status == 200
    recovery = link_in(wait_for_letter(site, old, 2), "/recover/")
    assert Visitor(site).get(recovery).status == 200
    assert_redirect(ada.submit(path), "/account")
    assert_redirect(Visitor(site).get(recovery), "/recover")


def test_an_account_asks_for_five_links_an_hour(site: RunningSite) -> None:
    ada = make_visitor(site, "restless@example.org")
    assert [ask(ada, f"number-{number}@example.org").status for number in range(6)] == [303] * 5 + [429]


def test_without_letters_there_is_no_such_way(tmp_path: Path) -> None:
    with RunningSite(tmp_path, workers="1") as site:
        ada = make_visitor(site)
        assert "/account/email" not in ada.get("/account").body.decode()
        assert ada.get("/account/email").status == ada.submit("/account/email", page="/account").status == 404
