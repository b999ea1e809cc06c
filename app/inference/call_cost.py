"""What one call of a model costs, learned while it serves: so much for any call, and so much for each row in it."""

from __future__ import annotations

# The weight of what was seen before, at each new call: about the last hundred count.
_MEMORY = 0.99
# Below this spread of batch sizes (their variance) nothing can be told of what a further row costs.
_LEAST_SPREAD = 0.05
# To wake the next thread in line costs about this much, and joining saves it too.
_HANDING_OVER = 0.0005


class CallCost:
    """A straight line through batch sizes and seconds, by least squares with older calls fading away."""

    def __init__(self) -> None:
        self._weight = self._rows = self._seconds = self._rows_rows = self._rows_seconds = 0.0

    def observe(self, rows: int, seconds: float) -> None:
        """Learn from one call."""
        self._weight = self._weight * _MEMORY + 1
        self._rows = self._rows * _MEMORY + rows
        self._seconds = self._seconds * _MEMORY + seconds
        self._rows_rows = self._rows_rows * _MEMORY + rows * rows
        self._rows_seconds = self._rows_seconds * _MEMORY + rows * seconds

    @property
    def saved_by_joining(self) -> float:
        """Seconds that a call does not cost when its rows join another; 0 while calls of one size alone were seen."""
        return max(0.0, self._line[0])

    @property
    def joining_pays(self) -> bool:
        """Whether callers are answered sooner, on average, in one call than one after the other.

        A call costs `a`, and each row `b` more. Of k rows in one call all are done after a + k b; one after the other they are
        done after (a + b) (k + 1) / 2 on average, which is later for every k above 1 exactly where a is more than b.
        """
        a, b = self._line
        return a + _HANDING_OVER > b

    @property
    def _line(self) -> tuple[float, float]:
        # (0, 0) where nothing can be told yet: then rows are joined, and the next call tells.
        if not self._weight:
            return 0.0, 0.0
        rows, seconds = self._rows / self._weight, self._seconds / self._weight
        spread = self._rows_rows / self._weight - rows * rows
        if spread < _LEAST_SPREAD:
            return 0.0, 0.0
        a_row = max(0.0, (self._rows_seconds / self._weight - rows * seconds) / spread)
        return seconds - a_row * rows, a_row
