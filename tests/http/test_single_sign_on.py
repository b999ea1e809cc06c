"""Logging in through a provider, on the real site with a real provider on this machine."""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from joserfc.jwk import RSAKey

from tests.oidc_provider import SECRET, Behaviour, Person, Provider, claims_of, symmetric, unsigned
from tests.serving import EMAIL, PASSWORD, Reply, RunningSite, free_port
from tests.web.reading import Page
from tests.web.visiting import Visitor, assert_redirect, forgiving, make_visitor

NOBODY = "No account here goes with that login; ask an administrator of this site."
UNPROVEN = "The provider's answer does not prove who you are; please try again."
NOT_BEGUN = "That login was not begun in this browser, or too long ago: begin it again here."
SILENT = "The provider does not answer as it should at the moment; please try again later."


@pytest.fixture(scope="module")
def running_provider() -> Iterator[Provider]:
    with Provider() as running:
        yield running


@pytest.fixture(scope="module")
def signing_site(tmp_path_factory: pytest.TempPathFactory, running_provider: Provider) -> Iterator[RunningSite]:
    with RunningSite(tmp_path_factory.mktemp("known"), workers="1", **running_provider.settings) as running:
        running.make_account()
        yield running


@pytest.fixture(scope="module")
def open_site(tmp_path_factory: pytest.TempPathFactory, running_provider: Provider) -> Iterator[RunningSite]:
    settings = {**running_provider.settings, "oidc_accounts": "anybody", "mail": "console"}
    with RunningSite(tmp_path_factory.mktemp("anybody"), workers="1", **settings) as running:
        yield running


@pytest.fixture
def provider(running_provider: Provider, signing_site: RunningSite) -> Provider:
    running_provider.behaviour, running_provider.person = Behaviour(), Person("1", EMAIL)
    running_provider.return_to = f"{signing_site.url}/login/oidc/callback"
    return running_provider


@pytest.fixture
def site(signing_site: RunningSite) -> Iterator[RunningSite]:
    with forgiving(signing_site) as running:
        change(running, "DELETE FROM identities")
        yield running


def change(site: RunningSite, statement: str) -> None:
    with closing(sqlite3.connect(site.data / "vitrine.db", timeout=30)) as database, database:
        database.execute(statement)


def rows(site: RunningSite, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(site.data / "vitrine.db", timeout=30)) as database:
        return database.execute(query).fetchall()


def depart(visitor: Visitor, next_page: str = "", page: str = "/login") -> str:
    """Press the button, and give where the browser is sent."""
    reply = visitor.submit("/login/oidc", {"next": next_page}, page=page)
    assert reply.status == 200, reply.body
    (refresh,) = Page(reply).all("meta", **{"http-equiv": "refresh"})
    url = refresh["content"].removeprefix("0; url=")
    assert Page(reply).targets("http") == [url]  # for whoever lets no page send them on
    return url


def come_back(visitor: Visitor, url: str) -> Reply:
    """Be sent back to an address of the site."""
    assert url.startswith(visitor.site.url)
    return visitor.get(url.removeprefix(visitor.site.url))


def sign_in(site: RunningSite, provider: Provider, next_page: str = "") -> tuple[Visitor, Reply]:
    visitor = Visitor(site)
    return visitor, come_back(visitor, provider.visit(depart(visitor, next_page)))


def assert_refused(visitor: Visitor, reply: Reply, sentence: str) -> None:
    assert (reply.status, reply.headers["Location"].partition("?")[0]) == (303, "/login")
    page = Page(visitor.get(reply.headers["Location"]))
    assert sentence in page.words
    assert_redirect(visitor.get("/account"), "/login?next=/account")


def test_whoever_has_an_account_of_that_address_comes_in(site: RunningSite, provider: Provider) -> None:
    visitor, reply = sign_in(site, provider, next_page="/history?page=1")
    assert_redirect(reply, "/history?page=1")
    page = Page(visitor.get("/account"))
    assert EMAIL in page.words
    assert provider.url in page.words
    assert rows(site, "SELECT issuer, subject FROM identities") == [(provider.url, "1")]
    newest = "SELECT action, subject, actor, detail FROM audit_log WHERE action != 'logged in' ORDER BY id DESC LIMIT 1"
    assert rows(site, newest) == [("linked", f"account:{EMAIL}", EMAIL, f"through {provider.url}")]


