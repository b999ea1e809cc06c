"""All model packages of two roots: names, versions, and which version is active."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from app.errors import InvalidPackage, ModelNotFound
from app.inference.package import MANIFEST, Manifest, ModelPackage, valid_name, write_manifest

_ACTIVE = "active"


class Repository:
    """The packages shipped with the project (read only) and those added here; versions of one name are counted across both."""

    def __init__(self, *, shipped: Path | None, own: Path) -> None:
        self._own = own
        self._roots = (own,) if shipped is None else (own, shipped)

    def names(self) -> list[str]:
        """Give every model that has at least one version, sorted."""
        names = {entry.name for root in self._roots for entry in _folders(root) if valid_name(entry.name)}
        return sorted(name for name in names if self.versions(name))

    def versions(self, name: str) -> list[str]:
        """Give the versions of a model, oldest first; none where there is no such model."""
        if not valid_name(name):
            return []
        found = {
            entry.name
            for root in self._roots
            for entry in _folders(root / name)
            if entry.name.isascii() and entry.name.isdigit() and (entry / MANIFEST).is_file()
        }
        return sorted(found, key=int)

    def active_version(self, name: str) -> str:
        """Give the version that answers when none is named: the activated one, else the newest."""
        versions = self.versions(name)
        if not versions:
            raise ModelNotFound(f"There is no model called {name!r}.")
        try:
            pointed = (self._own / name / _ACTIVE).read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError):
            return versions[-1]
        return pointed if pointed in versions else versions[-1]

    def package(self, name: str, version: str | None = None) -> ModelPackage:
        """Read the manifest of a version, the active one where none is named; raise ModelNotFound or InvalidPackage."""
        chosen = self.active_version(name) if version is None else version
        if chosen not in self.versions(name):
            raise ModelNotFound(f"There is no version {chosen!r} of a model called {name!r}.")
        folder = next(root / name / chosen for root in self._roots if (root / name / chosen / MANIFEST).is_file())
        return ModelPackage.read(folder)

    def activate(self, name: str, version: str) -> None:
        """Let a version answer from now on; whoever looks sees the old or the new one, never neither."""
        if version not in self.versions(name):
            raise ModelNotFound(f"There is no version {version!r} of a model called {name!r}.")
        with self._locked():
            self._point(name, version)

    def _point(self, name: str, version: str) -> None:
        folder = self._own / name
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=folder, prefix=".active-", delete=False) as file:
            file.write(f"{version}\n")
            file.flush()
            os.fsync(file.fileno())
        Path(file.name).replace(folder / _ACTIVE)

    def publish(self, manifest: Manifest, files: Mapping[str, bytes]) -> ModelPackage:
        """Write the next version of a model: whole, or not at all.

        The version and the digests of all files are filled in here. The first version of a name becomes active by being the
        only one; a later one waits for `activate`, so the pointer is fixed on what answered before.
        """
        if not valid_name(manifest.name):
            raise InvalidPackage(f"A model cannot be called {manifest.name!r}: use lower-case letters, digits and dashes.")
        with self._locked():
            versions = self.versions(manifest.name)
            if versions:
                self._point(manifest.name, self.active_version(manifest.name))
            version = str(int(versions[-1]) + 1 if versions else 1)
            digests = {name: hashlib.sha256(content).hexdigest() for name, content in sorted(files.items())}
            complete = replace(manifest, version=version, digests=digests)
            return self._write(complete, files)

    def _write(self, manifest: Manifest, files: Mapping[str, bytes]) -> ModelPackage:
        target = self._own / manifest.name / manifest.version
        target.parent.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(dir=target.parent, prefix=".staging-"))
        try:
            for name, content in {**files, MANIFEST: write_manifest(manifest)}.items():
                path = staging / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
            staging.chmod(0o755)
            staging.rename(target)
        except BaseException:
            shutil.rmtree(staging, ignore_errors=True)
            raise
        return ModelPackage(target, manifest)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self._own.mkdir(parents=True, exist_ok=True)
        with (self._own / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _folders(root: Path) -> list[Path]:
    try:
        return [entry for entry in root.iterdir() if entry.is_dir() and not entry.name.startswith(".")]
    except (FileNotFoundError, NotADirectoryError):
        return []
