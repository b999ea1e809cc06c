"""Small secrets at rest: encrypted under a key of its own that comes from the site's, so that a stolen database tells none."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.fernet import Fernet

_PURPOSE = b"vitrine: secrets of second factors"


class Vault:
    """Seals and opens; what another key has sealed, or somebody changed, does not open."""

    def __init__(self, *, key: Callable[[], str]) -> None:
        self._key = key
        self._box: Fernet | None = None

    def seal(self, text: str) -> str:
        """Give a text in a form that only this site can read."""
        return self._opened().encrypt(text.encode()).decode()

    def open(self, sealed: str, *, within: int | None = None) -> str | None:
        """Give the text, or None where it is not ours, or was sealed longer than so many seconds ago."""
        from cryptography.fernet import InvalidToken

        try:
            return self._opened().decrypt(sealed.encode(), within).decode()
        except InvalidToken:
            return None

    def _opened(self) -> Fernet:
        from cryptography.fernet import Fernet

        if self._box is None:
            # The key that signs cookies signs nothing else, and seals nothing: each purpose has its own.
            self._box = Fernet(base64.urlsafe_b64encode(hmac.digest(self._key().encode(), _PURPOSE, "sha256")))
        return self._box
