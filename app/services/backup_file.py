"""The one file that a backup is: a tar of plain files, and a manifest with the digest of each."""

from __future__ import annotations

import hashlib
import json
import os
import re
import tarfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any, Protocol

from app.errors import InvalidBackup

FORM = 1
DATABASE, KEY, MANIFEST = "vitrine.db", "secret_key", "manifest.json"
_PLACES = re.compile(r"vitrine\.db|secret_key|(?:models|pictures)/.+", re.DOTALL)
_AT_ONCE = 1 << 20
_NO_BACKUP = "That file is no backup of Vitrine's, or not a whole one."

Progress = Callable[[int], None]


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Content:
    """What a file of a backup holds: how many bytes, and their SHA-256."""

    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup says of itself: when it was taken, of which schema, by which Vitrine, and every file in it.

    `key` tells one secret key from another, where it is not in the backup; nobody can tell the key from it.
    """

    taken_at: str
    version: str
    revision: str
    key: str
    files: Mapping[str, Content]
    form: int = FORM


def mark_of(key: str) -> str:
    """Give what tells a secret key from another, and nothing of the key itself."""
    return hashlib.sha256(b"vitrine: which secret key\n" + key.encode()).hexdigest()


class BackupWriter:
    """Adds files to a new backup, one after the other."""

    def __init__(self, file: Path, progress: Progress) -> None:
        self._tar = tarfile.open(file, "w", format=tarfile.PAX_FORMAT)  # noqa: SIM115 - closed by close
        self._progress = progress
        self.files: dict[str, Content] = {}

    def add(self, name: str, source: Path) -> bool:
        """Add a file as it is at this moment; False where it is not there any more."""
        try:
            opened = source.open("rb")
        except FileNotFoundError:
            return False
        with opened:
            found = os.fstat(opened.fileno())
            reader = _Hashing(opened, self._progress)
            self._add(name, found.st_size, int(found.st_mtime), reader)
        self.files[name] = Content(found.st_size, reader.digest)
        return True

    def finish(self, *, taken_at: str, version: str, revision: str, key: str) -> Manifest:
        """Add the manifest, the last of all files, and give it."""
        manifest = Manifest(taken_at, version, revision, key, self.files)
        content = json.dumps(asdict(manifest), indent=1).encode()
        self._add(MANIFEST, len(content), 0, _Bytes(content))
        return manifest

    def close(self) -> None:
        """Write what is still in memory, and let go of the file."""
        self._tar.close()

    def _add(self, name: str, size: int, changed: int, content: _Readable) -> None:
        member = tarfile.TarInfo(name)
        member.size, member.mtime, member.mode = size, changed, 0o600
        self._tar.addfile(member, content)  # type: ignore[arg-type] # it only reads
        self._tar.members.clear()  # type: ignore[attr-defined] # it would remember hundreds of thousands


class BackupReader:
    """Reads a backup that anybody may have made: no name in it leads out of the folder, and nothing in it is a link."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.manifest = self._read_manifest()

    @property
    def size(self) -> int:
        """How many bytes its files have."""
        return sum(content.size for content in self.manifest.files.values())

    def unpack(self, folder: Path, progress: Progress) -> None:
        """Write all files into an empty folder; raise InvalidBackup where one is missing, damaged, or not in the manifest."""
        missing = dict(self.manifest.files)
        with _opened(self._file) as tar:
            for member in _members(tar):
                if member.name == MANIFEST:
                    continue
                expected = missing.pop(member.name, None)
                if expected is None:
                    raise InvalidBackup(f"{member.name!r} in that backup is not in its manifest, or there twice.")
                reader = _Hashing(_content(tar, member), progress)
                _write(folder, member.name, reader)
                if Content(member.size, reader.digest) != expected:
                    raise InvalidBackup(f"{member.name!r} in that backup is damaged: it is not what it was.")
        if missing:
            raise InvalidBackup(f"{next(iter(missing))!r} is missing from that backup.")

    def _read_manifest(self) -> Manifest:
        with _opened(self._file) as tar:
            for member in _members(tar):
                if member.name == MANIFEST:
                    return _manifest(_content(tar, member).read())
        raise InvalidBackup(_NO_BACKUP)


@contextmanager
def _opened(file: Path) -> Iterator[tarfile.TarFile]:
    try:
        with tarfile.open(file, "r:") as tar:
            yield tar
    except FileNotFoundError as error:
        raise InvalidBackup(f"There is no file {file}.") from error
    except (tarfile.TarError, ValueError, EOFError) as error:
        raise InvalidBackup(_NO_BACKUP) from error


def _members(tar: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    while (member := tar.next()) is not None:
        _check(member)
        yield member
        tar.members.clear()  # type: ignore[attr-defined] # it would remember hundreds of thousands


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    content = tar.extractfile(member)
    assert content is not None  # noqa: S101 - it is a plain file
    return content


class _Hashing:
    """Reads, and has read to the end knows the digest."""

    def __init__(self, content: IO[bytes], progress: Progress) -> None:
        self._content = content
        self._hash = hashlib.sha256()
        self._progress = progress

    def read(self, size: int, /) -> bytes:
        piece = self._content.read(size)
        self._hash.update(piece)
        self._progress(len(piece))
        return piece

    @property
    def digest(self) -> str:
        return self._hash.hexdigest()


class _Bytes:
    def __init__(self, content: bytes) -> None:
        self._content = content

    def read(self, size: int, /) -> bytes:
        piece, self._content = self._content[:size], self._content[size:]
        return piece


def _check(member: tarfile.TarInfo) -> None:
    # Sparse files pretend to hold more than the archive does.
    plain = member.type in (tarfile.REGTYPE, tarfile.AREGTYPE) and member.sparse is None
    parts = member.name.split("/")
    safe = "\0" not in member.name and not any(part in ("", ".", "..") for part in parts)
    if not plain or not safe or not (member.name == MANIFEST or _PLACES.fullmatch(member.name)):
        raise InvalidBackup(f"{member.name!r} in that file is nothing that a backup of Vitrine's holds.")


def _manifest(content: bytes) -> Manifest:
    try:
        given: dict[str, Any] = json.loads(content)
        if given["form"] > FORM:
            raise InvalidBackup("That backup was made by a newer Vitrine: restore it with that one.")
        files = {str(name): Content(int(found["size"]), str(found["sha256"])) for name, found in given["files"].items()}
        if DATABASE not in files:
            raise InvalidBackup(_NO_BACKUP)
        words = [str(given[name]) for name in ("taken_at", "version", "revision", "key")]
        return Manifest(words[0], words[1], words[2], words[3], files)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidBackup(_NO_BACKUP) from error


def _write(folder: Path, name: str, content: _Readable) -> None:
    path = folder.joinpath(*name.split("/"))
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # New, and never through a link: what is written to is what was made here.
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        while piece := content.read(_AT_ONCE):
            file.write(piece)
