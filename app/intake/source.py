"""What kind of model file somebody gave, told by its bytes and never by its name."""

from __future__ import annotations

import bz2
import hashlib
import lzma
import stat
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

from app.errors import InvalidModel, InvalidRequest

Format = Literal["pickle", "skops", "onnx"]

_LARGEST_FILE = 2_000_000_000
_LARGEST_MLMODEL = 1_000_000
_LARGEST_BODY = 2_000_000_000
# Numbers of trained models shrink to a third, seldom to a tenth: what grows two hundredfold is no model.
_LARGEST_RATIO, _ALWAYS_ALLOWED = 200, 64_000_000
_STEP = 1 << 20
_DAMAGED = "The compressed file is damaged or ends too early."


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A model file: its bytes as they were given, and `body`, which is those bytes without joblib's compression."""

    name: str
    format: Format
    content: bytes
    body: bytes

    @property
    def sha256(self) -> str:
        """The digest of the file as it was given."""
        return hashlib.sha256(self.content).hexdigest()


def read_source(path: Path) -> SourceFile:
    """Read a model file, or the one that an MLflow folder names; raises InvalidRequest or InvalidModel."""
    if path.is_dir():
        path = _of_mlflow(path)
    return recognise(path.name, _content(path, most=_LARGEST_FILE))


def _content(path: Path, *, most: int) -> bytes:
    try:
        found = path.stat()
        # A device or a pipe has no size and perhaps no end.
        if not stat.S_ISREG(found.st_mode):
            raise InvalidRequest(f"{path} is no file.")
        if found.st_size > most:
            raise InvalidRequest(f"{path.name} has {found.st_size:,} bytes; it may have {most:,}.")
        return path.read_bytes()
    except OSError as error:
        raise InvalidRequest(f"{path} cannot be opened ({error.strerror}).") from error


def recognise(name: str, content: bytes) -> SourceFile:
    """Tell what kind of file this is; raises InvalidModel where it is none that is known."""
    if content.startswith(b"PK\x03\x04"):
        return SourceFile(name, "skops", content, content)
    body = _decompressed(content)
    if _is_pickle(body):
        return SourceFile(name, "pickle", content, body)
    # The first field of an ONNX model is its version, a small number.
    if content[:1] == b"\x08" and len(content) > 1 and content[1] < 64:
        return SourceFile(name, "onnx", content, content)
    raise InvalidModel(f"{name} is no model file that we know: give a pickle, a joblib file, a skops archive or an ONNX graph.")


def _is_pickle(body: bytes) -> bool:
    # From protocol 2 on a pickle says so; older ones begin by naming or marking something, and all end with a full stop.
    return body[:1] == b"\x80" or (body[:1] in b"c(]}lid" and bool(body) and body.rstrip()[-1:] == b".")


def _decompressed(content: bytes) -> bytes:
    known: tuple[tuple[bytes, Callable[[], Any]], ...] = (
        (b"\x1f\x8b", lambda: zlib.decompressobj(wbits=31)),
        (b"\x78", zlib.decompressobj),
        (b"BZh", bz2.BZ2Decompressor),
        (b"\xfd7zXZ\x00", lzma.LZMADecompressor),
        (b"\x5d\x00\x00", lzma.LZMADecompressor),
    )
    for magic, opened in known:
        if content.startswith(magic):
            return _expand(content, opened())
    if content.startswith(b"\x04\x22\x4d\x18"):
        raise InvalidModel("The file is compressed with LZ4: save it again with joblib.dump(model, file, compress=3).")
    return content


def _expand(content: bytes, decompressor: Any) -> bytes:
    most = min(_LARGEST_BODY, _LARGEST_RATIO * len(content) + _ALWAYS_ALLOWED)
    parts: list[bytes] = []
    size = 0
    try:
        waiting = content
        while not decompressor.eof:
            part = decompressor.decompress(waiting, _STEP)
            # zlib keeps what it did not get to apart, the others inside; both give nothing when nothing is left.
            waiting = getattr(decompressor, "unconsumed_tail", b"")
            if not part and not waiting:
                raise InvalidModel(_DAMAGED)
            parts.append(part)
            size += len(part)
            if size > most:
                raise InvalidModel(f"The compressed file grows to more than {most:,} bytes, which no trained model does.")
    except (zlib.error, OSError, EOFError, lzma.LZMAError, ValueError) as error:
        raise InvalidModel(_DAMAGED) from error
    return b"".join(parts)


def _of_mlflow(folder: Path) -> Path:
    """Give the model file of an MLflow folder; nothing of the folder is run or imported."""
    if not (folder / "MLmodel").exists():
        raise InvalidRequest(f"{folder} is a folder without an MLmodel file: give the model file itself.")
    text = _content(folder / "MLmodel", most=_LARGEST_MLMODEL)
    try:
        named = Path(str(yaml.safe_load(text)["flavors"]["sklearn"]["pickled_model"]))
    except (ValueError, yaml.YAMLError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise InvalidRequest(f"The MLmodel file in {folder} describes no scikit-learn model.") from error
    if named.name != str(named) or named.name in ("", "..") or "\0" in named.name:
        raise InvalidRequest(f"The MLmodel file in {folder} names a model outside the folder.")
    return folder / named
