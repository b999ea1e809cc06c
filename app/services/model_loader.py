"""Finds, verifies, opens and holds the predictors of this process, and swaps them without a pause.

One thread a process, the follower, looks at the disk every half second, opens what has become active, and swaps it in when it
is warm; whoever asks finds in a dictionary what answers now. Whoever holds the old one finishes on it.
"""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections.abc import Callable
from concurrent.futures import Future

import structlog

from app.errors import ModelNotFound, ModelRequired, Overloaded, VitrineError
from app.inference.batching import Batcher
from app.inference.predictor import Predictor
from app.inference.repository import Repository
from app.services.loaded_model import Failure, FileCheck, LoadedModel, wanted_version

_FAVOURITE = "cats-vs-dogs"
_LOOK_EVERY_SECONDS = 0.5
_NAMES_LAST_SECONDS = 1.0
# A follower that is alive and opens nothing looks far more often: one that is silent for longer may be frozen by its server.
_SILENT_SECONDS = 5.0
# How long a caller waits for an opening that another thread is at.
_OPENING_SECONDS = 30.0
# Versions beside the active ones: so many are held, and so long after they were last asked for.
_OTHERS_HELD = 4
_OTHERS_HELD_SECONDS = 300.0

# No model can be called so: what is told of it concerns the folder of all of them.
_ALL = "all models"

log = structlog.get_logger(__name__)


