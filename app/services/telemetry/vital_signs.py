"""What no request can count: what waits, what is open, what this process takes; told twice a second, and when somebody asks."""

from __future__ import annotations

import contextlib
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterable, Set
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import structlog

from app.services.model_loader import ModelLoader
from app.services.telemetry.numbers import Counted, Levels, levels, numbers

if TYPE_CHECKING:
    from prometheus_client import Counter, Gauge

# The sizes of batches up to which they are counted together.
_SIZES = (1, 2, 4, 8, 16, 32)
# What costs more than a look into our own objects: the kernel walks through all of a process's memory.
_SLOWLY_SECONDS = 10.0

log = structlog.get_logger(__name__)


class Remembering(Protocol):
    """Whatever is looked into before something dear is done, and how often that helped."""

    hits: int
    misses: int


class VitalSigns:
    """Tells how this process is.

    Numbers of other processes cannot be read where they are kept, so each process tells its own, by the thread that follows the
    models. Whatever grows is read where it is kept anyway, and costs nobody's request anything.
    """

    def __init__(
        self, *, loader: ModelLoader, data: Path, version: str = "", clock: Callable[[], float] = time.monotonic
    ) -> None:
        # By the name of a line how many wait there now; by that of a cache, the cache; how many answers were not stored.
        self.lines: dict[str, Callable[[], int]] = {}
        self.caches: dict[str, Remembering] = {}
        self.failures: Callable[[], int] = lambda: 0
        self._loader = loader
        self._data = data
        self._version = version
        self._clock = clock
        self._began_at = time.time()
        self._process: int | None = None
        self._telling = threading.Lock()
        self._before: dict[Counter, float] = {}
        self._shown: dict[Gauge, set[tuple[str, ...]]] = {}
        self._slowly_at = float("-inf")
        self._told = True

    def follow(self, _names: Iterable[str]) -> None:
        """Tell how this process is; that this fails keeps nobody from anything else."""
        try:
            self.tell()
            self._told = True
        except Exception as error:
            if self._told:
                log.error("numbers_not_told", exc_info=error)
            self._told = False

    def tell(self) -> None:
        """Tell how this process is, unless another thread is at it."""
        if not self._telling.acquire(blocking=False):
            return
        try:
            counted, now = numbers().counted, levels()
            if self._process != os.getpid():
                self._begin(counted, now)
            self._tell_models(now)
            self._add_growth(counted)
            if self._clock() - self._slowly_at >= _SLOWLY_SECONDS:
                self._slowly_at = self._clock()
                self._tell_of_the_machine(now)
        finally:
            self._telling.release()

    def _begin(self, counted: Counted, now: Levels) -> None:
        self._process = os.getpid()
        self._before.clear()
        counted.workers_started.inc()
        now.workers.set(1)
        now.started.set(self._began_at)
        now.build.labels(self._version).set(1)

    def _tell_models(self, now: Levels) -> None:
        serving = {name: loaded.manifest.version for name, loaded in list(self._loader.serving.items())}
        told, held = dict(self._loader.told), list(self._loader.held.values())
        self._show(now.active, set(serving.items()))
        self._show(now.problems, {(name,) for name in told}, {(name,) for name in serving})
        now.held.set(len(held))
        # One that answers from memory, or with its version of before, answers.
        now.ready.set(bool(serving) and told.keys() <= serving.keys())
        now.waiting.labels("model").set(sum(loaded.batcher.in_line for loaded in held))
        for line, waiting in self.lines.items():
            now.waiting.labels(line).set(waiting())

    def _show(self, gauge: Gauge, ones: Set[tuple[str, ...]], zeros: Set[tuple[str, ...]] = frozenset()) -> None:
        """Let a gauge be 1 for some labels and 0 for others, and for all that it was 1 for before."""
        shown = self._shown.setdefault(gauge, set())
        shown |= ones | zeros
        for labels in shown:
            gauge.labels(*labels).set(labels in ones)

    def _add_growth(self, counted: Counted) -> None:
        for loaded in list(self._loader.held.values()):
            for size, amount in loaded.batcher.take_sizes().items():
                counted.batches.labels(str(next(most for most in _SIZES if size <= most))).inc(amount)
        self._add(counted.cpu_seconds, time.process_time())
        self._add(counted.history_failures, self.failures())
        for name, cache in self.caches.items():
            self._add(counted.cache_lookups.labels(name, "hit"), cache.hits)
            self._add(counted.cache_lookups.labels(name, "miss"), cache.misses)

    def _add(self, counter: Counter, stands_at: float) -> None:
        """Add to a counter what has come to a number of this process since."""
        counter.inc(stands_at - self._before.get(counter, 0.0))
        self._before[counter] = stands_at

    def _tell_of_the_machine(self, now: Levels) -> None:
        now.threads.set(threading.active_count())
        now.disk_free.set(shutil.disk_usage(self._data if self._data.exists() else self._data.parent).free)
        if (memory := _memory()) is not None:
            now.memory.set(memory)


def _memory() -> int | None:
    """Give the bytes that this process takes, with its share of what it shares; None where the system does not tell."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/smaps_rollup").read_text(encoding="ascii").splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return None
