"""Answers given before, to the very same pixels by the very same version; off unless somebody asks for it."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict

import numpy as np
from numpy.typing import NDArray

_Key = tuple[str, str, bytes]


class AnswerCache:
    """Holds the probabilities of the last `size` different pictures, those asked for longest ago leaving first."""

    def __init__(self, *, size: int) -> None:
        self._size = size
        self._lock = threading.Lock()
        self._answers: OrderedDict[_Key, NDArray[np.float64]] = OrderedDict()
        self.hits = self.misses = 0

    @property
    def enabled(self) -> bool:
        """Whether it holds anything at all: to hash pixels in vain costs time."""
        return self._size > 0

    def find(self, key: _Key) -> NDArray[np.float64] | None:
        """Give the probabilities that belong to a key, shape (n_classes,), or None."""
        with self._lock:
            answer = self._answers.get(key)
            if answer is None:
                self.misses += 1
            else:
                self.hits += 1
                self._answers.move_to_end(key)
            return answer

    def keep(self, key: _Key, probabilities: NDArray[np.float64]) -> None:
        """Remember an answer."""
        with self._lock:
            self._answers[key] = probabilities.copy()
            self._answers.move_to_end(key)
            while len(self._answers) > self._size:
                self._answers.popitem(last=False)


def key_of(model: str, version: str, row: NDArray[np.generic]) -> _Key:
    """Give what an answer depends on: the version, and every number that it is shown."""
    return model, version, hashlib.blake2b(np.ascontiguousarray(row).tobytes(), digest_size=32).digest()
