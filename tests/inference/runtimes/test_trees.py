"""The arrays of a forest: what could lead in circles or outside of them is refused before anything follows it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from app.inference.runtimes.trees import Trees
from tests.inference.runtimes.forests import chain, stumps, two_trees

Arrays = dict[str, Any]


def put(name: str, place: tuple[int, ...], value: int) -> Callable[[Arrays], None]:
    return lambda arrays: arrays[name].__setitem__(place, value)


def let(name: str, change: Callable[[Any], Any]) -> Callable[[Arrays], None]:
    return lambda arrays: arrays.__setitem__(name, change(arrays[name]))


HARM: dict[str, Callable[[Arrays], None]] = {
    "a fork that leads to itself": put("children", (1, 0), 1),
    "a fork that leads back": put("children", (1, 0), 0),
    "a child outside": put("children", (0, 0), 5),
    "a negative child": put("children", (0, 0), -1),
    "two ways to one fork": put("children", (0, 0), 1),
    "no way to a fork": put("children", (0, 1), 3),
    "two roots that are one": put("roots", (1, 0), 0),
    "a root outside": put("roots", (1, 0), 5),
    "a negative root": put("roots", (1, 0), -1),
    "a feature too many": put("features", (0,), 3),
    "a negative feature": put("features", (0,), -1),
    "no features": let("n_features", lambda _: 0),
    "fewer thresholds than forks": let("thresholds", lambda found: found[:1]),
    "thresholds of whole numbers": let("thresholds", lambda found: found.astype(np.int32)),
    "one child": let("children", lambda found: found[:, :1]),
    "fewer children than forks": let("children", lambda found: found[:1]),
    "indices of another width": let("children", lambda found: found.astype(np.int64)),
    "features in a table": let("features", lambda found: found[:, np.newaxis]),
    "roots in a row": let("roots", lambda found: found.ravel()),
    "no roots": let("roots", lambda found: found[:0]),
    "leaves in a row": let("leaves", lambda found: found.ravel()),
    "no leaves": let("leaves", lambda found: found[:0]),
    "leaves of no width": let("leaves", lambda found: found[:, :0]),
    "leaves in single precision": let("leaves", lambda found: found.astype(np.float32)),
}


def test_sound_trees_are_taken() -> None:
    assert (Trees(**two_trees()).n_forks, Trees(**two_trees()).levels) == (2, 2)


@pytest.mark.parametrize("harm", HARM)
def test_what_could_not_be_followed_is_refused(harm: str) -> None:
    arrays = two_trees()
    HARM[harm](arrays)
    with pytest.raises(ValueError, match="no trees"):
        Trees(**arrays)


def test_levels_are_those_of_the_longest_way() -> None:
    assert (chain(3000).levels, stumps(5, 2).levels) == (3000, 1)
