"""The pointer to the active version of a model and those active before, its shadow, and the count of its versions."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from app.errors import InvalidPackage
from app.inference.durable import make_folder, replace_durably, settle

_ACTIVE = "active"
_HIGHEST = "highest"
_SHADOW = "shadow"
# Enough to go back through a bad week; the file stays one block on the disk.
KEPT = 50


@dataclass(frozen=True, slots=True)
class Shadow:
    """A version that looks at a share of a model's pictures, more than 0 and at most 1, and whose answers nobody is given."""

    version: str
    share: float


class Pointer:
    """The files beside the versions of a model.

    `active` has the latest activation first, `highest` the last number given, and `shadow` a version with its share.
    """

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
        return text.decode("ascii", errors="replace").split()[:KEPT]

    def write(self, activations: list[str]) -> None:
        """Let the first of these be the active version, the others those before it."""
        make_folder(self._folder)
        replace_durably(self._folder / _ACTIVE, "".join(f"{version}\n" for version in activations[:KEPT]).encode())

    def shadow(self) -> Shadow | None:
        """Give the version that runs in the shadow; None where none does, or what is written cannot be read."""
        try:
            version, share = (self._folder / _SHADOW).read_bytes().decode("ascii").split()
            found = Shadow(version, float(share))
        except (OSError, ValueError):  # it answers nobody, so to run none is safe
            return None
        return found if 0 < found.share <= 1 else None

    def write_shadow(self, shadow: Shadow | None) -> None:
        """Let this version run in the shadow, or none."""
        if shadow is not None:
            make_folder(self._folder)
            replace_durably(self._folder / _SHADOW, f"{shadow.version} {shadow.share!r}\n".encode())
        elif (self._folder / _SHADOW).exists():
            (self._folder / _SHADOW).unlink(missing_ok=True)
            settle(self._folder)

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
LEFTOVERS = (".staging-", ".removed-", f".{_ACTIVE}-", f".{_HIGHEST}-", f".{_SHADOW}-")
