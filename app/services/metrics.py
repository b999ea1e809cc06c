"""What is counted while Vitrine answers; Prometheus' client keeps the numbers."""

from __future__ import annotations

import contextlib
import os
import shutil
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from app.inference.prediction import STAGES, Timings

if TYPE_CHECKING:
    from prometheus_client import Counter, Histogram

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_FOLDER = "vitrine-metrics-"
_making = threading.Lock()


@dataclass(frozen=True, slots=True)
class _Numbers:
    """The numbers of this process. The client refuses to have two of one name, so there is one of these."""

    predictions: Counter
    refusals: Counter
    shadows: Counter
    stages: dict[str, Histogram]
    _series: dict[tuple[str, str, bool], Counter] = field(default_factory=dict)

    def of(self, model: str, version: str, *, stored: bool) -> Counter:
        """Give the counter of one version's answers; the client takes its time to find it among the labels."""
        key = (model, version, stored)
        counter = self._series.get(key)
        if counter is None:
            counter = self._series[key] = self.predictions.labels(model, version, "yes" if stored else "no")
        return counter


_numbers: _Numbers | None = None


class Metrics:
    """Counts answers and refusals.

    With several workers the numbers are added up where the environment variable PROMETHEUS_MULTIPROC_DIR names a folder for
    them; Gunicorn's settings see to it.
    """

    def answered(self, model: str, version: str, timings: Timings, *, stored: bool) -> None:
        """Count one answer."""
        numbers = _numbers or _made()
        numbers.of(model, version, stored=stored).inc()
        for stage, histogram in numbers.stages.items():
            histogram.observe(getattr(timings, stage) / 1000)

    def refused(self, code: str) -> None:
        """Count one picture that was not answered."""
        (_numbers or _made()).refusals.labels(code).inc()

    def shadowed(self, model: str, version: str, outcome: str, amount: int = 1) -> None:
        """Count pictures of a version in the shadow: the `same` or another answer, one it failed at, one passed over."""
        (_numbers or _made()).shadows.labels(model, version, outcome).inc(amount)

    def warm_up(self) -> None:
        """Be ready to count, so that the first visitor does not wait for it."""
        _made()


def shared_folder(parent: Path) -> Path:
    """Make the folder in which this process and its children count, and sweep away those of processes that are gone."""
    for old in parent.glob(f"{_FOLDER}*"):
        if not Path("/proc", old.name.removeprefix(_FOLDER)).exists():
            shutil.rmtree(old, ignore_errors=True)
    folder = parent / f"{_FOLDER}{os.getpid()}"
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    return folder


def _made() -> _Numbers:
    global _numbers
    with _making:
        if _numbers is None:
            # Imported here because it looks at its environment as it is imported, and Gunicorn's settings come later.
            from prometheus_client import Counter, Histogram

            stages = Histogram("vitrine_prediction_seconds", "Where the time of an answer went.", ("stage",), buckets=_SECONDS)
            _numbers = _Numbers(
                predictions=Counter("vitrine_predictions", "Answers given.", ("model", "version", "stored")),
                refusals=Counter("vitrine_refusals", "Pictures that were not answered, by the reason's code.", ("code",)),
                shadows=Counter(
                    "vitrine_shadow_answers", "Pictures of versions in the shadow.", ("model", "version", "outcome")
                ),
                stages={stage: stages.labels(stage) for stage in STAGES},
            )
        return _numbers
