"""What a store holds of models, as one small object: versions and where they lie, which is active, which runs in the shadow."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter, ValidationError

from app.errors import StoreUnavailable
from app.inference.package import valid_name
from app.inference.pointer import KEPT, Pointer, Shadow

_NUMBER = re.compile(r"[1-9][0-9]{0,8}")
_FOLDER = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class Place:
    """Where a version lies in the store, and the SHA-256 of its manifest, which pins everything else."""

    folder: str
    manifest: str


@dataclass(frozen=True)
class Kept:
    """What is known of one model: its highest number ever, activations (the latest first), shadow, and its versions."""

    highest: int = 0
    active: tuple[str, ...] = ()
    shadow: Shadow | None = None
    versions: Mapping[str, Place] = field(default_factory=dict)


@dataclass(frozen=True)
class Index:
    """All models that are kept in a store; of those that came with the project, which version is active."""

    form: Literal[1] = 1
    models: Mapping[str, Kept] = field(default_factory=dict)


_ADAPTER = TypeAdapter(Index)


def read_index(content: bytes) -> Index:
    """Read an index, or raise StoreUnavailable; whatever its names are used for, they lead out of no folder."""
    try:
        index = _ADAPTER.validate_json(content)
    except ValidationError as error:
        raise StoreUnavailable("The index of the models in the store cannot be read.") from error
    for name, kept in index.models.items():
        numbers = all(_NUMBER.fullmatch(version) for version in (*kept.versions, *kept.active))
        if not (valid_name(name) and numbers and all(_FOLDER.fullmatch(place.folder) for place in kept.versions.values())):
            raise StoreUnavailable("The index of the models in the store is not one of Vitrine's.")
    return index


def write_index(index: Index) -> bytes:
    """Give an index as readable JSON."""
    return _ADAPTER.dump_json(index, indent=1) + b"\n"


class Draft:
    """An index that is being changed: nothing of it is seen before it is written."""

    def __init__(self, index: Index) -> None:
        self._before = index
        self._models = dict(index.models)
        self.written: dict[tuple[str, str], Mapping[str, bytes]] = {}
        self.dropped: dict[tuple[str, str], Place] = {}

    @property
    def index(self) -> Index:
        """What is to be written."""
        return replace(self._before, models=self._models)

    @property
    def changed(self) -> bool:
        """Tell whether anything is."""
        return self.index != self._before

    def kept(self, name: str) -> Kept:
        """Give what is known of a model."""
        return self._models.get(name, Kept())

    def put(self, name: str, kept: Kept) -> None:
        """Let this be known of a model."""
        self._models[name] = kept

    def add(self, name: str, version: str, place: Place, files: Mapping[str, bytes]) -> None:
        """Let a version be there."""
        kept = self.kept(name)
        highest = max(kept.highest, int(version))
        self.put(name, replace(kept, highest=highest, versions={**kept.versions, version: place}))
        self.written[name, version] = files

    def drop(self, name: str, version: str) -> None:
        """Let a version be gone."""
        kept = self.kept(name)
        self.dropped[name, version] = kept.versions[version]
        self.put(name, replace(kept, versions={number: at for number, at in kept.versions.items() if number != version}))


class DraftPointer(Pointer):
    """The pointers of a model as a draft has them; see `Pointer`."""

    def __init__(self, draft: Draft, name: str) -> None:
        super().__init__(Path())
        self._draft = draft
        self._name = name

    def activations(self) -> list[str]:
        """Give the versions that were activated, the active one first."""
        return list(self._draft.kept(self._name).active)

    def write(self, activations: list[str]) -> None:
        """Let the first of these be the active version, the others those before it."""
        self._put(active=tuple(activations[:KEPT]))

    def shadow(self) -> Shadow | None:
        """Give the version that runs in the shadow."""
        return self._draft.kept(self._name).shadow

    def write_shadow(self, shadow: Shadow | None) -> None:
        """Let this version run in the shadow, or none."""
        self._put(shadow=shadow)

    def highest(self) -> int:
        """Give the highest number that a version ever had."""
        return self._draft.kept(self._name).highest

    def reserve(self, number: int) -> None:
        """Write down that a number is given away for ever."""
        self._put(highest=max(number, self.highest()))

    def _put(self, **changes: object) -> None:
        self._draft.put(self._name, replace(self._draft.kept(self._name), **changes))  # type: ignore[arg-type]
