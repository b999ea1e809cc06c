"""Frozen networks that turn pictures into numbers to learn from, opened by digest."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from app.errors import InvalidPackage
from app.inference.runtimes.onnx_session import open_session

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

BACKBONES = Path(__file__).parents[2] / "models" / "backbones"

# Pictures a run: the wide early layers take about 10 MB each, and more at once is not faster on one thread.
_CHUNK = 4
# A name comes out of pickles and must not lead to another folder.
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")

_opened: dict[tuple[str, str], Backbone] = {}  # by name and digest
_opening = Lock()


@dataclass(frozen=True, slots=True)
class Backbone:
    """A network that is open in this process; `embed` may be called from several threads."""

    name: str
    sha256: str
    features: int
    session: InferenceSession

    def embed(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Give the embedding, shape (n, features), of RGB pictures of shape (n, height, width, 3), levels 0 to 255.

        A picture's embedding is the same, to the bit, whatever other pictures come with it.
        """
        if pixels.ndim != 4 or pixels.shape[3] != 3 or pixels.dtype != np.uint8:
            raise ValueError(f"A backbone takes uint8 (n, height, width, 3), not {pixels.dtype} {pixels.shape}.")
        result = np.empty((len(pixels), self.features), np.float32)
        for start in range(0, len(pixels), _CHUNK):
            part = slice(start, start + _CHUNK)
            (result[part],) = self.session.run(["embedding"], {"pixels": np.ascontiguousarray(pixels[part])})
        return result


def digest(name: str, folder: Path = BACKBONES) -> str:
    """Give the SHA-256 of the backbone of that name as it lies in `folder`, or raise InvalidPackage."""
    return hashlib.sha256(_read(name, folder)).hexdigest()


def open_backbone(name: str, sha256: str | None = None, folder: Path = BACKBONES) -> Backbone:
    """Open the backbone of that name, or raise InvalidPackage where it is missing or is not the one of that digest.

    There is one session a process and digest, shared by all who ask; asking again with a digest costs a look-up. Call it on
    first use, which is after the fork, not on import. Without a digest, the one that lies in `folder` is taken.
    """
    with _opening:  # taken for an opening, never for a prediction
        opened = _opened.get((name, sha256)) if sha256 else None
        return opened or _open(name, sha256, folder)


def _open(name: str, sha256: str | None, folder: Path) -> Backbone:
    graph = _read(name, folder)
    found = hashlib.sha256(graph).hexdigest()
    if sha256 not in (None, found):
        raise InvalidPackage(f"The backbone {name!r} is not the one asked for: its SHA-256 is {found}, not {sha256}.")
    if (name, found) not in _opened:
        session = open_session(graph)
        _opened[name, found] = Backbone(name, found, session.get_outputs()[0].shape[1], session)
    return _opened[name, found]


def _read(name: str, folder: Path) -> bytes:
    if not _NAME.fullmatch(name):
        raise InvalidPackage(f"{name!r} is not the name of a backbone.")
    try:
        return (folder / f"{name}.onnx").read_bytes()
    except OSError as error:
        raise InvalidPackage(f"There is no backbone {name!r}.") from error
