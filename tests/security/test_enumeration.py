"""Nobody learns who has an account: the same status, headers and words for whoever is known, unknown or disabled."""

from __future__ import annotations

import re

import pytest

from tests.security.cast import Address, key_of, number_of, person, services
from tests.serving import PASSWORD, Reply, RunningSite
from tests.web.visiting import Visitor, forgiving

KNOWN, DISABLED, UNKNOWN = "known-one@example.org", "closed-one@example.org", "nobody-one@example.org"
# What differs from answer to answer by itself.
_VARYING = {"Date", "X-Request-Id", "Set-Cookie"}
_TOKEN = re.compile(rb'value="[\w.-]{60,}"')
_COOKIE = re.compile(r"=[^;]+")


@pytest.fixture
def accounts(fort: RunningSite) -> RunningSite:
    """Give a site with one account of each kind."""
    person(fort, KNOWN)
    here = services(fort)
    if not here.accounts.exists(DISABLED):
        person(fort, DISABLED)
        root = person(fort, "root@example.org", admin=True)
        assert root.submit(f"/people/{number_of(fort, DISABLED)}/disable", page="/people").status == 303
    return fort


def told(visitor: Visitor, reply: Reply, email: str) -> tuple[object, ...]:
    """Give everything that is told, but for what one has written oneself and what is new each time."""
    headers = {name: value for name, value in reply.headers.items() if name not in _VARYING}
    cookies = [_COOKIE.sub("=", line, count=1) for line in visitor.set_cookies]
    # What one has written stands in the field again; the name of a host in small letters.
    body = re.sub(re.escape(email.encode()), b"", _TOKEN.sub(b"", reply.body), flags=re.IGNORECASE)
    body = body.replace(reply.headers["X-Request-Id"].encode(), b"")
    # A token is as long as its session's; the rest of a page is as long for everybody.
    headers.pop("Content-Length", None)
    return reply.status, headers, cookies, body


def asked(site: RunningSite, path: str, email: str, **fields: str) -> tuple[object, ...]:
    visitor = Visitor(site)
    with forgiving(site):
        reply = visitor.submit(path, {"email": email, "submit": "1", **fields})
    return told(visitor, reply, email)


WRONG = ["wrong but long enough", "", "short", f"{PASSWORD} ", "x" * 1024, "x" * 5000, "\x00", "\N{GRINNING FACE}" * 12]


@pytest.mark.parametrize("password", WRONG)
def test_a_failed_login_is_the_same_for_everybody(accounts: RunningSite, password: str) -> None:
    answers = [asked(accounts, "/login", email, password=password) for email in (KNOWN, UNKNOWN, DISABLED, KNOWN.upper())]
    assert answers[0][0] == (200 if len(password) <= 1024 else 400)
    assert all(answer == answers[0] for answer in answers[1:])


def test_a_disabled_account_with_its_right_password_is_told_what_an_unknown_one_is(accounts: RunningSite) -> None:
    assert asked(accounts, "/login", DISABLED, password=PASSWORD) == asked(accounts, "/login", UNKNOWN, password=PASSWORD)


def test_whoever_asks_for_a_link_learns_nothing(accounts: RunningSite) -> None:
    answers = [asked(accounts, "/recover", email) for email in (KNOWN, UNKNOWN, DISABLED, KNOWN.title())]
    assert answers[0][0] == 200
    assert all(answer == answers[0] for answer in answers[1:])


def test_too_many_failures_look_the_same(accounts: RunningSite) -> None:
    seen: dict[str, list[object]] = {}
    for email in (KNOWN, UNKNOWN, DISABLED):
        with forgiving(accounts):
            visitor = Visitor(accounts)
            token = visitor.token_of("/login")
            fields = {"email": email, "password": "wrong but long enough", "csrf_token": token}
            replies = [visitor.send("/login", fields) for _ in range(12)]
            seen[email] = [reply.status for reply in replies]
            assert int(replies[-1].headers["Retry-After"]) > 0
            del replies[-1].headers["Retry-After"]
            seen[email] += list(told(visitor, replies[-1], email))
    assert seen[KNOWN] == seen[UNKNOWN] == seen[DISABLED]
    assert seen[KNOWN][:12] == [200] * 10 + [429] * 2


def test_every_public_form_that_asks_for_an_address_says_the_same(accounts: RunningSite, everywhere: list[Address]) -> None:
    """Whatever page is added that takes an address: with no token in its path, all may send it."""
    for address in everywhere:
        if address.parameters or "POST" not in address.methods or address.rule.startswith("/api/"):
            continue
        page = Visitor(accounts).get(address.path())
        if b'name="email"' not in page.body or page.status != 200:
            continue
        fields = {"password": "wrong but long enough", "password_confirm": "wrong but long enough"}
        answers = [asked(accounts, address.rule, email, **fields) for email in (KNOWN, UNKNOWN, DISABLED)]
        assert answers[0] == answers[1] == answers[2], address.rule


def test_a_key_of_nobody_and_of_somebody_closed_look_the_same(accounts: RunningSite) -> None:
    closed, unknown = key_of(accounts, DISABLED), key_of(accounts, KNOWN)
    services(accounts).api_keys.revoke(number_of(accounts, KNOWN), unknown.split("_")[1])
    answers = [accounts.request("GET", "/api/v1/models", key=key) for key in (closed, unknown, unknown[:-1], "vtr_x", "x")]
    for reply in answers:
        assert reply.status == 401
        del reply.headers["Date"], reply.headers["X-Request-Id"]
    told_of = [(reply.headers, {**reply.json, "request_id": ""}) for reply in answers]
    assert all(one == told_of[0] for one in told_of)
