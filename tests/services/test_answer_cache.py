"""Remembered answers: the same pixels, the same version, and never more of them than was asked for."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.typing import NDArray

from app.services.answer_cache import AnswerCache, key_of

ROW = np.arange(12.0)


def probabilities(value: float) -> NDArray[np.float64]:
    return np.array([value, 1 - value])


def test_what_was_kept_is_found_again() -> None:
    cache, key = AnswerCache(size=2), key_of("shade", "1", ROW)
    assert cache.enabled
    assert cache.find(key) is None
    cache.keep(key, probabilities(0.25))
    found = cache.find(key_of("shade", "1", ROW.copy()))
    assert found is not None
    assert found.tolist() == [0.25, 0.75]


@pytest.mark.parametrize(
    "other",
    [
        key_of("tint", "1", ROW),
        key_of("shade", "2", ROW),
        key_of("shade", "1", np.append(ROW[:11], ROW[11] + 1e-12)),
        key_of("shade", "1", ROW[::-1]),
        key_of("shade", "1", ROW[:11]),
    ],
    ids=["model", "version", "a number", "order", "fewer"],
)
def test_what_differs_in_anything_is_another_question(other: tuple[str, str, bytes]) -> None:
    cache = AnswerCache(size=8)
    cache.keep(key_of("shade", "1", ROW), probabilities(0.25))
    assert cache.find(other) is None


def test_rows_that_lie_otherwise_in_memory_are_the_same_question() -> None:
    rows = np.arange(24.0).reshape(2, 12).T
    assert not rows.flags.c_contiguous
    assert key_of("shade", "1", rows) == key_of("shade", "1", np.ascontiguousarray(rows))


def test_the_one_asked_for_longest_ago_leaves_first() -> None:
    cache = AnswerCache(size=2)
    keys = [key_of("shade", str(version), ROW) for version in range(3)]
    cache.keep(keys[0], probabilities(0.0))
    cache.keep(keys[1], probabilities(0.1))
    assert cache.find(keys[0]) is not None  # asked for again
    cache.keep(keys[2], probabilities(0.2))
    assert [cache.find(key) is not None for key in keys] == [True, False, True]


def test_a_remembered_answer_is_not_changed_with_the_array_it_came_in() -> None:
    cache, key, answer = AnswerCache(size=1), key_of("shade", "1", ROW), probabilities(0.25)
    cache.keep(key, answer)
    answer[:] = 0
    found = cache.find(key)
    assert found is not None
    assert found.tolist() == [0.25, 0.75]


def test_one_of_size_nothing_is_off_and_holds_nothing() -> None:
    cache, key = AnswerCache(size=0), key_of("shade", "1", ROW)
    assert not cache.enabled
    cache.keep(key, probabilities(0.25))
    assert cache.find(key) is None


def test_threads_find_nothing_but_what_belongs_to_their_key() -> None:
    cache = AnswerCache(size=10)

    def use(number: int) -> bool:
        key = key_of("shade", str(number % 25), ROW)
        cache.keep(key, probabilities(number % 25 / 100))
        found = cache.find(key)
        return found is None or found[0] == number % 25 / 100

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(use, range(5000)))
    assert sum(cache.find(key_of("shade", str(number), ROW)) is not None for number in range(25)) == 10