def test_the_button_bears_the_name_and_the_request_what_makes_it_safe(site: RunningSite, provider: Provider) -> None:
    visitor = Visitor(site)
    assert "Log in with Example ID" in Page(visitor.get("/login")).words
    asked = {name: values[0] for name, values in parse_qs(urlsplit(depart(visitor)).query).items()}
    assert (asked["response_type"], asked["scope"]) == ("code", "openid email")
    assert asked["redirect_uri"] == f"{site.url}/login/oidc/callback"
    assert asked["code_challenge_method"] == "S256"
    assert min(len(asked[name]) for name in ("state", "nonce", "code_challenge")) >= 43
    again = {name: values[0] for name, values in parse_qs(urlsplit(depart(visitor)).query).items()}
    assert all(asked[name] != again[name] for name in ("state", "nonce", "code_challenge"))


def test_the_way_back_is_the_public_address_whatever_name_was_asked_for(site: RunningSite, provider: Provider) -> None:
    visitor = Visitor(site, {"Host": f"localhost:{site.port}"})
    (back,) = parse_qs(urlsplit(depart(visitor)).query)["redirect_uri"]
    assert back == f"{site.url}/login/oidc/callback"


def test_the_second_time_the_subject_counts_and_the_address_no_more(site: RunningSite, provider: Provider) -> None:
    sign_in(site, provider)
    provider.person = Person("1", "renamed@example.org", email_verified=False)
    visitor, reply = sign_in(site, provider)
    assert_redirect(reply, "/")
    assert EMAIL in Page(visitor.get("/account")).words


def test_somebody_else_who_was_given_that_address_does_not_come_in(site: RunningSite, provider: Provider) -> None:
    sign_in(site, provider)
    provider.person = Person("2", EMAIL)
    assert_refused(*sign_in(site, provider), NOBODY)


def test_an_unknown_address_and_a_disabled_account_are_refused_in_the_same_words(site: RunningSite, provider: Provider) -> None:
    site.make_account("gone@example.org")
    change(site, "UPDATE users SET active = 0 WHERE email = 'gone@example.org'")
    for email in ("unknown@example.org", "gone@example.org"):
        provider.person = Person("3", email)
        assert_refused(*sign_in(site, provider), NOBODY)
    assert rows(site, "SELECT * FROM identities") == []


def test_an_account_that_is_disabled_later_is_refused_too(site: RunningSite, provider: Provider) -> None:
    site.make_account("later@example.org")
    provider.person = Person("4", "later@example.org")
    assert_redirect(sign_in(site, provider)[1], "/")
    change(site, "UPDATE users SET active = 0 WHERE email = 'later@example.org'")
    assert_refused(*sign_in(site, provider), NOBODY)


@pytest.mark.parametrize("verified", [False, None, 1, "false", "yes"])
def test_an_address_that_the_provider_does_not_vouch_for_is_worth_nothing(
    site: RunningSite, provider: Provider, verified: object
) -> None:
    provider.person = Person("1", EMAIL, verified)
    assert_refused(*sign_in(site, provider), "The provider does not vouch for your e-mail address")


FORGED: dict[str, Callable[[Provider], Callable[[str], str]]] = {
    "not signed": lambda _: unsigned,
    "signed with our secret": lambda _: symmetric(SECRET),
    "signed with the public key": lambda provider: symmetric(provider.key.as_pem(private=False).decode()),
    "another's key": lambda provider: lambda token: provider.sign(claims_of(token), RSAKey.generate_key(2048)),
    "an unknown key": lambda provider: lambda token: provider.sign(claims_of(token), RSAKey.generate_key(2048), kid="2"),
    "a changed signature": lambda _: lambda token: token[:-8] + "AAAAAAAA",
    "another nonce": lambda provider: provider.changed(nonce="another"),
    "no nonce": lambda provider: provider.changed(nonce=None),
    "another issuer": lambda provider: provider.changed(iss="https://login.example.org"),
    "another audience": lambda provider: provider.changed(aud="another"),
    "another audience, as if asked for by us": lambda provider: provider.changed(aud="another", azp="vitrine"),
    "for others as well": lambda provider: provider.changed(aud=["vitrine", "another"], azp="another"),
    "expired": lambda provider: provider.changed(exp=1_600_000_000),
    "of tomorrow": lambda provider: provider.changed(nbf=4_000_000_000),
    "nobody's": lambda provider: provider.changed(sub=None),
    "of no length": lambda provider: provider.changed(sub=""),
    "of any length": lambda provider: provider.changed(sub="1" * 256),
    "a number's": lambda provider: provider.changed(sub=1),
    "of no time": lambda provider: provider.changed(auth_time="now"),
    "another access token's": lambda provider: provider.changed(at_hash="AAAAAAAAAAAAAAAAAAAAAA"),
    "no token": lambda _: lambda _token: "",
    "no text": lambda _: lambda _token: "\x00{}[]",
}


