"""Passwords: which may be chosen, and their hashes."""

from __future__ import annotations

import time

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from app.errors import InvalidPassword
from app.inference.batching import Gate

SHORTEST_PASSWORD, LONGEST_PASSWORD = 12, 1024
_SITE = "Vitrine"
_AT_ONCE = 2
_WAIT_SECONDS = 5.0
_BUSY = "More passwords are being checked than this machine can do; please try again in a moment."

# Below so many guesses an estimate takes a password for one that is common, or made of what is.
_FEWEST_GUESSES = 10**8
# An estimate takes longer by the square of the length: 50 ms at worst for so many characters, half a second for twice as many.
_LOOKED_AT = 32


class Passwords:
    """Makes and checks hashes, the accounts library's too, which are argon2id of the password as it was typed.

    Each takes 64 MB and some 50 ms, so two at most are worked at in a process; who waits too long for one is told Overloaded.
    """

    def __init__(self, *, hasher: PasswordHasher | None = None, wait_seconds: float = _WAIT_SECONDS) -> None:
        self._hasher = hasher or PasswordHasher()
        self._gate = Gate(_AT_ONCE, busy=_BUSY)
        self._wait = wait_seconds

    def hash(self, password: str) -> str:
        """Give the hash that is kept of a password."""
        with self._gate.passage(time.monotonic() + self._wait):
            return self._hasher.hash(password)

    def verify(self, password: str, kept: str | None) -> bool:
        """Tell whether a password is the one of a hash; where there is none it takes as long, and is not."""
        if kept is None:
            self.hash(password)
            return False
        with self._gate.passage(time.monotonic() + self._wait):
            try:
                return self._hasher.verify(kept, password)
            except (VerificationError, InvalidHashError):
                return False

    def needs_update(self, kept: str) -> bool:
        """Tell whether a hash was made with less effort than today's."""
        return self._hasher.check_needs_rehash(kept)

    def identify(self, _kept: str) -> str:
        """Give the name of the method, which the accounts library asks for."""
        return "argon2"


def check_password(password: str, email: str) -> None:
    """Raise InvalidPassword, with the reason, unless a password may be the one of the account with that address."""
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise InvalidPassword(f"Choose a password of {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters.")
    small = password.casefold()
    if _SITE.casefold() in small:
        raise InvalidPassword(f"Choose a password without the name {_SITE} in it.")
    if small.strip() in (email.casefold(), email.casefold().partition("@")[0]):
        raise InvalidPassword("Choose a password that is not your e-mail address.")
    if _guesses(password, email) < _FEWEST_GUESSES:
        raise InvalidPassword(
            "That password is soon guessed. Choose another; a few words that belong together only to you are good."
        )


def _guesses(password: str, email: str) -> int:
    # Imported here, for it knows hundred thousand words and takes 9 MB, and most processes never see a new password.
    from zxcvbn_rs_py import zxcvbn

    return zxcvbn(password[:_LOOKED_AT], [email, *email.split("@")]).guesses
