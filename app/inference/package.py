"""A model package: one version of one model on disk, and the manifest that pins what may be opened."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import ConfigDict, TypeAdapter, ValidationError

from app.errors import InvalidPackage
from app.inference.provenance import Answers, Features, Proof, RuntimeName, Source
from app.inference.recipe import Recipe

MANIFEST = "manifest.json"
CARD = "card.md"
PICKLE = "source.pkl"  # as its owner gave it; served itself only where its owner vouched for it
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


@dataclass(frozen=True, slots=True)
class Metric:
    """One measured figure, with its 95 % interval where one was taken."""

    name: str
    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """A picture that comes with the package and may be shown; `alt` says in words what it shows.

    `label` is the class that is right for it, empty where nobody said so.
    """

    file: str
    alt: str
    label: str = ""


@dataclass(frozen=True)
class Manifest:
    """What a package says of itself. Files that it opens are pinned by SHA-256 in `digests`."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    name: str
    version: str
    classes: tuple[str, ...]
    recipe: Recipe
    runtime: RuntimeName
    artifact: str
    digests: Mapping[str, str]
    created_at: str
    origin: Literal["trained", "imported"]
    summary: str = ""
    expects: str = ""
    titles: Mapping[str, str] = field(default_factory=dict)
    libraries: Mapping[str, str] = field(default_factory=dict)
    metrics: tuple[Metric, ...] = ()
    split: str | None = None
    samples: tuple[Sample, ...] = ()
    attribution: str | None = None
    answers: Answers = "predict_proba"
    features: Features | None = None
    source: Source | None = None
    proof: Proof | None = None

    def metric(self, name: str) -> Metric | None:
        """Give the metric of that name, or None where it was not measured."""
        return next((metric for metric in self.metrics if metric.name == name), None)


_ADAPTER = TypeAdapter(Manifest)


def valid_name(name: str) -> bool:
    """Tell whether a model may be called so: lower-case letters, digits and dashes, at most 63."""
    return _NAME.fullmatch(name) is not None


def read_manifest(content: bytes) -> Manifest:
    """Read a manifest, or raise InvalidPackage."""
    try:
        return _ADAPTER.validate_json(content)
    except ValidationError as error:
        raise InvalidPackage(f"A {MANIFEST} cannot be read.") from error


def write_manifest(manifest: Manifest) -> bytes:
    """Give a manifest as readable JSON."""
    return _ADAPTER.dump_json(manifest, indent=2) + b"\n"


@dataclass(frozen=True)
class ModelPackage:
    """A folder and its manifest; nothing else of it has been opened."""

    folder: Path
    manifest: Manifest

    @classmethod
    def read(cls, folder: Path) -> ModelPackage:
        """Read the manifest of a folder, or raise InvalidPackage; the folder's name and its parent's must agree with it."""
        try:
            manifest = _ADAPTER.validate_json((folder / MANIFEST).read_bytes())
        except FileNotFoundError as error:
            raise InvalidPackage(f"There is no {MANIFEST} in {folder.name!r}.") from error
        except (OSError, ValidationError) as error:
            raise InvalidPackage(f"The {MANIFEST} of {folder.parent.name} {folder.name} cannot be read.") from error
        if (manifest.name, manifest.version) != (folder.parent.name, folder.name):
            raise InvalidPackage(f"The {MANIFEST} of {folder.parent.name} {folder.name} is of another model.")
        return cls(folder, manifest)

    @property
    def card(self) -> str:
        """The model card in Markdown, or an empty text."""
        path = self.folder / CARD
        return path.read_text(encoding="utf-8") if path.is_file() else ""

    def artifact(self) -> bytes:
        """Give the bytes of what the runtime opens, hashed before anyone opens them."""
        return self.pinned(self.manifest.artifact)

    def pinned(self, file: str) -> bytes:
        """Give the bytes of a file that the manifest pins, or raise InvalidPackage where they are not the pinned ones."""
        title = f"{self.manifest.name} {self.manifest.version}"
        expected = self.manifest.digests.get(file)
        if expected is None:
            raise InvalidPackage(f"The manifest of {title} does not pin {file!r}.")
        try:
            content = (self.folder / file).read_bytes()
        except OSError as error:
            raise InvalidPackage(f"The file {file!r} of {title} cannot be read.") from error
        if hashlib.sha256(content).hexdigest() != expected:
            raise InvalidPackage(f"The file {file!r} of {title} is not the one its manifest pins.")
        return content