@pytest.mark.parametrize("forgery", FORGED)
def test_an_answer_that_proves_nothing_lets_nobody_in(site: RunningSite, provider: Provider, forgery: str) -> None:
    provider.behaviour.forge = FORGED[forgery](provider)
    assert_refused(*sign_in(site, provider), UNPROVEN)
    assert rows(site, "SELECT * FROM identities") == []


def test_what_comes_with_another_state_or_to_another_browser_is_refused(site: RunningSite, provider: Provider) -> None:
    visitor = Visitor(site)
    back = provider.visit(depart(visitor))
    stranger = Visitor(site)
    stranger.get("/login")
    assert_refused(stranger, come_back(stranger, back), NOT_BEGUN)
    assert_refused(visitor, come_back(visitor, back.replace("state=", "state=x")), NOT_BEGUN)
    assert_refused(visitor, come_back(visitor, back), NOT_BEGUN)  # it is begun anew after that
    assert_refused(visitor, visitor.get("/login/oidc/callback"), NOT_BEGUN)


def test_a_code_is_good_once(site: RunningSite, provider: Provider) -> None:
    visitor = Visitor(site)
    back = provider.visit(depart(visitor))
    thief = Visitor(site)
    thief.cookies = dict(visitor.cookies)
    assert_redirect(come_back(visitor, back), "/")
    assert_refused(thief, come_back(thief, back), UNPROVEN)


def test_a_code_of_another_login_is_worth_nothing(site: RunningSite, provider: Provider) -> None:
    victim, thief = Visitor(site), Visitor(site)
    (code,) = parse_qs(urlsplit(provider.visit(depart(victim))).query)["code"]
    (state,) = parse_qs(urlsplit(depart(thief)).query)["state"]
    reply = thief.get(f"/login/oidc/callback?{urlencode({'code': code, 'state': state})}")
    assert_refused(thief, reply, UNPROVEN)


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"error": "access_denied", "error_description": "<b>no</b>"}, "The provider did not log you in: you may try again."),
        ({}, "The provider did not log you in: you may try again."),
        ({"code": "x", "iss": "https://login.example.org"}, UNPROVEN),
        ({"code": "x" * 3000}, UNPROVEN),
        ({"id_token": "x", "access_token": "y"}, "The provider did not log you in: you may try again."),
    ],
)
def test_whatever_else_comes_back_is_answered_with_a_sentence(
    site: RunningSite, provider: Provider, query: dict[str, str], sentence: str
) -> None:
    visitor = Visitor(site)
    (state,) = parse_qs(urlsplit(depart(visitor)).query)["state"]
    assert_refused(visitor, visitor.get(f"/login/oidc/callback?{urlencode({**query, 'state': state})}"), sentence)


@pytest.mark.parametrize("path", ["/token", "/me"])
def test_a_provider_that_breaks_down_on_the_way_is_told_of(site: RunningSite, provider: Provider, path: str) -> None:
    provider.behaviour.email_by_userinfo = True
    provider.behaviour.broken = frozenset({path})
    assert_refused(*sign_in(site, provider), SILENT)


def test_an_address_that_is_told_only_when_asked_is_asked_for(site: RunningSite, provider: Provider) -> None:
    provider.behaviour.email_by_userinfo = True
    assert_redirect(sign_in(site, provider)[1], "/")


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://example.org/",
        "//example.org/",
        "/\\example.org",
        "///example.org",
        "/\t/example.org",
        "/\n//example.org",
        " //example.org",
        "javascript:alert(1)",
        "history",
        "/" + "x" * 2000,
    ],
)
def test_no_login_leads_elsewhere(site: RunningSite, provider: Provider, elsewhere: str) -> None:
    assert_redirect(sign_in(site, provider, next_page=elsewhere)[1], "/")


def test_the_page_one_wanted_is_not_forgotten_when_it_fails(site: RunningSite, provider: Provider) -> None:
    provider.behaviour.forge = unsigned
    visitor, reply = sign_in(site, provider, next_page="/history")
    assert_redirect(reply, "/login?next=/history")
    assert Page(visitor.get("/login?next=/history")).field("next") == "/history"


