"""Versions for the shadow: one that says the opposite, one that fails, and one that waits until it is let go on."""

from __future__ import annotations

import pickle
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.inference.repository import Repository
from tests.factories import make_classifier, make_manifest


class Blocked:
    """A classifier that looks at a picture for as long as no file named `go` is in its folder, and leaves `asked` there."""

    classes_ = np.array(["dark", "light"])

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def predict_proba(self, rows: NDArray[np.generic]) -> NDArray[np.float64]:
        """Wait, and say that it is dark."""
        (self.folder / "asked").touch()
        deadline = time.monotonic() + 60
        while not (self.folder / "go").exists():
            assert time.monotonic() < deadline, "nobody let it go on"
            time.sleep(0.02)
        return np.tile([0.75, 0.25], (len(rows), 1))


class Failing:
    """A classifier that fails at every picture."""

    classes_ = np.array(["dark", "light"])

    def predict_proba(self, rows: NDArray[np.generic]) -> NDArray[np.float64]:
        """Fail."""
        raise ZeroDivisionError("this version divides by nothing")


def publish_reversed(repository: Repository, **given: Any) -> str:
    """Publish a version that was taught to take white for dark, and give its number."""
    return publish_served(repository, make_classifier(("light", "dark")), **given)


def publish_served(repository: Repository, classifier: object, **given: Any) -> str:
    """Publish a version that serves this very classifier, and give its number."""
    return repository.publish(make_manifest(**given), {"source.pkl": pickle.dumps(classifier)}).manifest.version
