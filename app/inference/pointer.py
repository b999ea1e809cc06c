"""The pointer to the active version of a model, with those that were active before, and the count of its versions."""

from __future__ import annotations

from pathlib import Path

from app.errors import InvalidPackage
from app.inference.durable import make_folder, replace_durably

_ACTIVE = "active"
_HIGHEST = "highest"
# Enough to go back through a bad week; the file stays one block on the disk.
_KEPT = 50


class Pointer:
    """The files beside the versions of a model: `active`, the latest activation first, and `highest`, the last number given."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def activations(self) -> list[str]:
        """Give the versions that were activated, the active one first; none where nobody has activated any.

        Raise InvalidPackage where the file is there and cannot be read: to answer with another version would be a guess.
        """
        try:
            text = (self._folder / _ACTIVE).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            raise InvalidPackage(f"Which version of {self._folder.name} is active cannot be read.") from error
        return text.decode("ascii", errors="replace").split()[:_KEPT]

    def write(self, activations: list[str]) -> None:
        """Let the first of these be the active version, the others those before it."""
        make_folder(self._folder)
        replace_durably(self._folder / _ACTIVE, "".join(f"{version}\n" for version in activations[:_KEPT]).encode())

    def highest(self) -> int:
        """Give the highest number that a version ever had, as far as it was written down."""
        try:
            return int((self._folder / _HIGHEST).read_bytes())
        except (OSError, ValueError):
            return 0

    def reserve(self, number: int) -> None:
        """Write down that a number is given away for ever."""
        if number > self.highest():
            make_folder(self._folder)
            replace_durably(self._folder / _HIGHEST, b"%d\n" % number)


# What a killed process may leave beside the versions; whoever holds the lock may sweep it.
LEFTOVERS = (".staging-", ".removed-", f".{_ACTIVE}-", f".{_HIGHEST}-")