class _Process:
    """What belongs to one process and must not come through a fork: locks, and what threads are at."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.lock = threading.Lock()
        # Nobody ever waits for this one: who does not get it leaves the looking to who has it.
        self.turn = threading.Lock()
        self.openings: dict[tuple[str, str], Future[LoadedModel]] = {}


class ModelLoader:
    """Opens each version once a process, on first use or ahead of time, and follows the active versions on disk."""

    def __init__(self, *, repository: Repository, default_model: str = "", clock: Callable[[], float] = time.monotonic) -> None:
        self.repository = repository
        self._clock = clock
        self._default_model = default_model
        self._processes: dict[int, _Process] = {}
        self.serving: dict[str, LoadedModel] = {}  # what answers, for whoever looks on; and what is open
        self.held: dict[tuple[str, str], LoadedModel] = {}
        self._asked: dict[tuple[str, str], float] = {}
        self._failures: dict[str, Failure] = {}
        self._files = FileCheck(repository)
        self.told: dict[str, str] = {}  # what is wrong with a model
        self._names: list[str] = []
        self._named = self._looked = float("-inf")
        self._everything = False
        # What else is to follow the disk, given the names of the models.
        self.on_look: list[Callable[[list[str]], None]] = []

    def get(self, name: str | None = None, version: str | None = None) -> LoadedModel:
        """Give an opened version: of the default model where none is named, the active one where no version is.

        An active version that answers already is given at once, whatever is being opened to take its place.
        """
        here = self._here()
        name = name or self.default_name()
        if version is not None:
            loaded = self.held.get((name, version)) or self._opened(here, name, version)
            self._asked[name, version] = self._clock()
            return loaded
        serving = self.serving.get(name)
        if serving is not None:
            return serving
        loaded = self._ready(here, name, wanted_version(self.repository, name, None), warm=self._everything)
        # The follower may have been faster, and with a newer version.
        return self.serving.setdefault(name, loaded)

    def default_name(self) -> str:
        """Give the model that answers when none is named, or raise ModelRequired."""
        if self._default_model:
            return self._default_model
        names = self._known_names()
        if _FAVOURITE in names:
            return _FAVOURITE
        if len(names) == 1:
            return names[0]
        if not names:
            raise ModelNotFound("No model is served here yet.")
        raise ModelRequired(f"Name one of the models: {', '.join(names)}.")

    def open_active(self) -> None:
        """Open the active version of every model and keep doing so; what cannot be opened is logged and told by `problems`.

        Starts no thread, so a server may fork afterwards.
        """
        self._everything = True
        self._look(self._processes.get(os.getpid()) or _Process(), warm=False)

    def problems(self) -> dict[str, str]:
        """Give a sentence for every model whose active version is not open, or not whole on the disk."""
        here = self._here()
        if not self._everything:
            self._everything = True
            self._look(here)
        return dict(self.told)

    def answers(self, name: str) -> bool:
        """Tell whether a version of this model is open and answers."""
        return name in self.serving

    def has_models(self) -> bool:
        """Tell whether there is any model, on the disk or open here."""
        try:
            return bool(self._known_names())
        except VitrineError:
            return False

    def warm_up(self) -> None:
        """Answer once with every active version; threads and sessions start here, so call it after the fork."""
        here = self._here()
        for name, serving in list(self.serving.items()):
            try:
                self._ready(here, name, serving.manifest.version, warm=True)
            except Exception as error:
                self.serving.pop(name, None)
                self._tell(name, _reason(error))

    def _here(self) -> _Process:
        here = self._processes.get(os.getpid())
        if here is None:
            # One thread gets its own back, and begins; the others wait until it knows what is active.
            mine = _Process()
            here = self._processes.setdefault(os.getpid(), mine)
            if here is mine:
                self._begin(here)
        if not here.begun.is_set():
            here.begun.wait(_OPENING_SECONDS)
        if self._clock() - self._looked > _SILENT_SECONDS:
            self._look(here)
        return here

    def _begin(self, here: _Process) -> None:
        try:
            # What came through a fork may have been opened long ago.
            if self._clock() - self._looked > _NAMES_LAST_SECONDS:
                self._look(here)
            threading.Thread(target=_follow, args=(weakref.ref(self), here), name="model-follower", daemon=True).start()
        except RuntimeError:  # no more threads now: the next one who asks tries again
            self._processes.pop(os.getpid(), None)
        finally:
            here.begun.set()

    def _look(self, here: _Process, *, warm: bool = True) -> None:
        """Bring what answers up to what the disk says is active, unless another thread is at it."""
        if not here.turn.acquire(blocking=False):
            return
        try:
            names = self._known_names(fresh=True) if self._everything else list(self.serving)
            for follow in self.on_look:
                follow(names)
            for name in names:
                self._look_at(here, name, warm)
            for gone in self.told.keys() - names:
                self.told.pop(gone, None)
            self._let_go(here)
        except VitrineError as error:
            self._tell(_ALL, str(error))
        finally:
            self._looked = self._clock()
            here.turn.release()

    def _look_at(self, here: _Process, name: str, warm: bool) -> None:
        serving = self.serving.get(name)
        try:
            version = wanted_version(self.repository, name, serving)
            if serving is None or serving.manifest.version != version:
                serving = self._swap(name, self._ready(here, name, version, warm=warm))
            self._tell(name, self._files.problem_of(serving.manifest))
        except Exception as error:  # whatever one model is broken by, the others are followed
            still = f" Version {serving.manifest.version} goes on answering." if serving is not None else ""
            self._tell(name, _reason(error) + still)

    def _swap(self, name: str, new: LoadedModel) -> LoadedModel:
        old, self.serving[name] = self.serving.get(name), new
        if old is not None:
            self._asked[name, old.manifest.version] = self._clock()
            log.info("model_switched", model=name, version=new.manifest.version, before=old.manifest.version)
        return new

    def _tell(self, name: str, problem: str | None) -> None:
        if problem is None:
            self.told.pop(name, None)
        elif self.told.get(name) != problem:
            self.told[name] = problem
            log.error("model_unusable", model=name, reason=problem)

    def _ready(self, here: _Process, name: str, version: str, *, warm: bool) -> LoadedModel:
        """Give an opened version that has answered once; what failed is tried again when its files change."""
        found = self.repository.fingerprint(name, version)
        failure = self._failures.get(name)
        if failure is not None and failure.stands(version, found, self._clock()):
            raise failure.again()
        try:
            loaded = self.held.get((name, version)) or self._opened(here, name, version)
            if warm:
                loaded.predictor.warm_up()
        except Overloaded:  # another thread is still at it
            raise
        except Exception as error:
            if not isinstance(error, VitrineError):
                log.error("model_not_opened", model=name, version=version, exc_info=error)
            self.held.pop((name, version), None)
            self._failures[name] = Failure(version, found, error, self._clock())
            raise
        self._failures.pop(name, None)
        return loaded

    def _opened(self, here: _Process, name: str, version: str) -> LoadedModel:
        """Open a version once, however many ask for it at the same time."""
        with here.lock:
            if (name, version) in self.held:
                return self.held[name, version]
            opening = here.openings.get((name, version))
            if opening is None:
                mine = here.openings[name, version] = Future()
        if opening is None:
            return self._open(here, name, version, mine)
        try:
            return opening.result(_OPENING_SECONDS)
        except TimeoutError as error:
            raise Overloaded(f"{name} {version} is still being opened; please try again in a moment.", 5) from error

    def _open(self, here: _Process, name: str, version: str, opening: Future[LoadedModel]) -> LoadedModel:
        try:
            package = self.repository.package(name, version)
            predictor = Predictor(package)
            loaded = LoadedModel(package.manifest, predictor, Batcher(predictor.probabilities))
        except BaseException as error:
            opening.set_exception(error)
            self._asked.pop((name, version), None)
            raise
        else:
            self._asked[name, version] = self._clock()
            self.held[name, version] = loaded
            opening.set_result(loaded)
            self._let_go(here)
            return loaded
        finally:
            with here.lock:
                here.openings.pop((name, version), None)

    def _let_go(self, here: _Process) -> None:
        """Let go of versions that nobody has asked for lately, and of more than a few; calls that have them finish on them."""
        with here.lock:
            active = {(name, serving.manifest.version) for name, serving in self.serving.items()}
            others = sorted(self.held.keys() - active, key=lambda key: self._asked.get(key, 0.0), reverse=True)
            for rank, key in enumerate(others):
                if rank >= _OTHERS_HELD or self._clock() - self._asked.get(key, 0.0) > _OTHERS_HELD_SECONDS:
                    self.held.pop(key, None)
                    self._asked.pop(key, None)

    def _known_names(self, *, fresh: bool = False) -> list[str]:
        """Give the models on disk, as seen within the last second, and those that answer here though the disk has lost them."""
        if fresh or not self._names or self._clock() - self._named > _NAMES_LAST_SECONDS:
            try:
                self._names, self._named = self.repository.names(), self._clock()
            except VitrineError:
                if not self.serving:
                    raise
        return sorted({*self._names, *self.serving})


def _reason(error: Exception) -> str:
    return str(error) if isinstance(error, VitrineError) else "It cannot be opened; the log says why."


def _follow(reference: weakref.ref[ModelLoader], here: _Process) -> None:
    """Look again and again, for as long as somebody has the loader."""
    pause = threading.Event()
    while not pause.wait(_LOOK_EVERY_SECONDS) and (loader := reference()) is not None:
        try:
            loader.repository.follow()
            loader._look(here)
        except Exception as error:
            log.error("models_not_followed", exc_info=error)
        del loader
