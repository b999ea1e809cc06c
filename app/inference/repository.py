"""All model packages of two roots: names, versions, and which version is active."""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from app.errors import InvalidPackage, InvalidRequest, ModelNotFound, Overloaded, VersionKept, VitrineError
from app.inference.durable import make_folder, settle, settle_tree, taken, write_durably
from app.inference.package import MANIFEST, Manifest, ModelPackage, valid_name, write_manifest
from app.inference.pointer import LEFTOVERS, Pointer, Shadow

# A publication writes and syncs a model file of some hundred megabytes at most.
_LOCK_SECONDS = 60.0

# Of every file its name, inode, size and the time of its last change, which no program can set back.
Fingerprint = tuple[tuple[str, int, int, int], ...]


class Repository:
    """The packages shipped with the project (read only) and those added here; versions of one name are counted across both."""

    def __init__(self, *, shipped: Path | None, own: Path) -> None:
        self._own = own
        self._roots = (own,) if shipped is None else (own, shipped)

    @property
    def own(self) -> Path:
        """The folder of the packages that were added here."""
        return self._own

    def names(self) -> list[str]:
        """Give every model that has at least one version, sorted."""
        names = {entry.name for root in self._roots for entry in _folders(root) if valid_name(entry.name)}
        return sorted(name for name in names if self._is_model(name))

    def versions(self, name: str) -> list[str]:
        """Give the versions of a model, oldest first; none where there is no such model."""
        return [entry for entry in self._numbers(name) if self._root_of(name, entry) is not None]

    def active_version(self, name: str) -> str:
        """Give the version that answers when none is named: the latest activated one that is there, else the newest."""
        versions = self.versions(name)
        if not versions:
            raise ModelNotFound(f"There is no model called {name!r}.")
        return next((version for version in self.activations(name) if version in versions), versions[-1])

    def activations(self, name: str) -> list[str]:
        """Give what was activated, the latest first, whether it is still there or not."""
        return self._pointer(name).activations() if valid_name(name) else []

    def package(self, name: str, version: str | None = None) -> ModelPackage:
        """Read the manifest of a version, the active one where none is named; raise ModelNotFound or InvalidPackage."""
        chosen = self.active_version(name) if version is None else version
        self._demand(name, chosen)
        root = self._root_of(name, chosen)
        if root is None:  # removed since
            raise _not_there(name, chosen)
        return ModelPackage.read(root / name / chosen)

    def fingerprint(self, name: str, version: str) -> Fingerprint:
        """Give what differs once a file beside the manifest does, without reading any; empty where the version is gone."""
        root = self._root_of(name, version) if valid_name(name) and version.isdigit() else None
        try:
            files = [] if root is None else [(file.name, file.stat()) for file in (root / name / version).iterdir()]
        except OSError:
            return ()
        return tuple(sorted((file, found.st_ino, found.st_size, found.st_ctime_ns) for file, found in files))

    def activate(self, name: str, version: str) -> None:
        """Let a version answer from now on; whoever looks sees the old or the new one, never neither."""
        self._demand(name, version)
        with self.changing():
            self._demand(name, version)
            before = self.active_version(name)
            if version != before:
                self._leave_shadow(name, version)
                self._pointer(name).write([version, before, *self._before(name)])
            elif version not in self.activations(name)[:1]:
                self._pointer(name).write([version, *self._before(name)])

    def rollback(self, name: str) -> str:
        """Let the version that was active before answer again, and give it; called again, it goes back one more.

        What is left this way is not among those that a further call goes back to: name it to activate it again.
        """
        with self.changing():
            active, before = self.active_version(name), self._before(name)
            if not before:
                raise ModelNotFound(f"No version of {name!r} was active before {active!r}: name the one to activate.")
            self._leave_shadow(name, before[0])
            self._pointer(name).write(before)
            return before[0]

    def shadow(self, name: str) -> Shadow | None:
        """Give the version that runs beside the active one without answering; None where none does, or it is gone."""
        found = self._pointer(name).shadow() if valid_name(name) else None
        stands = found is not None and found.version in self.versions(name) and found.version != self.active_version(name)
        return found if stands else None

    def begin_shadow(self, name: str, version: str, share: float) -> None:
        """Let a version run beside the active one on a share of its pictures, in place of any other that does.

        Raise ModelNotFound where it is not there, InvalidRequest where it is the active one or this is no share.
        """
        if not 0 < share <= 1:
            raise InvalidRequest("The share of the pictures must be more than 0 and at most 1.")
        self._demand(name, version)
        with self.changing():
            self._demand(name, version)
            if version == self.active_version(name):
                raise InvalidRequest(f"Version {version!r} of {name!r} is the active one, so it cannot be its own shadow.")
            self._pointer(name).write_shadow(Shadow(version, share))

    def end_shadow(self, name: str, version: str | None = None) -> Shadow:
        """Let no version run beside the active one any more, and give the one that did.

        Raise ModelNotFound where there is no such model, InvalidRequest where none runs, or another than the one named.
        """
        self.active_version(name)
        with self.changing():
            ended = self.shadow(name)
            if ended is None or version not in (None, ended.version):
                which = "No version" if version is None else f"Version {version!r}"
                raise InvalidRequest(f"{which} of {name!r} runs in the shadow{'' if version is None else ' no more'}.")
            self._pointer(name).write_shadow(None)
            return ended

    def remove(self, name: str, version: str) -> None:
        """Remove a version for good: its number is never given again, and whoever has it open goes on with it.

        Raise ModelNotFound where it is not there, VersionKept where it is the active one or came with the project.
        """
        self._demand(name, version)
        with self.changing():
            self._demand(name, version)
            if self._root_of(name, version) != self._own:
                raise VersionKept(f"Version {version!r} of {name!r} stays, since it comes with Vitrine: activate another one.")
            if version == self.active_version(name):
                raise VersionKept(f"Version {version!r} of {name!r} stays, since it is active: activate another one first.")
            self._leave_shadow(name, version)
            self._pointer(name).reserve(self._highest(name))
            self._take_away(name, version)

    def publish(self, manifest: Manifest, files: Mapping[str, bytes]) -> ModelPackage:
        """Write the next version of a model: whole, also after a power cut, or not at all.

        The version and the digests of all files are filled in here. The first version of a name becomes active by being the
        only one; a later one waits for `activate`, so the pointer is fixed on what answered before.
        """
        if not valid_name(manifest.name):
            raise InvalidPackage(f"A model cannot be called {manifest.name!r}: use lower-case letters, digits and dashes.")
        with self.changing():
            if self.versions(manifest.name) and not self.activations(manifest.name):
                self._pointer(manifest.name).write([self.active_version(manifest.name)])
            version = str(self._highest(manifest.name) + 1)
            digests = {name: hashlib.sha256(content).hexdigest() for name, content in sorted(files.items())}
            complete = replace(manifest, version=version, digests=digests)
            return self._write(complete, files)

    def sweep(self) -> None:
        """Remove what killed processes left half done; whoever is changing something now does that anyway."""
        # A folder that is not there or may not be written to has nothing to sweep, and stops no start.
        with contextlib.suppress(OSError, VitrineError):
            if self._own.is_dir():
                with self.changing(seconds=0):
                    pass

    def follow(self) -> None:
        """Have what other machines have changed brought here; where they share this very folder there is nothing to do."""

    def refresh(self) -> str | None:
        """Bring it here now, and give a sentence where that cannot be; raise StoreUnavailable where it never could."""
        return None

    def problem(self) -> str | None:
        """Give a sentence where what other machines change is not followed."""
        return None

    def _write(self, manifest: Manifest, files: Mapping[str, bytes]) -> ModelPackage:
        self._place(manifest.name, manifest.version, {**files, MANIFEST: write_manifest(manifest)})
        return ModelPackage(self._own / manifest.name / manifest.version, manifest)

    def _place(self, model: str, version: str, files: Mapping[str, bytes]) -> None:
        """Write a version whose number is free: whole, also after a power cut, or not at all."""
        folder = self._own / model
        make_folder(folder)
        staging = Path(tempfile.mkdtemp(dir=folder, prefix=".staging-"))
        try:
            for name, content in files.items():
                path = staging / name
                path.parent.mkdir(parents=True, exist_ok=True)
                write_durably(path, content)
            staging.chmod(0o755)
            settle_tree(staging)
            Pointer(folder).reserve(int(version))
            staging.rename(folder / version)
        except BaseException:
            shutil.rmtree(staging, ignore_errors=True)
            raise
        settle(folder)

    def _take_away(self, name: str, version: str) -> None:
        folder = self._own / name
        removed = folder / f".removed-{version}"
        (folder / version).rename(removed)
        settle(folder)
        shutil.rmtree(removed, ignore_errors=True)

    def _demand(self, name: str, version: str) -> None:
        if version not in self.versions(name):
            raise _not_there(name, version)

    def _is_model(self, name: str) -> bool:
        try:
            return any(self._root_of(name, number) is not None for number in self._numbers(name))
        except InvalidPackage:  # it cannot be read now: to leave it out would hide that
            return True

    def _before(self, name: str) -> list[str]:
        """Give what was active before the active version and is still there, the latest first."""
        versions, active = self.versions(name), self.active_version(name)
        there = [version for version in self.activations(name) if version in versions]
        while there and there[0] == active:
            there = there[1:]
        return there

    def _leave_shadow(self, name: str, version: str) -> None:
        """Let a version that is about to answer, or to go, run in no shadow: whoever is killed then leaves none behind."""
        found = self._pointer(name).shadow()
        if found is not None and found.version == version:
            self._pointer(name).write_shadow(None)

    def _numbers(self, name: str) -> list[str]:
        """Give the names of all folders that are numbers, the smallest first: versions, and what is left of damaged ones."""
        if not valid_name(name):
            return []
        found = {entry.name for root in self._roots for entry in _folders(root / name)}
        return sorted((entry for entry in found if entry.isascii() and entry.isdigit()), key=int)

    def _highest(self, name: str) -> int:
        return max(self._pointer(name).highest(), *(int(number) for number in self._numbers(name)), 0)

    def _root_of(self, name: str, version: str) -> Path | None:
        return next((root for root in self._roots if _is_there(root / name / version / MANIFEST)), None)

    def _pointer(self, name: str) -> Pointer:
        return Pointer(self._own / name)

    @contextmanager
    def changing(self, seconds: float = _LOCK_SECONDS) -> Iterator[None]:
        """Keep all other writers out, in every process, and clear away what those before left half done."""
        make_folder(self._own)
        with (self._own / ".lock").open("w") as lock:
            until = time.monotonic() + seconds
            while not taken(lock.fileno()):
                if time.monotonic() >= until:
                    raise Overloaded("Another process is changing the models; please try again in a moment.")
                time.sleep(0.01)
            self._clear()
            yield

    def _clear(self) -> None:
        for folder in _folders(self._own):
            with contextlib.suppress(OSError):  # one folder that cannot be cleared keeps nobody from changing the others
                for left in [entry for entry in folder.iterdir() if entry.name.startswith(LEFTOVERS)]:
                    if left.is_dir() and not left.is_symlink():
                        shutil.rmtree(left, ignore_errors=True)
                    else:
                        left.unlink(missing_ok=True)


def _not_there(name: str, version: str) -> ModelNotFound:
    return ModelNotFound(f"There is no version {version!r} of a model called {name!r}.")


def _is_there(file: Path) -> bool:
    try:
        return file.is_file()
    except OSError:  # it may not be looked at: whoever reads it is told so, and no other version takes its place
        return True


def _folders(root: Path) -> list[Path]:
    try:
        return [entry for entry in root.iterdir() if entry.is_dir() and not entry.name.startswith(".")]
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise InvalidPackage("A folder of models cannot be read.") from error