def test_another_site_can_begin_no_login(site: RunningSite, provider: Provider) -> None:
    visitor = Visitor(site)
    visitor.get("/login")
    assert visitor.send("/login/oidc", {"next": "/"}).status == 400
    assert visitor.get("/login/oidc").status == 405


def test_failures_are_counted_by_address_and_good_logins_are_not(site: RunningSite, provider: Provider) -> None:
    for _ in range(11):
        assert_redirect(sign_in(site, provider)[1], "/")
    provider.behaviour.forge = unsigned
    for _ in range(10):
        assert sign_in(site, provider)[1].status == 303
    reply = sign_in(site, provider)[1]
    assert reply.status == 429
    assert int(reply.headers["Retry-After"]) > 0


def test_the_login_begins_on_the_server_and_ends_there(site: RunningSite, provider: Provider) -> None:
    visitor, _ = sign_in(site, provider)
    thief = Visitor(site)
    thief.cookies = dict(visitor.cookies)
    assert thief.get("/account").status == 200
    assert visitor.submit("/logout", page="/account").status == 302
    assert_redirect(thief.get("/account"), "/login?next=/account")


def test_an_identity_can_be_unlinked_where_a_password_lets_one_in(site: RunningSite, provider: Provider) -> None:
    visitor, _ = sign_in(site, provider)
    ((number,),) = rows(site, "SELECT id FROM identities")
    other = make_visitor(site, "other@example.org")
    assert_redirect(other.submit(f"/account/identities/{number}/unlink", page="/account"), "/account")
    assert len(rows(site, "SELECT id FROM identities")) == 1
    assert_redirect(visitor.submit(f"/account/identities/{number}/unlink", page="/account"), "/account")
    assert rows(site, "SELECT id FROM identities") == []
    page = Page(visitor.get("/account")).words
    assert "It is unlinked." in page
    assert provider.url not in page


def old_login(site: RunningSite, provider: Provider, email: str) -> Visitor:
    """Give an administrator who logged in through the provider, where they had typed their password hours ago."""
    site.make_account(email, admin=True)
    provider.person = Person(email, email)
    provider.behaviour.authenticated_at = 1_700_000_000
    visitor, reply = sign_in(site, provider)
    assert_redirect(reply, "/")
    return visitor


def invite(visitor: Visitor) -> Reply:
    return visitor.submit("/people/invite", {"email": "new@example.org", "submit": "1"}, page="/people")


def test_a_login_is_as_fresh_as_the_password_was_typed_there(site: RunningSite, provider: Provider) -> None:
    visitor = old_login(site, provider, "admin1@example.org")
    assert_redirect(invite(visitor), "/verify?next=/people")
    url = depart(visitor, "/people", page="/verify?next=/people")
    assert {"prompt": ["login"], "max_age": ["0"]}.items() <= parse_qs(urlsplit(url).query).items()
    provider.behaviour.authenticated_at = None  # typed anew
    assert_redirect(come_back(visitor, provider.visit(url)), "/people")
    assert invite(visitor).status == 200


def test_a_provider_that_does_not_ask_again_confirms_nothing(site: RunningSite, provider: Provider) -> None:
    visitor = old_login(site, provider, "admin2@example.org")
    reply = come_back(visitor, provider.visit(depart(visitor, "/people", page="/verify?next=/people")))
    assert_redirect(reply, "/verify?next=/people")
    assert "did not ask you to log in again" in Page(visitor.get("/verify?next=/people")).words
    assert_redirect(invite(visitor), "/verify?next=/people")


def test_another_ones_login_confirms_nothing(site: RunningSite, provider: Provider) -> None:
    visitor = old_login(site, provider, "admin3@example.org")
    provider.behaviour.authenticated_at = None
    provider.person = Person("1", EMAIL)
    reply = come_back(visitor, provider.visit(depart(visitor, "/people", page="/verify?next=/people")))
    assert_redirect(reply, "/verify?next=/people")
    assert "That is not the account you are logged in with here." in Page(visitor.get("/verify")).words
    assert "admin3@example.org" in Page(visitor.get("/account")).words
    assert_redirect(invite(visitor), "/verify?next=/people")


