"""The repository of a machine that shares its models with others through a bucket: a folder that is brought up to an index.

Packages never change, so those in the folder are opened as any others. What changes is one small object, the index, which is
exchanged for the next only where nobody else was faster: of each change the store has all or nothing, however many machines
make one at the same time and whoever is killed meanwhile.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

import structlog

from app.errors import Overloaded, StoreUnavailable, VitrineError
from app.inference.durable import make_folder, taken
from app.inference.package import MANIFEST, Manifest, ModelPackage, valid_name, write_manifest
from app.inference.pointer import Pointer, Shadow
from app.services.model_copies import CopiedRepository
from app.services.model_index import Draft, DraftPointer, Index, Place, read_index, write_index
from app.storage.bucket import Bucket, ObjectChanged, Stored, Tag

_INDEX = "models/index.json"
_EMPTY = write_index(Index())
_NEVER_THERE, _ANOTHER = Tag(None, None), Tag('"0"', "1")
# Each time somebody else was faster, so this many machines at once are no trouble.
_TRIES = 20
# An upload that nobody has finished by then was killed.
_LEFT_BEHIND = timedelta(days=1)

_CARELESS = "The store takes no conditional writes, without which machines would undo each other's changes."
_GOES_ON = "This machine goes on with the models that it has."

_Answer = TypeVar("_Answer")

log = structlog.get_logger(__name__)


class SharedRepository(CopiedRepository):
    """Reads a folder of this machine, which one of its processes keeps up to the store; changes go to the store first."""

    def __init__(self, *, shipped: Path | None, own: Path, index: Bucket, packages: Bucket) -> None:
        super().__init__(shipped=shipped, own=own, packages=packages)
        self._index = index
        self._here = threading.local()
        self._proven = False
        self._tag: Tag | None = None
        self._lead: int | None = None
        self._looking: threading.Thread | None = None
        self._told: str | None = ""

    def activate(self, name: str, version: str) -> None:
        """Let a version answer from now on, on all machines."""
        self._tried(partial(super().activate, name, version))

    def rollback(self, name: str) -> str:
        """Let the version that was active before answer again, on all machines, and give it."""
        return self._tried(partial(super().rollback, name))

    def begin_shadow(self, name: str, version: str, share: float) -> None:
        """Let a version run beside the active one on all machines."""
        self._tried(partial(super().begin_shadow, name, version, share))

    def end_shadow(self, name: str, version: str | None = None) -> Shadow:
        """Let no version run beside the active one any more, and give the one that did."""
        return self._tried(partial(super().end_shadow, name, version))

    def remove(self, name: str, version: str) -> None:
        """Remove a version from the store and all machines for good."""
        self._tried(partial(super().remove, name, version))

    def publish(self, manifest: Manifest, files: Mapping[str, bytes]) -> ModelPackage:
        """Write the next version of a model: all of its files first, and nobody sees it before the index names it."""
        if not valid_name(manifest.name):
            return super().publish(manifest, files)  # which refuses it
        self._prove_conditions()
        self._read()  # a store that is away is noticed at once, and not by a package that takes its time
        folder = self._here.folder = uuid4().hex
        for file, content in files.items():
            self._packages.write(f"models/{manifest.name}/{folder}/{file}", content)
        return self._tried(partial(super().publish, manifest, files))

    def follow(self) -> None:
        """Have one process of this machine look whether the index has changed, in a thread that waits for the store."""
        if (self._looking is None or not self._looking.is_alive()) and self._leads():
            self._looking = threading.Thread(target=self._look, name="store-follower", daemon=True)
            self._looking.start()

    def refresh(self) -> str | None:
        """Bring the folder up to the store now, packages that somebody took away included.

        Give a sentence where that cannot be; raise StoreUnavailable where it never could, for nobody knows then what answers.
        """
        try:
            with super().changing():
                self._bring_up(self._read().content, anew=True)
        except (VitrineError, OSError) as error:
            if not self.is_fetched():
                raise StoreUnavailable(f"The models in the store cannot be fetched: {_told(error)}") from error
            return f"{_told(error)} {_GOES_ON}"
        return None

    def problem(self) -> str | None:
        """Give a sentence where the store is not followed."""
        if not self.is_fetched():
            return "The models in the store have not been fetched yet."
        try:
            return self._problem_file.read_text(encoding="utf-8")
        except OSError:
            return None

    def sweep(self) -> None:
        """Remove what killed processes left half done, here and in the store."""
        with contextlib.suppress(OSError, VitrineError):
            with super().changing(seconds=0):
                stored = self._read()
            if stored.tag == _NEVER_THERE:  # without an index nobody knows what is left behind
                return
            models = read_index(stored.content).models
            known = tuple(f"models/{name}/{at.folder}/" for name, kept in models.items() for at in kept.versions.values())
            until = datetime.now(UTC) - _LEFT_BEHIND
            self._packages.delete(
                key
                for key, written in self._packages.listed("models")
                if written < until and key != _INDEX and not key.startswith(known)
            )

    def _tried(self, change: Callable[[], _Answer]) -> _Answer:
        self._prove_conditions()
        for _ in range(_TRIES):
            with contextlib.suppress(ObjectChanged):
                return change()
        raise Overloaded("Other machines are changing the models; please try again in a moment.")

    @contextmanager
    def changing(self, seconds: float = 60.0) -> Iterator[None]:
        """Keep the others on this machine out, start from what the store has, and write what comes of it, or nothing."""
        with super().changing(seconds):
            before = self._read()
            with contextlib.suppress(StoreUnavailable):  # a version that cannot be fetched keeps nobody from changing others
                self._bring_up(before.content)
            draft = self._here.draft = Draft(read_index(before.content))
            try:
                yield
            finally:
                self._here.draft = None
            if draft.changed:
                content = write_index(draft.index)
                expected = None if before.tag == _NEVER_THERE else before.tag
                self._index.exchange(_INDEX, content, expected)
                self._finish(draft, content)

    def _finish(self, draft: Draft, content: bytes) -> None:
        # It is done: what fails from here on this machine makes up for, as the others do.
        with contextlib.suppress(OSError, VitrineError):
            for (name, version), files in draft.written.items():
                self._place(name, version, files)
            for (name, version), place in draft.dropped.items():
                gone = (MANIFEST, *self.package(name, version).manifest.digests)
                self._packages.delete(f"models/{name}/{place.folder}/{file}" for file in gone)
            self._bring_up(content)

    def _pointer(self, name: str) -> Pointer:
        draft: Draft | None = getattr(self._here, "draft", None)
        return super()._pointer(name) if draft is None else DraftPointer(draft, name)

    def _write(self, manifest: Manifest, files: Mapping[str, bytes]) -> ModelPackage:
        content, folder, draft = write_manifest(manifest), self._here.folder, self._here.draft
        self._packages.write(f"models/{manifest.name}/{folder}/{MANIFEST}", content)
        place = Place(folder, hashlib.sha256(content).hexdigest())
        draft.add(manifest.name, manifest.version, place, {**files, MANIFEST: content})
        return ModelPackage(self._own / manifest.name / manifest.version, manifest)

    def _take_away(self, name: str, version: str) -> None:
        self._here.draft.drop(name, version)

    def _read(self, unless: Tag | None = None) -> Stored:
        try:
            found = self._index.fetch(_INDEX, unless)
        except FileNotFoundError as error:
            if self._brought() not in (b"", _EMPTY):
                raise StoreUnavailable("The index of the models is gone from the store.") from error
            return Stored(_EMPTY, _NEVER_THERE)
        return found or Stored(self._brought(), unless or _NEVER_THERE)

    def _prove_conditions(self) -> None:
        """See once that the store refuses what is written under a condition that does not hold, or raise StoreUnavailable."""
        if self._proven:
            return
        key = f"models/{uuid4().hex}"
        self._index.exchange(key, b"", None)
        try:
            for wrong in (None, _ANOTHER):
                with contextlib.suppress(ObjectChanged):
                    self._index.exchange(key, b"", wrong)
                    raise StoreUnavailable(_CARELESS)
        finally:
            self._index.delete([key])
        self._proven = True

    def _leads(self) -> bool:
        """Tell whether this process is the one of this machine that follows; another takes over once it has ended."""
        if self._lead is not None:
            return True
        try:
            make_folder(self._own)
            lead = os.open(self._own / ".follower", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError:  # what cannot be written to cannot be brought up to anything
            return False
        if not taken(lead):
            os.close(lead)
            return False
        self._lead = lead
        weakref.finalize(self, os.close, lead)
        return True

    def _look(self) -> None:
        try:
            found = self._read(self._tag)
            if found.content != self._brought():
                with super().changing(seconds=0):
                    found = self._read()  # again: a command may have been at it, and what was read be older than what is here
                    self._bring_up(found.content)
            self._tag = found.tag
        except Overloaded:  # a command is changing something, and begins with what there is
            return
        except (VitrineError, OSError) as error:
            self._tell(f"{_told(error)} {_GOES_ON}")
        except Exception as error:
            log.error("models_not_followed", exc_info=error)
        else:
            self._tell(None)

    def _tell(self, problem: str | None) -> None:
        """Leave a sentence for whoever asks another process of this machine how it stands."""
        if problem == self._told:
            return
        with contextlib.suppress(OSError):
            if problem is None:
                self._problem_file.unlink(missing_ok=True)
            else:
                self._problem_file.write_text(problem, encoding="utf-8")
            self._told = problem

    @property
    def _problem_file(self) -> Path:
        return self._own / ".problem"


def _told(error: Exception) -> str:
    return str(error) if isinstance(error, VitrineError) else "What the store holds cannot be written to the data folder."
