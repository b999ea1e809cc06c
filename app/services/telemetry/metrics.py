"""What is counted while Vitrine answers; Prometheus' client keeps the numbers."""

from __future__ import annotations

from app.inference.prediction import Timings
from app.services.telemetry.numbers import numbers

_METHODS = frozenset({"GET", "HEAD", "POST", "DELETE", "OPTIONS"})
_PROBES = frozenset({"/livez", "/readyz", "/metrics"})


class Metrics:
    """Counts requests, answers, refusals and logins.

    With several workers the numbers are added up where the environment variable PROMETHEUS_MULTIPROC_DIR names a folder for
    them; Gunicorn's settings see to it.
    """

    def asked(self, path: str, method: str, status: int) -> None:
        """Count one request by its kind: of addresses there are as many as strangers like."""
        numbers().requests(_kind(path), method if method in _METHODS else "other", status // 100).inc()

    def answered(self, model: str, version: str, timings: Timings, *, stored: bool) -> None:
        """Count one answer."""
        here = numbers()
        here.answers(model, version, stored=stored).inc()
        for stage, histogram in here.stages.items():
            histogram.observe(getattr(timings, stage) / 1000)

    def refused(self, code: str) -> None:
        """Count one picture that was not answered."""
        numbers().counted.refusals.labels(code).inc()

    def shadowed(self, model: str, version: str, outcome: str, amount: int = 1) -> None:
        """Count pictures of a version in the shadow: the `same` or another answer, one it failed at, one passed over."""
        numbers().counted.shadows.labels(model, version, outcome).inc(amount)

    def logged_in(self) -> None:
        """Count one login."""
        numbers().counted.logins.labels("succeeded").inc()

    def login_failed(self) -> None:
        """Count one attempt to log in that was none."""
        numbers().counted.logins.labels("failed").inc()

    def login_limited(self) -> None:
        """Count one attempt to log in that was one too many."""
        numbers().counted.logins.labels("limited").inc()

    def warm_up(self) -> None:
        """Be ready to count, so that the first visitor does not wait for it."""
        numbers()


def _kind(path: str) -> str:
    if path.startswith("/api/"):
        return "predict" if path.endswith("/predict") else "api"
    return "probe" if path in _PROBES else "page"
