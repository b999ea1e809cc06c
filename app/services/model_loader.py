"""Finds, verifies, opens and holds the predictors of this process."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from app.errors import ModelNotFound, ModelRequired, VitrineError
from app.inference.batching import Batcher
from app.inference.package import Manifest
from app.inference.predictor import Predictor
from app.inference.repository import Repository

_FAVOURITE = "cats-vs-dogs"
_LOOK_AGAIN_SECONDS = 1.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class LoadedModel:
    """One opened version and the line its callers stand in."""

    manifest: Manifest
    predictor: Predictor
    batcher: Batcher


class ModelLoader:
    """Opens each version once a process, on first use or ahead of time, and follows the active versions on disk."""

    def __init__(self, *, repository: Repository, default_model: str = "", clock: Callable[[], float] = time.monotonic) -> None:
        self.repository = repository
        self._clock = clock
        self._default_model = default_model
        self._loaded: dict[tuple[str, str], LoadedModel] = {}
        self._active: dict[str, tuple[str, float]] = {}
        self._opening = threading.Lock()

    def get(self, name: str | None = None, version: str | None = None) -> LoadedModel:
        """Give an opened version: of the default model where none is named, the active one where no version is."""
        name = name or self.default_name()
        version = version or self._active_version(name)
        loaded = self._loaded.get((name, version))
        if loaded is not None:
            return loaded
        with self._opening:
            return self._loaded.get((name, version)) or self._open(name, version)

    def default_name(self) -> str:
        """Give the model that answers when none is named, or raise ModelRequired."""
        names = self.repository.names()
        if self._default_model:
            return self._default_model
        if _FAVOURITE in names:
            return _FAVOURITE
        if len(names) == 1:
            return names[0]
        if not names:
            raise ModelNotFound("No model is served here yet.")
        raise ModelRequired(f"Name one of the models: {', '.join(names)}.")

    def open_active(self) -> None:
        """Open the active version of every model; one that cannot be opened is logged and told by `problems`."""
        for name, problem in self.problems().items():
            log.error("model_unusable", model=name, reason=problem)

    def problems(self) -> dict[str, str]:
        """Try to have every model's active version open, and give a sentence for each that is not."""
        problems = {}
        for name in self.repository.names():
            try:
                self.get(name)
            except VitrineError as error:
                problems[name] = str(error)
        return problems

    def warm_up(self) -> None:
        """Answer once with every opened model; threads and sessions start here, so call it after the fork."""
        for loaded in list(self._loaded.values()):
            loaded.predictor.warm_up()

    def _active_version(self, name: str) -> str:
        known, looked = self._active.get(name, ("", 0.0))
        if known and self._clock() - looked < _LOOK_AGAIN_SECONDS:
            return known
        version = self.repository.active_version(name)
        self._active[name] = version, self._clock()
        return version

    def _open(self, name: str, version: str) -> LoadedModel:
        package = self.repository.package(name, version)
        predictor = Predictor(package)
        loaded = LoadedModel(package.manifest, predictor, Batcher(predictor.probabilities))
        self._loaded[name, version] = loaded
        return loaded
