"""How an opened model stands to the disk: what should answer, what is wrong with its files, and what failed before."""

from __future__ import annotations

import copy
from dataclasses import dataclass

from app.errors import InvalidModel, VitrineError
from app.inference.batching import Batcher
from app.inference.package import Manifest
from app.inference.predictor import Predictor
from app.inference.repository import Fingerprint, Repository

# Not all that keeps a version from being opened lies in its own folder: memory may have been short, a backbone missing.
_RETRY_SECONDS = 60.0
_FROM_MEMORY = "it answers from memory, and would not after a restart."


@dataclass(frozen=True)
class LoadedModel:
    """One opened version and the line its callers stand in."""

    manifest: Manifest
    predictor: Predictor
    batcher: Batcher


@dataclass(frozen=True, slots=True)
class Failure:
    """A version that could not be opened, when, and what its files looked like."""

    version: str
    files: Fingerprint
    error: Exception
    at: float

    def stands(self, version: str, files: Fingerprint, now: float) -> bool:
        """Tell whether trying again would be of no use: the same version, the same files, a short while ago."""
        return (self.version, self.files) == (version, files) and now - self.at < _RETRY_SECONDS

    def again(self) -> Exception:
        """Give the error for one more caller; an error that is raised twice would collect the frames of all its callers."""
        if isinstance(self.error, VitrineError):
            return copy.copy(self.error).with_traceback(None)
        return InvalidModel(f"Version {self.version} cannot be opened; the log says why.")


def wanted_version(repository: Repository, name: str, serving: LoadedModel | None) -> str:
    """Give the version that should answer: the active one.

    A version that answers here is kept where the disk has lost it and names no other: another would answer in its name.
    """
    if serving is not None:
        version, activated = serving.manifest.version, repository.activations(name)[:1]
        if activated == [version]:
            return version
        versions = repository.versions(name)
        if version not in versions and not set(activated) & set(versions):
            return version
    return repository.active_version(name)


class FileCheck:
    """Tells whether the versions that answer could be opened again; files are read only where they have changed."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._seen: dict[str, tuple[Manifest, Fingerprint, str | None]] = {}

    def problem_of(self, manifest: Manifest) -> str | None:
        """Give a sentence where the files of an opened version are not those it was opened from, or another was activated."""
        name, version = manifest.name, manifest.version
        files = self._repository.fingerprint(name, version)
        if not files:
            return f"Version {version} is no longer on the disk: {_FROM_MEMORY}"
        seen = self._seen.get(name)
        if seen is None or seen[:2] != (manifest, files):
            self._seen[name] = seen = manifest, files, self._compare(manifest)
        activated = self._repository.activations(name)[:1]
        if seen[2] is None and activated and activated[0] != version:
            return f"Version {activated[0]} was activated and is not there: version {version} answers instead."
        return seen[2]

    def _compare(self, manifest: Manifest) -> str | None:
        try:
            package = self._repository.package(manifest.name, manifest.version)
            package.artifact()
        except VitrineError as error:
            return f"{error} Version {manifest.version} was opened before: {_FROM_MEMORY}"
        if package.manifest != manifest:
            return f"The manifest of version {manifest.version} was replaced since it was opened: {_FROM_MEMORY}"
        return None
