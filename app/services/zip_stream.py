"""A ZIP file that is sent while it is made, so that neither memory nor disk holds all of it."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
    """One file in it; what is compressed already is stored as it is."""

    name: str
    content: bytes
    compressed: bool = False


def zip_stream(entries: Iterable[Entry]) -> Iterator[bytes]:
    """Give the pieces of a ZIP file of these entries, each of which is asked for when the last is on its way."""
    pieces = _Pieces()
    with zipfile.ZipFile(pieces, "w") as archive:
        for entry in entries:
            kind = zipfile.ZIP_STORED if entry.compressed else zipfile.ZIP_DEFLATED
            archive.writestr(entry.name, entry.content, compress_type=kind)
            yield pieces.take()
    yield pieces.take()


class _Pieces:
    """A file that can be written to, and nothing else; what was written is taken from it."""

    def __init__(self) -> None:
        self._written: list[bytes] = []

    def write(self, piece: bytes, /) -> int:
        """Keep a piece."""
        self._written.append(bytes(piece))
        return len(piece)

    def flush(self) -> None:
        """Do nothing: nothing lies behind it."""

    def close(self) -> None:
        """Do nothing: it goes with its stream."""

    def take(self) -> bytes:
        """Give what was written since."""
        taken, self._written = b"".join(self._written), []
        return taken
