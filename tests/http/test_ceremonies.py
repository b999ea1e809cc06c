"""What a browser answers about a passkey, on the real site: once, in time, to the question that was asked, for its owner."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.device import Device
from tests.serving import Reply, RunningSite
from tests.web.factors import FACTORS, STEP, codes_on, half_in, run_sql
from tests.web.reading import Page
from tests.web.visiting import Visitor, assert_redirect, forgiving, make_visitor

ALONE = "/login/passkey"
ADDRESS, DOMAIN = "https://photos.example.org", "photos.example.org"
LATE = "That took too long; try again."


@pytest.fixture
def site(https_site: RunningSite) -> Iterator[RunningSite]:
    with forgiving(https_site) as running:
        yield running


def options(visitor: Visitor, path: str) -> dict[str, Any]:
    reply = visitor.get(path, {"Accept": "application/json"})
    assert reply.status == 200, reply.body
    asked: dict[str, Any] = json.loads(reply.body)
    return asked


def add_passkey(site: RunningSite, email: str, visitor: Visitor | None = None) -> tuple[Device, Reply]:
    """Add a passkey to an account, and give it with what the site answered."""
    visitor = visitor or make_visitor(site, email)
    token = visitor.token_of(f"{FACTORS}/app")
    device = Device(ADDRESS, DOMAIN)
    answer = device.create(options(visitor, f"{FACTORS}/passkeys/options"))
    return device, visitor.send(f"{FACTORS}/passkeys", {"name": "A device", "credential": answer, "csrf_token": token})


def answer(visitor: Visitor, device: Device, path: str = ALONE, **fields: str) -> Reply:
    """Ask for options at an address, and let a device answer there."""
    token = visitor.token_of("/login" if path == ALONE else STEP)
    return visitor.send(path, {"credential": device.get(options(visitor, path)), "csrf_token": token, **fields})


def copy_of(visitor: Visitor) -> Visitor:
    copy = Visitor(visitor.site)
    copy.cookies = dict(visitor.cookies)
    return copy


def assert_nobody(visitor: Visitor) -> None:
    assert_redirect(visitor.get("/account"), "/login?next=/account")


def test_the_first_passkey_brings_recovery_codes_and_the_second_none(site: RunningSite) -> None:
    ada = make_visitor(site, "first@example.org")
    _, reply = add_passkey(site, "first@example.org", ada)
    assert (reply.status, len(codes_on(reply))) == (200, 10)
    _, reply = add_passkey(site, "first@example.org", ada)
    assert_redirect(reply, FACTORS)
    assert "asked for a passkey. 10 recovery codes are left." in Page(ada.get("/account")).words


def test_a_passkey_alone_logs_in_and_leads_on(site: RunningSite) -> None:
    device, _ = add_passkey(site, "alone@example.org")
    ada = Visitor(site)
    assert_redirect(answer(ada, device, next="/history", remember="y"), "/history")
    (line,) = (line for line in ada.set_cookies if line.startswith("__Host-vitrine="))
    assert "Expires=" in line
    assert "alone@example.org" in Page(ada.get("/account")).words
    assert_redirect(answer(Visitor(site), device, next="https://evil.example/"), "/")


def test_an_answer_is_taken_once_whatever_cookie_was_kept(site: RunningSite) -> None:
    device, _ = add_passkey(site, "replayed@example.org")
    ada = Visitor(site)
    token = ada.token_of("/login")
    fields = {"credential": device.get(options(ada, ALONE)), "csrf_token": token}
    thief = copy_of(ada)
    assert_redirect(ada.send(ALONE, fields), "/")
    assert_redirect(thief.send(ALONE, fields), "/login")
    assert LATE in Page(thief.get("/login")).words
    assert_nobody(thief)


def test_an_answer_is_for_the_question_that_was_asked(site: RunningSite) -> None:
    email = "mixes@example.org"
    device, _ = add_passkey(site, email)
    ada = half_in(site, email)
    token = ada.token_of(STEP)
    fields = {"credential": device.get(options(ada, f"{STEP}/passkey")), "csrf_token": token}
    assert_redirect(ada.send(ALONE, fields), "/login")
    assert_nobody(ada)
    assert_redirect(answer(ada, device, f"{STEP}/passkey"), "/")
    assert ada.get("/account").status == 200


def test_after_the_password_only_its_owners_passkey_will_do(site: RunningSite) -> None:
    add_passkey(site, "owner@example.org")
    other, _ = add_passkey(site, "other@example.org")
    eve = half_in(site, "owner@example.org")
    assert_redirect(answer(eve, other, f"{STEP}/passkey"), STEP)
    assert "That passkey is not known here." in Page(eve.get(STEP)).words
    assert_nobody(eve)


def test_a_disabled_account_is_not_let_in_by_its_passkey(site: RunningSite) -> None:
    email = "disabled@example.org"
    device, _ = add_passkey(site, email)
    run_sql(site, "UPDATE users SET active = 0 WHERE email = ?", email)
    ada = Visitor(site)
    assert_redirect(answer(ada, device), "/login")
    assert "That passkey does not let you in." in Page(ada.get("/login")).words
    assert_nobody(ada)


def test_strange_passkeys_are_counted_and_good_ones_are_not(site: RunningSite) -> None:
    device, _ = add_passkey(site, "counted@example.org")
    for _ in range(11):
        assert_redirect(answer(Visitor(site), device), "/")
    stranger = Visitor(site)
    assert [answer(stranger, Device(ADDRESS, DOMAIN)).status for _ in range(10)] == [303] * 10
    reply = answer(Visitor(site), device)
    assert (reply.status, "Retry-After" in reply.headers) == (429, True)


def test_without_a_question_there_is_no_answer(site: RunningSite) -> None:
    device, _ = add_passkey(site, "unasked@example.org")
    ada = Visitor(site)
    token = ada.token_of("/login")
    stale = device.get(options(Visitor(site), ALONE))
    assert_redirect(ada.send(ALONE, {"credential": stale, "csrf_token": token}), "/login")
    assert_redirect(ada.send(ALONE, {"credential": "", "csrf_token": token}), "/login")
    assert_nobody(ada)


@pytest.mark.parametrize(("name", "credential"), [("", "{}"), ("x" * 81, "{}"), ("A device", "{}"), ("A device", "")])
def test_what_is_no_new_passkey_is_told_in_its_place(site: RunningSite, name: str, credential: str) -> None:
    ada = make_visitor(site, "clumsy@example.org")
    token = ada.token_of(f"{FACTORS}/app")
    options(ada, f"{FACTORS}/passkeys/options")
    reply = ada.send(f"{FACTORS}/passkeys", {"name": name, "credential": credential, "csrf_token": token})
    assert (reply.status, len(Page(reply).all("h1"))) == (422, 1)
    assert "Your password alone lets nobody in." not in Page(ada.get(FACTORS)).words
