"""A session from its first page to its end: what it is bound to, and what it is worth afterwards on every worker."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from http.cookies import SimpleCookie

import pytest

from tests.security.cast import ask, cookie_name, newcomer, number_of, session_of, set_session
from tests.serving import PASSWORD, RunningSite
from tests.web.visiting import Visitor, assert_redirect

NEW_PASSWORD = "quite another long phrase"
ROOT = "root@example.org"
HTTPS = {
    "Host": "photos.example.org",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-For": "198.51.100.7",
    "Referer": "https://photos.example.org/login",
}


def stolen(visitor: Visitor) -> Visitor:
    """Give whoever has copied the cookies."""
    thief = Visitor(visitor.site, visitor.headers)
    thief.cookies = dict(visitor.cookies)
    return thief


def assert_nobody(*visitors: Visitor) -> None:
    for visitor in visitors:
        for _ in range(6):  # whichever worker answers
            assert_redirect(stolen(visitor).get("/account"), "/login?next=/account")


def assert_somebody(*visitors: Visitor) -> None:
    for visitor in visitors:
        assert visitor.get("/account").status == 200


def test_a_login_begins_a_new_session_whatever_cookie_was_planted(fort: RunningSite) -> None:
    newcomer(fort, "fixed@example.org")
    attacker = Visitor(fort)
    attacker.get("/login")
    victim = stolen(attacker)
    assert victim.log_in("fixed@example.org").status == 302
    assert session_of(victim)["login"] not in str(attacker.cookies)
    assert_somebody(victim)
    assert_nobody(attacker)


def test_a_planted_login_of_the_attacker_ends_where_the_victim_logs_in(fort: RunningSite) -> None:
    attacker = newcomer(fort, "attacker@example.org")
    newcomer(fort, "victim@example.org")
    victim = stolen(attacker)
    assert victim.submit("/logout", page="/account").status == 302
    assert victim.log_in("victim@example.org").status == 302
    assert_nobody(attacker)
    assert b"victim@example.org" in victim.get("/account").body


def log_out(visitor: Visitor) -> None:
    assert visitor.submit("/logout", page="/account").status == 302


def change_password(visitor: Visitor) -> None:
    fields = {"password": PASSWORD, "new_password": NEW_PASSWORD, "new_password_confirm": NEW_PASSWORD, "submit": "1"}
    assert_redirect(visitor.submit("/account/password", fields), "/account")


def end_others(visitor: Visitor) -> None:
    assert visitor.submit("/account/logins/end-others", page="/account").status == 303


@pytest.mark.parametrize(
    ("deed", "own_stays", "other_stays"),
    [(log_out, False, True), (change_password, True, False), (end_others, True, False)],
    ids=["logout", "password", "end others"],
)
def test_what_ends_which_of_two_browsers(
    fort: RunningSite, deed: Callable[[Visitor], None], own_stays: bool, other_stays: bool
) -> None:
    email = f"{deed.__name__}@example.org".replace("_", "-")
    own, other = newcomer(fort, email), newcomer(fort, email)
    copies = stolen(own), stolen(other)
    deed(own)
    for visitor, copy, stays in ((own, copies[0], own_stays), (other, copies[1], other_stays)):
        if stays:
            assert_somebody(visitor)
        else:
            assert_nobody(visitor, copy)


@pytest.mark.parametrize("deed", ["disable", "promote", "log-out"])
def test_what_an_administrator_does_ends_every_login_of_the_account(fort: RunningSite, deed: str) -> None:
    email = f"{deed}-me@example.org"
    root, browsers = newcomer(fort, ROOT, admin=True), [newcomer(fort, email), newcomer(fort, email)]
    copies = [stolen(browser) for browser in browsers]
    assert_redirect(root.submit(f"/people/{number_of(fort, email)}/{deed}", page="/people"), "/people")
    assert_nobody(*browsers, *copies)


def test_rights_that_are_taken_are_gone_with_the_login(fort: RunningSite) -> None:
    email = "demoted@example.org"
    root, admin = newcomer(fort, ROOT, admin=True), newcomer(fort, email, admin=True)
    assert admin.get("/people").status == 200
    assert_redirect(root.submit(f"/people/{number_of(fort, email)}/demote", page="/people"), "/people")
    assert_nobody(admin)
    assert newcomer(fort, email).get("/people").status == 403


def test_a_disabled_account_does_not_come_back_with_its_old_cookie(fort: RunningSite) -> None:
    email = "back@example.org"
    root, browser = newcomer(fort, ROOT, admin=True), newcomer(fort, email)
    path = f"/people/{number_of(fort, email)}"
    for deed in ("disable", "enable"):
        assert_redirect(root.submit(f"{path}/{deed}", page="/people"), "/people")
    assert_nobody(browser)
    assert_somebody(newcomer(fort, email))


def test_a_cookie_that_was_changed_is_worth_nothing(fort: RunningSite) -> None:
    ada = newcomer(fort, "tampered@example.org")
    name, value = cookie_name(ada), ada.cookies[cookie_name(ada)]
    payload, moment, signature = value.rsplit(".", 2)
    rest = f"{moment}.{signature}"
    other = newcomer(fort, ROOT, admin=True).cookies[name]
    changed = [
        *(value[:at] + ("A" if value[at] != "A" else "B") + value[at + 1 :] for at in range(0, len(value) - 1, 9)),
        *(value[:-1], value + "A", value.upper(), "." + value, f"{payload}.", payload, "", "null", "{}", "x" * 4000),
        f"{other.rsplit('.', 2)[0]}.{rest}",  # the administrator's session with one's own signature
        base64.urlsafe_b64encode(b'{"_user_id":"1","_fresh":true}').decode().rstrip("=") + f".{rest}",
    ]
    for forged in changed:
        reply = ask(Visitor(fort), "GET", "/account", None, {"Cookie": f"{name}={forged}"})
        assert (reply.status, reply.headers["Location"]) == (302, "/login?next=/account"), forged


@pytest.mark.parametrize("change", [{"login": "x" * 43}, {"login": None}, {"login": ""}, {"_user_id": "x"}])
def test_even_well_signed_a_session_needs_its_login_on_the_server(fort: RunningSite, change: dict[str, object]) -> None:
    """Whoever had the key that signs would still have to know a token of 256 bits."""
    ada = newcomer(fort, "signed@example.org")
    thief = stolen(ada)
    set_session(thief, {**session_of(ada), **change})
    assert_nobody(thief)


def test_the_login_of_one_does_not_make_another_of_somebody(fort: RunningSite) -> None:
    ada, root = newcomer(fort, "crossed@example.org"), newcomer(fort, ROOT, admin=True)
    thief = stolen(ada)
    set_session(thief, {**session_of(root), "login": session_of(ada)["login"]})
    assert_nobody(thief)


def test_the_server_keeps_no_token_that_would_open_a_session(fort: RunningSite) -> None:
    ada = newcomer(fort, "digest@example.org")
    stored = b"".join(file.read_bytes() for file in fort.data.glob("vitrine.db*"))
    assert session_of(ada)["login"].encode() not in stored


def test_over_https_every_cookie_is_bound_to_the_host_and_kept_from_scripts(proxied: RunningSite) -> None:
    newcomer(proxied, "ada@example.org")
    visitor = Visitor(proxied, HTTPS)
    lines: list[str] = []
    for path in ("/login", "/recover", "/nothing", "/history", "/livez"):
        visitor.get(path)
        lines += visitor.set_cookies
    fields = {"email": "ada@example.org", "password": PASSWORD, "remember": "y"}
    assert visitor.submit("/login", fields).status == 302
    lines += visitor.set_cookies
    visitor.get("/account")
    lines += visitor.set_cookies
    assert_somebody(visitor)
    log_out(visitor)
    lines += visitor.set_cookies
    assert lines
    for line in lines:
        ((name, morsel),) = SimpleCookie(line).items()
        assert name.startswith("__Host-"), line
        assert (morsel["secure"], morsel["httponly"], morsel["path"], morsel["domain"]) == (True, True, "/", ""), line
        assert morsel["samesite"] in ("Lax", "Strict"), line


def test_a_cookie_of_another_name_or_without_its_prefix_is_not_read(proxied: RunningSite) -> None:
    newcomer(proxied, "ada@example.org")
    visitor = Visitor(proxied, HTTPS)
    assert visitor.log_in("ada@example.org").status == 302
    value = visitor.cookies["__Host-vitrine"]
    for name in ("vitrine", "session", "__Secure-vitrine", "remember_token", "__host-vitrine"):
        reply = ask(Visitor(proxied, HTTPS), "GET", "/account", None, {"Cookie": f"{name}={value}"})
        assert reply.status == 302, name


def test_a_page_of_somebody_is_kept_by_no_cache(fort: RunningSite) -> None:
    ada = newcomer(fort, "cached@example.org")
    for path in ("/", "/account", "/history", "/models", "/account/password", "/verify"):
        assert re.search(r"\bno-store\b", ada.get(path).headers["Cache-Control"]), path
