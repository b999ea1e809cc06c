"""Bodies on their way in, gathered before a thread is given to their request: in memory, and larger ones in a file."""

from __future__ import annotations

import io
import os
import re
import tempfile
from typing import BinaryIO

from gunicorn.http.body import Body, ChunkedReader, LengthReader
from gunicorn.http.message import Request
from gunicorn.http.unreader import Unreader

_IN_MEMORY = 262_144
_RESERVED = 1_048_576
_PIECE = 65_536
_LONGEST_LINE = 8_192
# Chunks are parsed one by one: a body of crumbs costs a hundred times what it brings.
_CRUMBS, _CRUMB = 4_096, 256
_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\r\n]*)?\r\n")


class AbsurdChunks(Exception):
    """A body comes in so many chunks that to read it would cost more than it can be worth."""


class Arriving:
    """A request's body, of which some has arrived; `whole` once no more of it is to be waited for.

    Of more than `most` bytes nothing is kept, for whoever reads the length refuses it. Up to twice as many are waited for, so
    that a client that is still sending can be told.
    """

    def __init__(self, request: Request, most: int) -> None:
        reader = request.body.reader
        self.length: int | None = reader.length if isinstance(reader, LengthReader) else None
        self.whole = self.length == 0
        self._request = request
        self._most = most
        self.count = 0
        self._kept = self.length is None or self.length <= most
        self._chunks = _Chunks() if self.length is None else None
        self._store = _Store()
        if self.length is not None and self.length > (most if request._expected_100_continue else 2 * most):
            self._break_off()  # of a client that waits to be told, nothing need be read

    @property
    def held(self) -> int:
        """How many bytes of it are kept."""
        return self._store.size

    @property
    def wanted(self) -> int:
        """How many bytes may be received at once."""
        return _PIECE if self.length is None else min(self.length - self.count, 16 * _PIECE)

    def add(self, content: bytes) -> bytes:
        """Take what has arrived, where nothing tells the end, and give back what comes after the body."""
        if self.whole:  # of a body that nobody reads
            return b""
        if not content:  # nobody sends any more
            self._break_off()
            return b""
        if self._chunks is not None:
            end = self._chunks.end_in(content)
            self.whole = end is not None
            content, rest = content[:end], b"" if end is None else content[end:]
        else:
            end = (self.length or 0) - self.count
            content, rest = content[:end], content[end:]
            self.whole = len(content) == end
        self.count += len(content)
        if self._kept:
            self._store.add(content)
        if self._chunks is not None and self.count > self._most:
            self._break_off()
        return rest

    def give(self) -> None:
        """Let the request be read from here."""
        file = self._store.opened()
        self._request.body = file if self._chunks is None else Body(ChunkedReader(self._request, _FileUnreader(file)))

    def _break_off(self) -> None:
        self.whole = True
        self._request.force_close()


class _Store:
    """Bytes in memory, and from a certain size on in a file without a name, where there is room for one."""

    def __init__(self) -> None:
        self.size = 0
        self._file: BinaryIO = io.BytesIO()
        self._reserved = _IN_MEMORY

    def add(self, content: bytes) -> None:
        if self.size + len(content) > self._reserved:
            self._reserve(self.size + len(content))
        self._file.write(content)
        self.size += len(content)

    def opened(self) -> BinaryIO:
        self._file.truncate(self.size)
        self._file.seek(0)
        return self._file

    def _reserve(self, size: int) -> None:
        # Reserved first: a write into a full disk would fail half-way, and what had arrived would be lost.
        before, after = self._file, size + _RESERVED
        try:
            if self._reserved == _IN_MEMORY:
                self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the request
                self._file.write(before.getvalue() if isinstance(before, io.BytesIO) else b"")
            os.posix_fallocate(self._file.fileno(), 0, after)
            self._reserved = after
        except OSError:
            if self._file is not before:
                self._file.close()
            self._back_to_memory(before)

    def _back_to_memory(self, before: BinaryIO) -> None:
        self._reserved = 1 << 62
        if not isinstance(before, io.BytesIO):
            before.seek(0)
            content = before.read(self.size)
            before.close()
            before = io.BytesIO()
            before.write(content)
        self._file = before


class _Chunks:
    """Finds the end of a chunked body, and nothing else: whoever reads it checks it."""

    def __init__(self) -> None:
        self._data = 0
        self._line = b""
        self._closing = self._trailing = False
        self._seen = self._lines = 0

    def end_in(self, content: bytes) -> int | None:
        """Give where the body ends in what has arrived, or is so broken that nothing more is worth waiting for."""
        at = 0
        while True:
            skipped = min(self._data, len(content) - at)
            self._data -= skipped
            at += skipped
            if self._data or at == len(content):
                self._go_on(len(content))
                return None
            end = content.find(b"\n", at) + 1
            line = self._line + content[at : end or None]
            if not end:
                self._line = line
                self._go_on(len(content))
                return len(content) if len(line) > (1 if self._closing else _LONGEST_LINE) else None
            self._line, at = b"", end
            if self._is_last(line):
                return at

    def _is_last(self, line: bytes) -> bool:
        self._lines += 1
        if self._closing or self._trailing:
            self._closing = False
            # Between chunks an empty line is what must be there; after the last one it is the end.
            return (line == b"\r\n") == self._trailing or not line.endswith(b"\r\n")
        size = _SIZE.fullmatch(line)
        if size is None:
            return True
        self._data = int(size[1], 16)
        self._closing, self._trailing = self._data > 0, self._data == 0
        return False

    def _go_on(self, count: int) -> None:
        self._seen += count
        if self._lines > _CRUMBS + self._seen // _CRUMB:
            raise AbsurdChunks


class _FileUnreader(Unreader):  # type: ignore[misc] # Gunicorn has no types
    """Lets Gunicorn parse chunks that have arrived, piece by piece as from a socket."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__()
        self._file = file

    def chunk(self, _size_hint: int | None = None) -> bytes:
        return self._file.read(_PIECE // 8)
