"""The small copies of pictures that pages show: re-encoded, without metadata, one place for all."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import structlog

from app.errors import StoreUnavailable
from app.inference.images import ImageLimits, decode, shrink

if TYPE_CHECKING:
    from app.storage.objects import Objects

Size = Literal["picture", "thumbnail"]
_LONGEST_SIDE: dict[Size, int] = {"picture": 1024, "thumbnail": 320}

log = structlog.get_logger(__name__)


class Folder:
    """Files in a folder of this machine, or in one that several machines mount."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def read(self, key: str) -> bytes:
        """Give a file, or raise OSError."""
        return (self._root / key).read_bytes()

    def write(self, key: str, content: bytes) -> None:
        """Write a file, in place of one that is there, or raise OSError; its folder is its owner's alone."""
        path = self._root / key
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        staged = _staged(path)
        staged.write_bytes(content)
        staged.rename(path)  # whoever copies the folder meanwhile gets all of it or nothing

    def present(self, keys: Sequence[str]) -> frozenset[str]:
        """Give those that are there."""
        return frozenset(key for key in keys if (self._root / key).is_file())

    def delete(self, keys: Iterable[str]) -> None:
        """Delete files; none there is no error, and what cannot be deleted now stays."""
        for path in (self._root / key for key in keys):
            for file in (path, _staged(path)):
                with contextlib.suppress(OSError):
                    file.unlink()


def _staged(path: Path) -> Path:
    return path.with_name(f".{path.name}")


class PictureStore:
    """Keeps two copies of a picture under the identifier of its prediction."""

    def __init__(self, *, objects: Objects, limits: ImageLimits) -> None:
        self._objects = objects
        self._limits = limits

    def keep(self, prediction_id: str, upload: bytes) -> bool:
        """Write the copies of an upload; False where they are not taken."""
        try:
            image = decode(upload, fit=(_LONGEST_SIDE["picture"] // 2,) * 2, limits=self._limits)
            for size, longest_side in _LONGEST_SIDE.items():
                self._objects.write(_key(prediction_id, size), shrink(image, longest_side))
        except (OSError, StoreUnavailable) as error:
            log.error("picture_not_kept", reason=type(error).__name__)
            self.drop(prediction_id)
            return False
        return True

    def read(self, prediction_id: str, size: Size) -> bytes | None:
        """Give a copy as JPEG, or None where there is none."""
        try:
            return self._objects.read(_key(prediction_id, size))
        except (OSError, StoreUnavailable):
            return None

    def has(self, prediction_id: str) -> bool:
        """Tell whether a picture is kept."""
        return bool(self.kept([prediction_id]))

    def kept(self, prediction_ids: Iterable[str]) -> frozenset[str]:
        """Give those of which a picture is kept; to ask for many at once takes hardly longer than for one."""
        keys = {_key(prediction_id, "picture"): prediction_id for prediction_id in prediction_ids}
        return frozenset(keys[key] for key in self._objects.present(list(keys)))

    def drop(self, *prediction_ids: str) -> None:
        """Delete the copies; none there is no error."""
        self._objects.delete(_key(prediction_id, size) for prediction_id in prediction_ids for size in _LONGEST_SIDE)


def _key(prediction_id: str, size: Size) -> str:
    # The last two characters of the identifier are random, so the folders fill evenly.
    return f"pictures/{prediction_id[-2:]}/{prediction_id}.{size}.jpg"
