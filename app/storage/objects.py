"""The one small interface to where files are kept that machines may share: a folder, or a bucket of an object store."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol


class Objects(Protocol):
    """Files by their keys, which are relative paths; raises OSError (FileNotFoundError above all) or StoreUnavailable."""

    def read(self, key: str) -> bytes:
        """Give a file."""

    def write(self, key: str, content: bytes) -> None:
        """Write a file, in place of one that is there."""

    def present(self, keys: Sequence[str]) -> frozenset[str]:
        """Give those that are there."""

    def delete(self, keys: Iterable[str]) -> None:
        """Delete files; none there is no error, and what cannot be deleted now stays."""
