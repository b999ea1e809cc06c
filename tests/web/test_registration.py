"""Who makes an account: on a site that is open to everybody, on one for the invited, and on one where nobody does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.serving import PASSWORD, Reply, RunningSite
from tests.web.letters import link_in, wait_for_letter
from tests.web.reading import Page
from tests.web.visiting import Visitor, assert_redirect, forgiving, make_visitor

ROOT = "root@example.org"
SENT = "A letter is on its way to that address. Open the link in it to go on."


@pytest.fixture(scope="module")
def open_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    folder = tmp_path_factory.mktemp("open")
    with RunningSite(folder, workers="2", mail=str(folder / "letters"), registration="open") as running:
        assert Visitor(running).get("/register").status == 404  # whoever sets the site up comes first
        make_administrator(running)
        yield running


@pytest.fixture
def site(open_site: RunningSite) -> Iterator[RunningSite]:
    with forgiving(open_site) as running:
        yield running


def ask(site: RunningSite, email: str) -> Reply:
    return Visitor(site).submit("/register", {"email": email})


def choose(site: RunningSite, path: str, page: str | None = None) -> Reply:
    return Visitor(site).submit(path, {"password": PASSWORD, "password_confirm": PASSWORD}, page=page)


def make_administrator(site: RunningSite) -> Visitor:
    site.make_account(ROOT, PASSWORD, admin=True)
    root = Visitor(site)
    assert root.log_in(ROOT).status == 302
    return root


def invite(root: Visitor, email: str, **fields: str) -> str:
    """Invite somebody and give the path of the link."""
    reply = root.submit("/people/invite", {"email": email, **fields}, page="/people")
    (path,) = re.findall(r'id="key-text">http://[^/]+(/invitation/[^<]+)<', reply.body.decode())
    return str(path)


def test_anybody_makes_an_account_with_the_link_in_a_letter(site: RunningSite) -> None:
    email = "new@example.org"
    assert Page(Visitor(site).get("/login")).targets("/register") == ["/register"]
    reply = ask(site, email)
    assert (reply.status, SENT in Page(reply).words) == (200, True)
    assert Visitor(site).log_in(email).status == 200  # there is no account yet
    path = link_in(wait_for_letter(site, email), "/invitation/")
    assert f"The address {email} is confirmed." in Page(Visitor(site).get(path)).words
    assert_redirect(choose(site, path), "/")
    ada = Visitor(site)
    assert ada.log_in(email).status == 302
    assert ada.get("/people").status == 403
    assert Visitor(site).get(path).status == choose(site, path, page="/login").status == 404


def test_the_same_is_said_of_every_address_and_its_owner_is_told(site: RunningSite) -> None:
    known, unknown = ask(site, ROOT.upper()), ask(site, "nobody@example.org")
    assert (known.status, unknown.status) == (200, 200)
    assert Page(known).words == Page(unknown).words
    letter = wait_for_letter(site, "ROOT@example.org")
    assert "You have one already." in letter
    assert "/invitation/" not in letter
    assert Visitor(site).log_in(ROOT).status == 302


def test_a_new_link_takes_the_place_of_the_last(site: RunningSite) -> None:
    email = "twice@example.org"
    ask(site, email)
    first = link_in(wait_for_letter(site, email), "/invitation/")
    ask(site, email)
    second = link_in(wait_for_letter(site, email, 2), "/invitation/")
    assert Visitor(site).get(first).status == 404
    assert_redirect(choose(site, second), "/")


def test_whoever_waits_with_an_invitation_keeps_what_it_says(site: RunningSite) -> None:
    email = "invited@example.org"
    first = invite(make_visitor(site, ROOT), email, admin="y")
    ask(site, email)
    path = link_in(wait_for_letter(site, email, 2), "/invitation/")
    assert Visitor(site).get(first).status == 404
    assert f"{ROOT} invites {email}" in Page(Visitor(site).get(path)).words
    assert_redirect(choose(site, path), "/")
    second = Visitor(site)
    second.log_in(email)
    assert second.get("/people").status == 200


def test_who_registers_is_nobody_that_administrators_invited(site: RunningSite) -> None:
    ask(site, "quiet@example.org")
    root = make_visitor(site, ROOT)
    assert "quiet@example.org" not in Page(root.get("/people")).words


@pytest.mark.parametrize(
    ("email", "sentence"), [("", "Give an e-mail address."), ("nobody", "nobody is not an e-mail address.")]
)
def test_what_is_no_address_is_told(site: RunningSite, email: str, sentence: str) -> None:
    reply = ask(site, email)
    assert (reply.status, sentence in Page(reply).words) == (422, True)


def test_an_address_gets_five_letters_an_hour_known_or_not(site: RunningSite) -> None:
    for email in (ROOT, "flooded@example.org"):
        assert [ask(site, email).status for _ in range(6)] == [200] * 5 + [429]


def test_one_visitor_asks_for_twenty_links_an_hour(site: RunningSite) -> None:
    assert [ask(site, f"number-{number}@example.org").status for number in range(21)] == [200] * 20 + [429]


def test_where_one_is_invited_nobody_registers_and_where_it_is_off_nobody_is_invited(tmp_path: Path) -> None:
    with RunningSite(tmp_path, workers="1") as site:
        root = make_administrator(site)
        assert Visitor(site).get("/register").status == 404
        assert Visitor(site).submit("/register", {"email": "new@example.org"}, page="/login").status == 404
        assert "/register" not in Visitor(site).get("/login").body.decode()
        path = invite(root, "late@example.org")
        assert Visitor(site).get(path).status == 200
    with RunningSite(tmp_path, workers="1", registration="off") as site:
        root = make_administrator(site)
        assert Visitor(site).get("/register").status == Visitor(site).get(path).status == 404
        assert choose(site, path, page="/login").status == 404
        page = Page(root.get("/people"))
        assert ("Invite somebody" in page.words, "late@example.org" in page.words) == (False, False)
        assert root.submit("/people/invite", {"email": "friend@example.org"}, page="/people").status == 422
        site.make_account("by.hand@example.org")
        assert Visitor(site).log_in("by.hand@example.org").status == 302
