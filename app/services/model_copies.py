"""The packages of a store in a folder of this machine: fetched once, verified, and opened as any others."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

import structlog

from app.errors import InvalidPackage, StoreUnavailable, VitrineError
from app.inference.durable import make_folder, replace_durably
from app.inference.package import MANIFEST, read_manifest
from app.inference.pointer import Pointer
from app.inference.repository import Repository
from app.services.model_index import Index, Kept, Place, read_index
from app.storage.bucket import Bucket

# What could not be fetched is not asked for again at each look.
_FETCH_AGAIN_SECONDS = 20.0
_BROUGHT = "index.json"

log = structlog.get_logger(__name__)


class CopiedRepository(Repository):
    """A repository whose folder is brought up to an index; each of its steps leaves models that can be answered with."""

    def __init__(self, *, shipped: Path | None, own: Path, packages: Bucket) -> None:
        super().__init__(shipped=shipped, own=own)
        self._packages = packages
        self._failed: dict[str, float] = {}

    def is_fetched(self) -> bool:
        """Tell whether this machine has had all that the store held, at some time."""
        return (self._own / _BROUGHT).is_file()

    def _brought(self) -> bytes:
        """Give the index that the folder was last brought up to; nothing where it never was."""
        try:
            return (self._own / _BROUGHT).read_bytes()
        except OSError:
            return b""

    def _bring_up(self, content: bytes, *, anew: bool = False) -> None:
        """Bring the folder up to an index; whoever calls keeps others out. What fails of one model keeps no other back.

        With `anew` it is looked for everything, as if the folder had not been brought up to this index before.
        """
        if content == self._brought() and not anew:
            return
        index, failed = read_index(content), ""
        # Those first for which nothing is to be fetched: nobody waits for another model's package.
        for name in sorted(index.models, key=lambda name: self._lacking(name, index.models[name])):
            try:
                self._bring_up_model(name, index.models[name])
            except (VitrineError, OSError) as error:
                log.error("model_not_fetched", model=name, reason=str(error))
                failed = failed or f"{name} could not be fetched from the store: {_told(error)}"
        self._drop_others(index)
        if failed:
            raise StoreUnavailable(failed)
        make_folder(self._own)
        replace_durably(self._own / _BROUGHT, content)

    def _bring_up_model(self, name: str, kept: Kept) -> None:
        # The active version, the pointer to it, the others: a new version answers for no moment by being the newest.
        for version in kept.active[:1]:
            if version in kept.versions:
                self._fetch(name, version, kept.versions[version])
        self._point(name, kept)
        for version, place in kept.versions.items():
            self._fetch(name, version, place)
        for version in self._copied(name) - kept.versions.keys():
            Repository._take_away(self, name, version)

    def _point(self, name: str, kept: Kept) -> None:
        pointer = Pointer(self._own / name)
        pointer.reserve(kept.highest)
        if pointer.activations() != list(kept.active):
            pointer.write(list(kept.active))
        if pointer.shadow() != kept.shadow:
            pointer.write_shadow(kept.shadow)

    def _fetch(self, name: str, version: str, place: Place) -> None:
        if self._has(name, version, place):
            return
        now = time.monotonic()
        if now < self._failed.get(place.folder, now):
            raise StoreUnavailable(f"version {version} failed a moment ago.")
        self._failed[place.folder] = now + _FETCH_AGAIN_SECONDS
        files = self._verified(name, version, place)
        if version in self._copied(name):
            Repository._take_away(self, name, version)
        self._place(name, version, files)
        self._failed.pop(place.folder, None)

    def _verified(self, name: str, version: str, place: Place) -> Mapping[str, bytes]:
        """Give the files of a version as its manifest pins them, which the index pins, or raise InvalidPackage."""
        at = f"models/{name}/{place.folder}/"
        files = {MANIFEST: self._pinned(at + MANIFEST, place.manifest)}
        manifest = read_manifest(files[MANIFEST])
        if (manifest.name, manifest.version) != (name, version):
            raise InvalidPackage(f"the {MANIFEST} of version {version} is of another model.")
        for file, digest in manifest.digests.items():
            if PurePosixPath(file).is_absolute() or ".." in PurePosixPath(file).parts:
                raise InvalidPackage(f"the {MANIFEST} of version {version} names files outside its folder.")
            files[file] = self._pinned(at + file, digest)
        return files

    def _pinned(self, key: str, digest: str) -> bytes:
        content = self._packages.read(key)
        if hashlib.sha256(content).hexdigest() != digest:
            raise InvalidPackage(f"{key} is not the file that is pinned.")
        return content

    def _has(self, name: str, version: str, place: Place) -> bool:
        try:
            content = (self._own / name / version / MANIFEST).read_bytes()
        except OSError:
            return False
        return hashlib.sha256(content).hexdigest() == place.manifest

    def _lacking(self, name: str, kept: Kept) -> int:
        return sum(not self._has(name, version, place) for version, place in kept.versions.items())

    def _drop_others(self, index: Index) -> None:
        """Take away the copies of models that the store has no more."""
        for name in [entry.name for entry in self._own.glob("*") if entry.is_dir()]:
            for version in self._copied(name) if name not in index.models else ():
                Repository._take_away(self, name, version)

    def _copied(self, name: str) -> set[str]:
        return {entry.name for entry in (self._own / name).glob("[0-9]*") if entry.is_dir()}


def _told(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "a file of it is not there."
    return str(error) if isinstance(error, VitrineError) else "it cannot be written to the data folder."
