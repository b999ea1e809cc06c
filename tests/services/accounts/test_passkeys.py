"""Passkeys: only what this site asked for, of the right device, at the right address, lets in, and only its owner."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from app.composition import Services
from app.errors import InvalidPasskey
from app.services.accounts.passkeys import Passkeys
from app.services.audit_log import Actor, subject_of_account
from tests.device import Device
from tests.factories import make_services

ADDRESS, DOMAIN = "https://photos.example.org", "photos.example.org"
PASSWORD = "correct horse battery"


@pytest.fixture
def services(tmp_path: Path) -> Services:
    return make_services(tmp_path, public_url=ADDRESS)


@pytest.fixture
def passkeys(services: Services) -> Passkeys:
    return services.passkeys


@pytest.fixture
def ada(services: Services) -> Actor:
    return Actor("ada@example.org", services.accounts.create("ada@example.org", PASSWORD))


@pytest.fixture
def bob(services: Services) -> Actor:
    return Actor("bob@example.org", services.accounts.create("bob@example.org", PASSWORD))


def make_device(**bent: Any) -> Device:
    return Device(**{"origin": ADDRESS, "domain": DOMAIN, **bent})


def add(passkeys: Passkeys, actor: Actor, device: Device, name: str = "laptop") -> Device:
    ceremony = passkeys.begin_adding(actor)
    passkeys.add(actor, name, json.loads(json.dumps(ceremony.state)), device.create(ceremony.options))
    return device


def log_in(passkeys: Passkeys, device: Device, account: int | None = None, **bent: Any) -> int:
    ceremony = passkeys.begin_login(account)
    return passkeys.check(json.loads(json.dumps(ceremony.state)), device.get(ceremony.options, **bent), account)


def number(actor: Actor) -> int:
    assert actor.account is not None
    return actor.account


def test_a_passkey_lets_its_owner_in_alone_and_after_the_password(passkeys: Passkeys, ada: Actor, bob: Actor) -> None:
    device, other = add(passkeys, ada, make_device()), add(passkeys, bob, make_device())
    assert log_in(passkeys, device) == log_in(passkeys, device, ada.account) == ada.account
    assert log_in(passkeys, other) == bob.account
    with pytest.raises(InvalidPasskey, match="not known here"):
        log_in(passkeys, device, bob.account)


def test_what_a_browser_is_asked_is_plain_and_tells_nothing_of_others(passkeys: Passkeys, ada: Actor, bob: Actor) -> None:
    first, second = (add(passkeys, ada, make_device(), name) for name in ("laptop", "phone"))
    add(passkeys, bob, make_device())
    asked = json.loads(json.dumps(passkeys.begin_login().options))["publicKey"]
    assert (asked["rpId"], asked["userVerification"], asked.get("allowCredentials")) == (DOMAIN, "required", None)
    known = json.loads(json.dumps(passkeys.begin_login(ada.account).options))["publicKey"]["allowCredentials"]
    assert len({one["id"] for one in known}) == 2
    making = passkeys.begin_adding(ada).options["publicKey"]
    assert {one["id"] for one in making["excludeCredentials"]} == {one["id"] for one in known}
    assert first.handle == second.handle == making["user"]["id"].encode()
    assert "ada" not in making["user"]["id"]


def test_alone_the_device_must_have_recognised_its_owner(passkeys: Passkeys, ada: Actor) -> None:
    device = add(passkeys, ada, make_device(recognises=False))
    with pytest.raises(InvalidPasskey):
        log_in(passkeys, device)
    assert log_in(passkeys, device, ada.account) == ada.account


@pytest.mark.parametrize(
    "bent",
    [
        {"origin": "https://evil.example"},
        {"origin": "https://photos.example.org.evil.example"},
        {"origin": "http://photos.example.org"},
        {"origin": "https://login.photos.example.org"},
        {"challenge": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"},
        {"type": "webauthn.create"},
        {"signature": b"\x30\x06\x02\x01\x01\x02\x01\x01"},
        {"signature": b""},
        {"userHandle": b"somebody else"},
    ],
)
def test_an_answer_that_was_bent_lets_nobody_in(passkeys: Passkeys, ada: Actor, bent: dict[str, Any]) -> None:
    device = add(passkeys, ada, make_device())
    for account in (None, ada.account):
        with pytest.raises(InvalidPasskey):
            log_in(passkeys, device, account, **bent)
    assert log_in(passkeys, device) == ada.account


def test_a_passkey_of_another_site_is_neither_kept_nor_taken(passkeys: Passkeys, ada: Actor) -> None:
    for device in (make_device(domain="evil.example"), make_device(origin="https://evil.example")):
        with pytest.raises(InvalidPasskey, match="does not fit"):
            add(passkeys, ada, device)
    device = add(passkeys, ada, make_device())
    device.domain = "evil.example"
    with pytest.raises(InvalidPasskey):
        log_in(passkeys, device)


def test_an_answer_to_another_question_is_not_taken(passkeys: Passkeys, ada: Actor) -> None:
    device = add(passkeys, ada, make_device())
    first, second = passkeys.begin_login(), passkeys.begin_login()
    answer = device.get(first.options)
    with pytest.raises(InvalidPasskey):
        passkeys.check(second.state, answer)
    assert passkeys.check(first.state, answer) == ada.account
    making = passkeys.begin_adding(ada)
    with pytest.raises(InvalidPasskey):
        passkeys.add(ada, "again", passkeys.begin_adding(ada).state, make_device().create(making.options))


def test_a_device_that_counts_never_counts_backwards(passkeys: Passkeys, ada: Actor) -> None:
    device = add(passkeys, ada, make_device(count=5))
    assert log_in(passkeys, device) == ada.account
    copy = make_device(count=5, id=device.id, key=device.key)
    with pytest.raises(InvalidPasskey):
        log_in(passkeys, copy)
    copy.count = 0
    with pytest.raises(InvalidPasskey):
        log_in(passkeys, copy)
    assert log_in(passkeys, device) == ada.account


def test_a_credential_is_kept_once_whoever_brings_it(passkeys: Passkeys, ada: Actor, bob: Actor) -> None:
    device = add(passkeys, ada, make_device())
    for actor in (ada, bob):
        with pytest.raises(InvalidPasskey, match="here already"):
            add(passkeys, actor, device)
    assert log_in(passkeys, device) == ada.account


def test_a_removed_passkey_lets_nobody_in(passkeys: Passkeys, services: Services, ada: Actor, bob: Actor) -> None:
    device = add(passkeys, ada, make_device(), "laptop")
    services.recovery_codes.make(ada)
    (passkey,) = passkeys.list(number(ada))
    assert passkeys.remove(bob, passkey.id) is None
    assert passkeys.remove(ada, passkey.id) == "laptop"
    assert passkeys.remove(ada, passkey.id) is None
    with pytest.raises(InvalidPasskey):
        log_in(passkeys, device)
    assert services.second_factors.of(number(ada)) == frozenset()
    assert services.recovery_codes.left(number(ada)) == 0
    deeds = services.audit_log.about(subject_of_account(ada.name))
    written = [(deed.action, deed.detail) for deed in deeds]
    assert written == [("passkey removed", "laptop"), ("recovery codes made", ""), ("passkey added", "laptop")]


def test_recovery_codes_stay_while_one_factor_is_left(passkeys: Passkeys, services: Services, ada: Actor) -> None:
    for name in ("laptop", "phone"):
        add(passkeys, ada, make_device(), name)
    services.recovery_codes.make(ada)
    first, second = passkeys.list(number(ada))
    passkeys.remove(ada, first.id)
    assert services.recovery_codes.left(number(ada)) == 10
    assert [passkey.name for passkey in passkeys.list(number(ada))] == [second.name] == ["phone"]


def test_when_it_was_used_is_told(passkeys: Passkeys, ada: Actor) -> None:
    device = add(passkeys, ada, make_device())
    assert passkeys.list(number(ada))[0].used_at is None
    log_in(passkeys, device)
    assert passkeys.list(number(ada))[0].used_at is not None


def test_an_account_has_twenty_at_most(passkeys: Passkeys, ada: Actor) -> None:
    for index in range(20):
        add(passkeys, ada, make_device(), f"number {index}")
    with pytest.raises(InvalidPasskey, match="at most 20 passkeys"):
        passkeys.begin_adding(ada)


def garbled(answer: str) -> list[str]:
    """Give an answer with each part that counts missing, of another kind, cut short, or full of rubbish."""
    whole: dict[str, Any] = json.loads(answer)
    inner: dict[str, str] = whole["response"]
    spoilt: list[Any] = [None, 7, "x", "!", "", "AAAA", [], {}]
    outer = [{**whole, name: value} for name in ("rawId", "response") for value in spoilt]
    within = [{**inner, name: value} for name in inner for value in (*spoilt, inner[name][:-8], inner[name][:8])]
    lacking = [{name: value for name, value in whole.items() if name != gone} for gone in ("rawId", "response")]
    pieces = [*outer, *({**whole, "response": response} for response in within), *lacking, *spoilt]
    return [*map(json.dumps, pieces), "", "{", "nonsense", "\x00", "[" * 10_000]


def test_rubbish_is_refused_and_nothing_else_happens(passkeys: Passkeys, ada: Actor) -> None:
    device = add(passkeys, ada, make_device())
    ceremony, making = passkeys.begin_login(), passkeys.begin_adding(ada)
    good, made = device.get(ceremony.options), make_device().create(making.options)
    for answer in garbled(good):
        with pytest.raises(InvalidPasskey):
            passkeys.check(ceremony.state, answer)
    for answer in garbled(made):
        with pytest.raises(InvalidPasskey):
            passkeys.add(ada, "rubbish", making.state, answer)
    assert passkeys.check(ceremony.state, good) == ada.account
    assert len(passkeys.list(number(ada))) == 1


@pytest.mark.parametrize("address", ["", "http://photos.example.org", "https://192.0.2.7"])
def test_where_browsers_offer_none_none_are_asked_for(tmp_path: Path, address: str) -> None:
    passkeys = make_services(tmp_path, public_url=address).passkeys
    assert not passkeys.possible
    with pytest.raises(InvalidPasskey, match="no passkeys at this site's address"):
        passkeys.begin_login()
