"""Passwords in tests: hashed as on every site, and once."""

from __future__ import annotations

from typing import ClassVar

from argon2 import PasswordHasher

from app.services.accounts.passwords import Passwords


class RememberingHasher(PasswordHasher):
    """Gives one password the same hash each time: a hash takes a fifth of a second, and most tests use one password."""

    _known: ClassVar[dict[str | bytes, str]] = {}

    def hash(self, password: str | bytes, *, salt: bytes | None = None) -> str:
        """Give the real hash of a password, made once a process."""
        if password not in self._known:
            self._known[password] = super().hash(password, salt=salt)
        return self._known[password]


def remembered() -> Passwords:
    """Give the passwords of a site whose hashes are made once a process."""
    return Passwords(hasher=RememberingHasher())
