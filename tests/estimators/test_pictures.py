"""What all transformers of pictures have in common, scikit-learn's law first."""

from __future__ import annotations

import doctest
import pickle
import sys

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils.estimator_checks import (
    check_get_params_invariance,
    check_no_attributes_set_in_init,
    check_parameters_default_constructible,
    check_set_params,
)

from app.estimators import FlatPixels, ImageEmbedding, OrientedGradients
from app.estimators.pictures import PictureTransformer

KINDS = [FlatPixels, ImageEmbedding, OrientedGradients]
pytestmark = pytest.mark.parametrize("kind", KINDS)


def pictures(count: int = 5, height: int = 40, width: int = 40) -> NDArray[np.uint8]:
    return np.random.default_rng(1).integers(0, 256, (count, height, width, 3), dtype=np.uint8)


def test_obeys_the_law_of_parameters(kind: type[PictureTransformer]) -> None:
    for check in (check_get_params_invariance, check_no_attributes_set_in_init, check_set_params):
        check(kind.__name__, kind())
    check_parameters_default_constructible(kind.__name__, kind())


def test_fit_answers_itself_and_a_clone_is_unfitted(kind: type[PictureTransformer]) -> None:
    transformer = kind()
    assert transformer.fit(pictures()) is transformer
    assert transformer.n_features_in_ == 40 * 40 * 3
    with pytest.raises(NotFittedError):
        clone(transformer).transform(pictures())


def test_names_its_features(kind: type[PictureTransformer]) -> None:
    transformer = kind().fit(pictures())
    features = transformer.transform(pictures())
    names = transformer.get_feature_names_out()
    assert features.dtype == np.float32
    assert features.shape == (5, len(names))
    assert names[0] == f"{kind.__name__.lower()}0"


def test_a_pickle_answers_the_same(kind: type[PictureTransformer]) -> None:
    transformer = kind().fit(pictures())
    again = pickle.loads(pickle.dumps(transformer))
    assert np.array_equal(again.transform(pictures()), transformer.transform(pictures()))


def test_flat_rows_of_square_pictures_are_the_same_pictures(kind: type[PictureTransformer]) -> None:
    flat = pictures().reshape(5, -1)
    assert np.array_equal(kind().fit_transform(flat), kind().fit_transform(pictures()))


def test_flat_rows_keep_the_shape_that_was_learned(kind: type[PictureTransformer]) -> None:
    wide = pictures(height=40, width=64)
    transformer = kind().fit(wide)
    assert np.array_equal(transformer.transform(wide.reshape(5, -1)), transformer.transform(wide))


def test_a_picture_has_the_same_features_in_any_company(kind: type[PictureTransformer]) -> None:
    many = pictures(count=35)
    transformer = kind().fit(many)
    assert np.allclose(transformer.transform(many)[34:], transformer.transform(many[34:]), rtol=1e-5, atol=1e-6)


def test_no_pictures_have_no_features(kind: type[PictureTransformer]) -> None:
    transformer = kind().fit(pictures())
    assert transformer.transform(pictures(0)).shape == transformer.transform(pictures())[:0].shape
    with pytest.raises(ValueError, match="no pictures"):
        kind().fit(pictures(0))


def test_other_numbers_than_bytes_are_refused(kind: type[PictureTransformer]) -> None:
    with pytest.raises(ValueError, match="uint8"):
        kind().fit(np.zeros((5, 40, 40, 3), dtype="float64"))


@pytest.mark.parametrize("shape", [(5, 40, 40), (5, 40, 40, 1), (5, 100), (5, 0), (4800,)])
def test_other_shapes_are_refused(kind: type[PictureTransformer], shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="Pictures have the shape"):
        kind().fit(np.zeros(shape, np.uint8))


def test_another_size_than_learned_is_refused(kind: type[PictureTransformer]) -> None:
    with pytest.raises(ValueError, match="learned pictures of shape"):
        kind().fit(pictures(height=40, width=48)).transform(pictures(height=48, width=40))


def test_its_example_is_true(kind: type[PictureTransformer]) -> None:
    tried = doctest.testmod(sys.modules[kind.__module__])
    assert tried.attempted > 0
    assert tried.failed == 0
