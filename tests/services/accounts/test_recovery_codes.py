"""Recovery codes: ten, each good once, for their owner alone, and kept as digests."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import select

from app.composition import Services
from app.services.accounts.recovery_codes import RecoveryCodes
from app.services.audit_log import Actor, subject_of_account
from app.storage.tables import StoredRecoveryCode
from tests.factories import make_services

PASSWORD = "correct horse battery"


@pytest.fixture
def services(tmp_path: Path) -> Services:
    return make_services(tmp_path)


@pytest.fixture
def codes(services: Services) -> RecoveryCodes:
    return services.recovery_codes


@pytest.fixture
def ada(services: Services) -> Actor:
    return Actor("ada@example.org", services.accounts.create("ada@example.org", PASSWORD))


@pytest.fixture
def bob(services: Services) -> Actor:
    return Actor("bob@example.org", services.accounts.create("bob@example.org", PASSWORD))


def left(codes: RecoveryCodes, actor: Actor) -> int:
    assert actor.account is not None
    return codes.left(actor.account)


def test_ten_different_codes_are_made_and_only_digests_kept(codes: RecoveryCodes, services: Services, ada: Actor) -> None:
    made = codes.make(ada)
    assert len(set(made)) == left(codes, ada) == 10
    assert all(re.fullmatch(r"[bcdfghjkmnpqrstvwxz2-9]{4}(-[bcdfghjkmnpqrstvwxz2-9]{4}){5}", code) for code in made)
    with services.sessions() as session:
        kept = session.scalars(select(StoredRecoveryCode.digest)).all()
    assert len(kept) == 10
    assert not set(kept) & set(made)
    assert all(re.fullmatch(r"[0-9a-f]{64}", digest) for digest in kept)


def test_a_code_is_good_once_and_written_down(codes: RecoveryCodes, services: Services, ada: Actor) -> None:
    code = codes.make(ada)[4]
    assert codes.use(ada, code)
    assert not codes.use(ada, code)
    assert left(codes, ada) == 9
    deeds = services.audit_log.about(subject_of_account(ada.name))
    assert [(deed.action, deed.detail) for deed in deeds] == [("recovery code used", "9 left"), ("recovery codes made", "")]


@pytest.mark.parametrize("typed", [str.upper, lambda code: code.replace("-", ""), lambda code: f" {code.replace('-', ' ')} "])
def test_a_code_is_read_as_people_type_it(codes: RecoveryCodes, ada: Actor, typed: object) -> None:
    assert callable(typed)
    assert codes.use(ada, typed(codes.make(ada)[0]))


def test_nobody_uses_the_code_of_another(codes: RecoveryCodes, ada: Actor, bob: Actor) -> None:
    code = codes.make(ada)[0]
    codes.make(bob)
    assert not codes.use(bob, code)
    assert (left(codes, ada), left(codes, bob)) == (10, 10)
    assert codes.use(ada, code)


@pytest.mark.parametrize("code", ["", " ", "-", "bbbb-cccc-dddd-ffff", "é" * 16])
def test_what_is_no_code_lets_nobody_in(codes: RecoveryCodes, ada: Actor, code: str) -> None:
    codes.make(ada)
    assert not codes.use(ada, code)
    assert left(codes, ada) == 10


def test_new_codes_end_the_old_ones(codes: RecoveryCodes, ada: Actor) -> None:
    old = codes.make(ada)
    assert codes.make(ada) != old
    assert left(codes, ada) == 10
    assert not any(codes.use(ada, code) for code in old)


def test_of_many_that_bring_a_code_at_once_one_gets_in(codes: RecoveryCodes, ada: Actor) -> None:
    code = codes.make(ada)[0]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda _: codes.use(ada, code), range(16))).count(True) == 1
