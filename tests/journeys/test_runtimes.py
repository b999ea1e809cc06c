"""Every runtime opened before the fork and warmed after it: two preloaded workers answer at a concurrency of 32."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from app.inference.images import decode
from app.inference.repository import Repository
from app.services.importing import Given, importing_into
from tests.factories import EIGHT
from tests.fakes import HereSandbox
from tests.intake.classifiers import digits
from tests.serving import RunningSite

pytestmark = pytest.mark.journey

ROWS, LABELS = digits()
MODELS: dict[str, tuple[str, Any]] = {
    "graph": ("onnx", make_pipeline(StandardScaler(), LogisticRegression(max_iter=300))),
    "forest": ("forest", RandomForestClassifier(50, random_state=0)),
    "boosted": ("forest", HistGradientBoostingClassifier(max_iter=5)),
    # Its arithmetic is scikit-learn's own, so that only the archive can hold it; its trees use threads where they may.
    "archive": ("sklearn", make_pipeline(FunctionTransformer(np.square), HistGradientBoostingClassifier(max_iter=5))),
}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    """Give a site of two workers that serves one model of each kind."""
    folder = tmp_path_factory.mktemp("runtimes")
    repository = Repository(shipped=None, own=folder / "data" / "models")
    service = importing_into(repository, HereSandbox())
    for name, (runtime, classifier) in MODELS.items():
        (folder / name).write_bytes(pickle.dumps(classifier.fit(ROWS, LABELS)))
        imported = service.bring_in(Given(folder / name, name))
        assert imported.package.manifest.runtime == runtime, name
    with RunningSite(folder, workers="2", threads="16") as site:
        yield site


@pytest.mark.parametrize("name", MODELS)
def test_thirty_two_at_once_are_answered_right(served: RunningSite, name: str) -> None:
    picture = EIGHT.read_bytes()
    recipe = Repository(shipped=None, own=served.data / "models").package(name).manifest.recipe
    row = recipe.array(decode(picture, fit=recipe.size))
    expected = MODELS[name][1].predict_proba(row[np.newaxis])[0]

    def ask(_: int) -> dict[str, float]:
        reply = served.predict(picture, f"/api/v1/models/{name}/predict")
        assert reply.status == 200, reply.body
        return {entry["label"]: entry["probability"] for entry in reply.json["predictions"]}

    assert served.key
    with ThreadPoolExecutor(32) as pool:
        answers = list(pool.map(ask, range(256)))
    for answer in answers:
        assert [answer[str(digit)] for digit in range(10)] == pytest.approx(expected.tolist(), abs=1e-5)


def test_no_worker_had_to_be_replaced(served: RunningSite) -> None:
    assert "WORKER TIMEOUT" not in served.log
    assert "was sent SIG" not in served.log
