"""Files of which every row is a line, or several where a cell holds a line break; standard output and input, too."""

from __future__ import annotations

import fcntl
import os
import stat
import sys
from collections.abc import Iterator, Sequence
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Protocol

from app.errors import InvalidRequest
from app.services.exchange.shapes import Key, Row, Shape
from app.services.exchange.store import BATCH, Batch, Placed

STANDARD = "-"


class Form(Protocol):
    """How rows are written as lines of bytes."""

    #: Whether a line break between quotation marks ends no row.
    quoted: bool

    def head(self, shape: Shape) -> bytes:
        """Give what stands before the first row."""
        ...

    def beginning(self, shape: Shape) -> bytes:
        """Give what every file of such rows begins with, by which one is known."""
        ...

    def lines(self, shape: Shape, rows: Sequence[Row]) -> bytes:
        """Give rows as lines."""
        ...

    def read(self, shape: Shape, lines: Iterator[bytes], name: str) -> Iterator[Placed]:
        """Give the rows of a file of that name, head included; raises InvalidRequest, which names the line."""
        ...


class LineTarget:
    """A new file, or one that this shape was written to before: it is gone on with after its last whole row.

    It may hold what people would not show everybody, so nobody else may read it.
    """

    def __init__(self, path: str, shape: Shape, form: Form) -> None:
        self._form, self._shape, self._name = form, shape, path
        self.last: Key | None = None
        self._file: BinaryIO = sys.stdout.buffer if path == STANDARD else self._opened(path)
        try:
            if path == STANDARD or not self._continued():
                self._write(form.head(shape))
        except InvalidRequest:
            self._file.close()
            raise

    def write(self, rows: Sequence[Row]) -> None:
        """Add rows, and hand them to the system."""
        self._write(self._form.lines(self._shape, rows))

    def close(self) -> None:
        """Close the file once the disk has it."""
        if self._name != STANDARD:
            os.fsync(self._file.fileno())
            self._file.close()

    def _write(self, content: bytes) -> None:
        try:
            self._file.write(content)
            self._file.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            raise InvalidRequest(f"{self._name} cannot be written to: {error.strerror}.") from error

    def _opened(self, path: str) -> BinaryIO:
        try:
            file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b")
        except OSError as error:
            raise InvalidRequest(f"{path} cannot be opened: {error.strerror}.") from error
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            file.close()
            raise InvalidRequest(f"{path} is no file; for standard output say -.")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            file.close()
            raise InvalidRequest(f"Another command is writing to {path}: wait for it.") from error
        return file

    def _continued(self) -> bool:
        """Cut off what a killed process left half written, and tell whether anything is there before it."""
        head, beginning = self._form.head(self._shape), self._form.beginning(self._shape)
        self._file.seek(0)
        begun = self._file.read(len(beginning))
        if not beginning.startswith(begun):
            raise self._another()
        start, end = self._last_whole(len(head)) if begun == beginning else (0, 0)
        self._file.seek(start)
        self.last = self._key_of(self._file.read(end - start))
        self._file.seek(end)
        self._file.truncate()
        return begun == beginning

    def _key_of(self, row: bytes) -> Key | None:
        lines = BytesIO(self._form.head(self._shape) + row)
        try:
            (placed,) = self._form.read(self._shape, lines, self._name) if row else (None,)
        except (InvalidRequest, ValueError) as error:
            raise self._another() from error
        return placed and placed.row[self._shape.key]

    def _another(self) -> InvalidRequest:
        return InvalidRequest(f"{self._name} is there and holds something else: name another file.")

    def _last_whole(self, position: int) -> tuple[int, int]:
        """Give where the last whole row begins and ends."""
        start = end = position
        between = False
        self._file.seek(position)
        for line in self._file:
            position += len(line)
            between ^= self._form.quoted and line.count(b'"') % 2 == 1
            if not between and line.endswith(b"\n"):
                start, end = end, position
        return start, end


class LineSource:
    """A file of rows, or standard input."""

    def __init__(self, path: str, shape: Shape, form: Form) -> None:
        self._name = "standard input" if path == STANDARD else path
        self._shape, self._form = shape, form
        try:
            self._file: BinaryIO = sys.stdin.buffer if path == STANDARD else Path(path).open("rb")  # noqa: SIM115 - until it is closed
            status = os.fstat(self._file.fileno()) if path != STANDARD else None
        except OSError as error:
            raise InvalidRequest(f"{path} cannot be read: {error.strerror}.") from error
        self.length = status.st_size if status and stat.S_ISREG(status.st_mode) else 0
        self._read = 0

    def batches(self) -> Iterator[Batch]:
        """Give all rows, some at a time, measured in bytes."""
        rows, done = self._form.read(self._shape, self._lines(), self._name), 0
        while some := list(islice(rows, BATCH)):
            yield Batch(some, self._read - done)
            done = self._read

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _lines(self) -> Iterator[bytes]:
        for number, line in enumerate(self._file, 1):
            if not line.endswith(b"\n"):
                raise refused(number, self._name, "it has no end, as if the file were cut off")
            self._read += len(line)
            yield line


def refused(number: int, name: str, why: object) -> InvalidRequest:
    """Give what is said of a line that is not taken."""
    return InvalidRequest(f"Line {number} of {name} is not taken: {why}.")
