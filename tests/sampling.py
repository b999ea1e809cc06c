"""Long lists that are tried whole by `make test-hard`, and in part by every run."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TypeVar

import pytest

T = TypeVar("T")

WHOLE = bool(os.environ.get("TEST_HARD"))

# For a test over such a list: `make test-hard` runs it again, over all of it.
sampled = pytest.mark.sampled


def sample(whole: Sequence[T], one_of: int) -> Sequence[T]:
    """Give all of a list under `make test-hard`, and elsewhere its first entry and each so-many-th after that."""
    return whole if WHOLE else whole[::one_of]


def times(hard: int, usual: int) -> int:
    """Give how often something is tried: under `make test-hard`, and elsewhere."""
    return hard if WHOLE else usual
