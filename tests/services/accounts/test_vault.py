"""Secrets at rest: only this site's key opens them, whole and in time."""

from __future__ import annotations

import pytest

from app.services.accounts.vault import Vault

KEY = "a key of this site, with enough of characters"


def test_what_is_sealed_opens_again_and_tells_nothing() -> None:
    vault = Vault(key=lambda: KEY)
    sealed = vault.seal("a secret")
    assert "secret" not in sealed
    assert sealed != vault.seal("a secret")
    assert vault.open(sealed) == Vault(key=lambda: KEY).open(sealed, within=60) == "a secret"


def test_another_sites_key_opens_nothing() -> None:
    assert Vault(key=lambda: KEY + "!").open(Vault(key=lambda: KEY).seal("a secret")) is None


@pytest.mark.parametrize("change", [lambda sealed: sealed[:-8], lambda sealed: "x" + sealed, lambda _: "", lambda _: "é"])
def test_what_was_changed_does_not_open(change: object) -> None:
    vault = Vault(key=lambda: KEY)
    assert callable(change)
    assert vault.open(change(vault.seal("a secret"))) is None


def test_what_is_too_old_does_not_open() -> None:
    vault = Vault(key=lambda: KEY)
    assert vault.open(vault.seal("a secret"), within=-1) is None


def test_the_key_is_asked_for_only_when_it_is_needed() -> None:
    asked: list[str] = []
    vault = Vault(key=lambda: asked.append("now") or KEY)  # type: ignore[func-returns-value]
    assert asked == []
    vault.open(vault.seal("a secret"))
    assert asked == ["now"]
