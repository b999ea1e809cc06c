"""Every secret that is made here is long, random and kept as a digest; a token of one kind is none of another."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from argon2 import PasswordHasher, extract_parameters
from argon2.low_level import Type
from sqlalchemy import select, text

from app.composition import Services
from app.services.audit_log import COMMAND_LINE
from app.storage.tables import User
from tests.factories import make_services
from tests.serving import RunningSite
from tests.web.visiting import Visitor, make_visitor

PASSWORD = "correct horse battery"
_ALPHABETS = {r"[0-9a-f]+": 4.0, r"[A-Za-z0-9_-]+": 6.0}


@pytest.fixture
def services(tmp_path: Path) -> Services:
    return make_services(tmp_path)


def bits(secret: str) -> float:
    """Give how many bits a random text of these letters may hold."""
    return len(secret) * next(each for letters, each in _ALPHABETS.items() if re.fullmatch(letters, secret))


def makers(services: Services) -> dict[str, Callable[[], str]]:
    """Give what makes each kind of secret, without what is public in it."""
    account = services.accounts.create("ada@example.org", PASSWORD)

    def invitation() -> str:
        return services.invitations.invite("eve@example.org", admin=False, actor=COMMAND_LINE)

    return {
        "login": lambda: services.logins.begin(account, browser="", address=""),
        "key": lambda: services.api_keys.create(account, "laptop").split("_")[2],
        "invitation": invitation,
    }


def test_every_secret_has_128_bits_and_no_two_are_alike(services: Services) -> None:
    setup = {services.accounts.setup_token(renew=True) or "" for _ in range(50)}
    made = {"set-up link": setup, **{kind: {make() for _ in range(50)} for kind, make in makers(services).items()}}
    for kind, secrets in made.items():
        assert len(secrets) == 50, kind
        assert min(map(bits, secrets)) >= 128, kind
        # Each place of the text takes many values: no part of it is a counter or a clock.
        for place in zip(*secrets, strict=True):
            assert len(set(place)) > 8, kind


def test_only_digests_of_them_are_kept(services: Services) -> None:
    secrets = [make() for make in makers(services).values()]
    with services.engine.connect() as connection:
        tables = connection.scalars(text("SELECT name FROM sqlite_master WHERE type = 'table'")).all()
        kept = "".join(repr(row) for table in tables for row in connection.execute(text(f"SELECT * FROM {table}")))
    assert "ada@example.org" in kept
    assert not [secret for secret in secrets if secret in kept]
    assert PASSWORD not in kept


def test_a_password_is_kept_by_argon2id_at_more_than_the_least_that_is_recommended(services: Services) -> None:
    services.accounts.create("ada@example.org", PASSWORD)
    with services.sessions() as session:
        kept = session.scalars(select(User.password)).one()
    assert kept is not None
    parameters = extract_parameters(kept)
    assert parameters.type is Type.ID
    assert parameters.time_cost >= 2
    assert parameters.memory_cost >= 19_456
    assert parameters.salt_len >= 16
    assert parameters.hash_len >= 16


def test_a_password_of_an_older_hash_gets_a_new_one_at_the_next_login(site: RunningSite) -> None:
    make_visitor(site, "older@example.org", PASSWORD)
    weak = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash(PASSWORD)
    store(site, "older@example.org", weak)
    assert Visitor(site).log_in("older@example.org", PASSWORD).status == 302
    assert extract_parameters(stored(site, "older@example.org")).memory_cost >= 19_456


def test_a_token_of_a_form_is_no_cookie_and_no_link(site: RunningSite) -> None:
    ada = make_visitor(site)
    token = ada.token_of("/account")
    impostor = Visitor(site)
    impostor.cookies = {"vitrine": token}
    assert impostor.get("/account").status == 302
    for door in ("/setup/", "/invitation/"):
        assert impostor.get(f"{door}{token}").status == 404


def store(site: RunningSite, email: str, password_hash: str) -> None:
    with closing(sqlite3.connect(site.data / "vitrine.db", timeout=30)) as database, database:
        database.execute("UPDATE users SET password = ? WHERE email = ?", [password_hash, email])


def stored(site: RunningSite, email: str) -> str:
    with closing(sqlite3.connect(site.data / "vitrine.db", timeout=30)) as database:
        return str(database.execute("SELECT password FROM users WHERE email = ?", [email]).fetchone()[0])
