"""The page of the people, on the real site: invite, disable, promote, log out; for administrators alone."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.serving import PASSWORD, RunningSite
from tests.web.letters import wait_for_letter
from tests.web.reading import Page
from tests.web.visiting import Visitor, assert_redirect, make_visitor

ROOT = "root@example.org"


@pytest.fixture(scope="module")
def people_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    folder = tmp_path_factory.mktemp("people")
    with RunningSite(folder, workers="2", mail=str(folder / "letters")) as running:
        running.make_account(ROOT, PASSWORD, admin=True)
        yield running


@pytest.fixture
def root(people_site: RunningSite) -> Visitor:
    visitor = Visitor(people_site)
    assert visitor.log_in(ROOT).status == 302
    return visitor


def number_of(site: RunningSite, email: str) -> int:
    with closing(sqlite3.connect(site.data / "vitrine.db", timeout=30)) as database:
        return int(database.execute("SELECT id FROM users WHERE email = ?", [email]).fetchone()[0])


def invite(root: Visitor, email: str, **fields: str) -> str:
    """Invite somebody and give the path of the link."""
    reply = root.submit("/people/invite", {"email": email, **fields}, page="/people")
    assert reply.status == 200, reply.body
    (link,) = re.findall(r'id="key-text">http://[^/]+(/invitation/[^<]+)<', reply.body.decode())
    return str(link)


def accept(site: RunningSite, path: str, password: str = PASSWORD) -> int:
    return Visitor(site).submit(path, {"password": password, "password_confirm": password}).status


def test_whoever_is_invited_makes_an_account_and_logs_in(root: Visitor, people_site: RunningSite) -> None:
    path = invite(root, "ada@example.org")
    assert f"{ROOT} invites ada@example.org to Vitrine." in Page(Visitor(people_site).get(path)).words
    assert accept(people_site, path) == 303
    ada = Visitor(people_site)
    assert ada.log_in("ada@example.org").status == 302
    assert ada.get("/account").status == 200
    gone = Visitor(people_site).get(path)
    assert (gone.status, "This invitation is used, withdrawn or too old" in Page(gone).words) == (404, True)


def test_whoever_looks_whether_the_link_is_there_is_told_what_the_page_is(root: Visitor, people_site: RunningSite) -> None:
    path = invite(root, "head@example.org")
    assert people_site.request("HEAD", path).status == people_site.request("GET", path).status == 200


def test_the_letter_bears_the_link(root: Visitor, people_site: RunningSite) -> None:
    path = invite(root, "letter@example.org")
    assert f"{people_site.url}{path}\n" in wait_for_letter(people_site, "letter@example.org")


@pytest.mark.parametrize("password", ["too short", "password123456", "friend@example.com"])
def test_a_password_that_is_soon_guessed_leaves_the_link_good(root: Visitor, people_site: RunningSite, password: str) -> None:
    path = invite(root, "friend@example.com")
    assert accept(people_site, path, password) == 422
    assert Visitor(people_site).get(path).status == 200


def test_an_invited_administrator_sees_the_people(root: Visitor, people_site: RunningSite) -> None:
    assert accept(people_site, invite(root, "second@example.org", admin="y")) == 303
    second = Visitor(people_site)
    second.log_in("second@example.org")
    assert "Administration" in Page(second.get("/")).words
    assert second.get("/people").status == 200


def test_a_withdrawn_invitation_is_dead(root: Visitor, people_site: RunningSite) -> None:
    path = invite(root, "withdrawn@example.org")
    page = root.get("/people").body.decode()
    (action,) = re.findall(r'withdrawn@example.*?action="(/people/invitations/\d+/withdraw)"', page, re.DOTALL)[:1]
    assert_redirect(root.submit(action, page="/people"), "/people")
    assert Visitor(people_site).get(path).status == 404


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"email": ""}, "Give an e-mail address."),
        ({"email": "nobody"}, "is not an e-mail address"),
        ({"email": ROOT}, f"There is an account for {ROOT} already."),
    ],
)
def test_a_wrong_invitation_is_told_beside_its_field(root: Visitor, fields: dict[str, str], sentence: str) -> None:
    reply = root.submit("/people/invite", fields, page="/people")
    assert (reply.status, sentence in Page(reply).words) == (422, True)


def test_a_password_too_short_or_mistyped_leaves_the_link_good(root: Visitor, people_site: RunningSite) -> None:
    path = invite(root, "careful@example.org")
    assert accept(people_site, path, "short") == 422
    reply = Visitor(people_site).submit(path, {"password": PASSWORD, "password_confirm": "another long password"})
    assert (reply.status, "The two passwords differ." in Page(reply).words) == (422, True)
    assert accept(people_site, path) == 303


def test_a_disabled_account_is_out_at_once_and_in_again_when_enabled(root: Visitor, people_site: RunningSite) -> None:
    email = "disabled@example.org"
    ada = make_visitor(people_site, email)
    number = number_of(people_site, email)
    assert_redirect(root.submit(f"/people/{number}/disable", page="/people"), "/people")
    assert_redirect(ada.get("/account"), "/login?next=/account")
    assert ada.log_in(email).status == 200
    assert "disabled@example.org Member disabled" in Page(root.get("/people")).words
    assert_redirect(root.submit(f"/people/{number}/enable", page="/people"), "/people")
    assert ada.log_in(email).status == 302


def test_rights_come_and_go_with_a_new_login(root: Visitor, people_site: RunningSite) -> None:
    email = "rises@example.org"
    ada = make_visitor(people_site, email)
    number = number_of(people_site, email)
    assert ada.get("/people").status == 403
    for deed, status in (("promote", 200), ("demote", 403)):
        assert_redirect(root.submit(f"/people/{number}/{deed}", page="/people"), "/people")
        assert_redirect(ada.get("/people"), "/login?next=/people")
        assert ada.log_in(email).status == 302
        assert ada.get("/people").status == status


def test_an_account_is_logged_out_everywhere(root: Visitor, people_site: RunningSite) -> None:
    email = "everywhere@example.org"
    visitors = [make_visitor(people_site, email) for _ in range(2)]
    assert_redirect(root.submit(f"/people/{number_of(people_site, email)}/log-out", page="/people"), "/people")
    for visitor in visitors:
        assert_redirect(visitor.get("/account"), "/login?next=/account")


@pytest.mark.parametrize("deed", ["disable", "demote", "log-out"])
def test_nobody_does_it_to_themselves(root: Visitor, people_site: RunningSite, deed: str) -> None:
    reply = root.submit(f"/people/{number_of(people_site, ROOT)}/{deed}", page="/people")
    assert (reply.status, "Nobody changes their own account here" in Page(reply).words) == (400, True)
    assert root.get("/people").status == 200


def test_an_account_that_is_not_there_is_told(root: Visitor) -> None:
    assert root.submit("/people/999/disable", page="/people").status == 404


def test_a_member_may_do_none_of_it(root: Visitor, people_site: RunningSite) -> None:
    eve = make_visitor(people_site, "eve@example.org")
    number = number_of(people_site, ROOT)
    paths = ["/people/invite", "/people/invitations/1/withdraw"]
    paths += [f"/people/{number}/{deed}" for deed in ("disable", "enable", "promote", "demote", "log-out")]
    for path in paths:
        assert eve.submit(path, {"email": "friend@example.org", "admin": "y"}, page="/account").status == 403
    assert root.get("/people").status == 200
    assert b"friend@example.org" not in root.get("/people").body
    assert b'href="/people"' not in eve.get("/").body


def test_an_address_is_searched_for(root: Visitor, people_site: RunningSite) -> None:
    make_visitor(people_site, "needle@example.org")
    page = Page(root.get("/people?q=NEEDLE"))
    assert "1 account with “NEEDLE” in the address." in page.words
    assert "needle@example.org" in page.words
    hostile = root.get("/people?q=%22%3E%3Cscript%3Ealert(1)%3C/script%3E")
    assert (hostile.status, b"<script>alert" in hostile.body) == (200, False)
    assert root.get("/people?page=-3").status == root.get("/people?page=x").status == root.get("/people?page=99").status == 200
