"""The small copies of pictures that pages show: re-encoded, without metadata, one folder for all."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Literal

import structlog

from app.inference.images import ImageLimits, decode, shrink

Size = Literal["picture", "thumbnail"]
_LONGEST_SIDE: dict[Size, int] = {"picture": 1024, "thumbnail": 320}

log = structlog.get_logger(__name__)


class PictureStore:
    """Keeps two copies of a picture under the identifier of its prediction."""

    def __init__(self, *, folder: Path, limits: ImageLimits) -> None:
        self._folder = folder
        self._limits = limits

    def keep(self, prediction_id: str, upload: bytes) -> bool:
        """Write the copies of an upload; False where the disk does not take them."""
        try:
            image = decode(upload, fit=(_LONGEST_SIDE["picture"] // 2,) * 2, limits=self._limits)
            for size, longest_side in _LONGEST_SIDE.items():
                path = self._path(prediction_id, size)
                path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                staged = _staged(path)
                staged.write_bytes(shrink(image, longest_side))
                staged.rename(path)  # whoever copies the folder meanwhile gets all of it or nothing
        except OSError as error:
            log.error("picture_not_kept", reason=type(error).__name__)
            self.drop(prediction_id)
            return False
        return True

    def read(self, prediction_id: str, size: Size) -> bytes | None:
        """Give a copy as JPEG, or None where there is none."""
        try:
            return self._path(prediction_id, size).read_bytes()
        except OSError:
            return None

    def has(self, prediction_id: str) -> bool:
        """Tell whether a picture is kept."""
        return self._path(prediction_id, "picture").is_file()

    def drop(self, prediction_id: str) -> None:
        """Delete the copies; none there is no error."""
        for path in (self._path(prediction_id, size) for size in _LONGEST_SIDE):
            for file in (path, _staged(path)):
                with contextlib.suppress(OSError):
                    file.unlink()

    def _path(self, prediction_id: str, size: Size) -> Path:
        # The last two characters of the identifier are random, so the folders fill evenly.
        return self._folder / prediction_id[-2:] / f"{prediction_id}.{size}.jpg"


def _staged(path: Path) -> Path:
    return path.with_name(f".{path.name}")
