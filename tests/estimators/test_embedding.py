"""ImageEmbedding: an estimator that names its backbone and holds it to its digest."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from app.errors import InvalidPackage
from app.estimators import ImageEmbedding
from app.inference.backbones import digest, open_backbone


@pytest.fixture(scope="module")
def pictures() -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (6, 48, 48, 3), dtype=np.uint8)


def test_gives_what_the_backbone_gives(pictures: NDArray[np.uint8]) -> None:
    features = ImageEmbedding().fit_transform(pictures)
    assert np.array_equal(features, open_backbone("efficientnet-lite0").embed(pictures))


def test_the_pickle_holds_name_and_digest_and_no_weights(pictures: NDArray[np.uint8]) -> None:
    fitted = ImageEmbedding().fit(pictures)
    stored = pickle.dumps(fitted)
    assert len(stored) < 1000
    assert digest("efficientnet-lite0").encode() in stored
    assert np.array_equal(pickle.loads(stored).transform(pictures), fitted.transform(pictures))


def test_a_pickle_of_another_backbone_is_refused(pictures: NDArray[np.uint8]) -> None:
    fitted = ImageEmbedding().fit(pictures)
    fitted.sha256_ = "0" * 64
    with pytest.raises(InvalidPackage, match="not the one asked for"):
        pickle.loads(pickle.dumps(fitted)).transform(pictures)


def test_an_unknown_backbone_is_refused_at_fit_not_before(pictures: NDArray[np.uint8]) -> None:
    unknown = ImageEmbedding(backbone="unknown")
    with pytest.raises(InvalidPackage, match="'unknown'"):
        unknown.fit(pictures)


def test_works_in_a_pipeline(pictures: NDArray[np.uint8]) -> None:
    labels = np.array(["cat", "dog"] * 3)
    pipeline = make_pipeline(ImageEmbedding(), LogisticRegression()).fit(pictures, labels)
    assert pipeline.n_features_in_ == 48 * 48 * 3
    assert pipeline.predict_proba(pictures.reshape(6, -1)).shape == (6, 2)
