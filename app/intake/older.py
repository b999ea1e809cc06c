"""What older scikit-learn wrote differently, brought to what today's expects. Each repair gave, on kept model files of that
time, the very answers the old library gave."""

from __future__ import annotations

from typing import Any

import numpy as np

from app.errors import InvalidModel


def brought_up_to_date(part: Any) -> str | None:
    """Repair one object of an opened model in place, and give a sentence where something was changed."""
    kind = type(part).__name__
    if kind in ("DecisionTreeClassifier", "ExtraTreeClassifier") and hasattr(part, "tree_"):
        return _shares_for_counts(part.tree_)
    if kind == "HistGradientBoostingClassifier" and not hasattr(part, "_preprocessor"):
        # Before 1.4 there was no preparation of columns to undo.
        part._preprocessor = None
        return "Boosted trees from before scikit-learn 1.4 were given the attribute that they lack today."
    return None


def _shares_for_counts(tree: Any) -> str | None:
    """Turn the counts of samples that leaves held until scikit-learn 1.3 into the shares that they hold since."""
    values = tree.value
    totals = values.sum(axis=2, keepdims=True)
    if (values < 0).any() or (totals <= 0).any():
        raise InvalidModel("The file holds a tree whose leaves have no samples.")
    if np.allclose(totals, 1.0, rtol=0, atol=1e-6):
        return None
    values /= totals
    return "Trees from before scikit-learn 1.4 hold counts in their leaves; they were turned into today's shares."
