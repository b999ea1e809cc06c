"""Whether two tables hold the same, row by row."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from app.services.exchange.shapes import Row
from app.services.exchange.tables_in_order import Key


def differences(here: Iterator[Row], there: Iterator[Row], key: Callable[[Row], Key]) -> Iterator[Key]:
    """Give the keys of rows that only one side has, or that differ; both sides come in the order of their keys."""
    left, right = next(here, None), next(there, None)
    while left is not None or right is not None:
        if left is not None and (right is None or key(left) < key(right)):
            yield key(left)
            left = next(here, None)
        elif right is not None and (left is None or key(right) < key(left)):
            yield key(right)
            right = next(there, None)
        else:
            if left is not None and left != right:
                yield key(left)
            left, right = next(here, None), next(there, None)