def test_anybody_gets_an_account_where_the_settings_say_so(open_site: RunningSite, provider: Provider) -> None:
    provider.return_to = f"{open_site.url}/login/oidc/callback"
    provider.person = Person("9", "New.Person@example.org")
    assert_refused(*sign_in(open_site, provider), "Nobody administers this site yet")
    open_site.make_account(admin=True)
    visitor, reply = sign_in(open_site, provider)
    assert_redirect(reply, "/")
    page = Page(visitor.get("/account"))
    assert "New.Person@example.org" in page.words
    assert "It is the only way in" in page.words
    assert not page.all("form", action="/account/identities/1/unlink")
    assert rows(open_site, "SELECT password FROM users WHERE email LIKE 'new.person%'") == [(None,)]
    assert rows(open_site, "SELECT action FROM audit_log WHERE subject LIKE 'account:New%'") == [("joined",), ("logged in",)]
    assert_redirect(visitor.submit("/account/identities/1/unlink", page="/account"), "/account")
    assert "Choose a password first" in Page(visitor.get("/account")).words
    for password in ("", "None", PASSWORD):
        assert Visitor(open_site).log_in("New.Person@example.org", password).status == 200


def test_an_account_without_a_password_gets_one(open_site: RunningSite, provider: Provider) -> None:
    provider.return_to = f"{open_site.url}/login/oidc/callback"
    open_site.make_account(admin=True)
    provider.person = Person("10", "chooser@example.org")
    visitor, _ = sign_in(open_site, provider)
    assert "Choose a password" in Page(visitor.get("/account/password")).words
    fields = {"new_password": PASSWORD, "new_password_confirm": PASSWORD, "submit": "1"}
    assert_redirect(visitor.submit("/account/password", fields), "/account")
    assert_redirect(Visitor(open_site).log_in("chooser@example.org"), "/")


def test_a_link_by_mail_gives_a_password_to_an_account_without_one(open_site: RunningSite, provider: Provider) -> None:
    provider.return_to = f"{open_site.url}/login/oidc/callback"
    open_site.make_account(admin=True)
    provider.person = Person("12", "mail@example.org")
    sign_in(open_site, provider)
    time.sleep(1)  # links are dated by the second: one of the same second as a login counts as older
    assert Visitor(open_site).submit("/recover", {"email": "mail@example.org", "submit": "1"}).status == 200
    deadline = time.monotonic() + 10
    while not (links := re.findall(r"^http\S+/recover/\S+$", open_site.log, re.MULTILINE)):
        assert time.monotonic() < deadline, open_site.log
        time.sleep(0.05)
    fields = {"password": PASSWORD, "password_confirm": PASSWORD, "submit": "1"}
    assert_redirect(Visitor(open_site).submit(str(links[-1]).removeprefix(open_site.url), fields), "/login")
    assert_redirect(Visitor(open_site).log_in("mail@example.org"), "/")


def test_only_a_fresh_login_chooses_a_password(open_site: RunningSite, provider: Provider) -> None:
    provider.return_to = f"{open_site.url}/login/oidc/callback"
    open_site.make_account(admin=True)
    provider.person = Person("11", "late@example.org")
    provider.behaviour.authenticated_at = 1_700_000_000
    visitor, _ = sign_in(open_site, provider)
    assert visitor.get("/account/password").headers["Location"].startswith("/verify")
    page = Page(visitor.get("/verify"))
    assert "Confirm that it is you" in page.words
    assert page.all("input", type="password") == []
    for password in ("", "None", PASSWORD):
        assert visitor.submit("/verify", {"password": password, "submit": "1"}).status == 200
    assert visitor.get("/account/password").headers["Location"].startswith("/verify")


def test_a_provider_that_is_down_is_told_of_and_passwords_still_count(tmp_path_factory: pytest.TempPathFactory) -> None:
    dead = f"http://127.0.0.1:{free_port()}"
    settings = {"oidc_url": dead, "oidc_client": "a", "oidc_secret": "b", "workers": "1"}
    with RunningSite(tmp_path_factory.mktemp("dead"), **settings) as site:
        visitor = Visitor(site)
        assert_refused(visitor, visitor.submit("/login/oidc", page="/login"), SILENT)
        assert make_visitor(site).get("/account").status == 200


def test_without_a_provider_there_is_no_button_and_nothing_behind_it(tmp_path_factory: pytest.TempPathFactory) -> None:
    with RunningSite(tmp_path_factory.mktemp("none"), workers="1") as site:
        visitor = Visitor(site)
        assert Page(visitor.get("/login")).all("form", action="/login/oidc") == []
        assert visitor.submit("/login/oidc", page="/login").status == 404
        assert visitor.get("/login/oidc/callback?code=a&state=b").status == 404
