"""The forms a classifier can be served in, each made from the opened one: a forest, a graph, an archive."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any, cast

import numpy as np
import skops.io
from skl2onnx import to_onnx
from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType
from sklearn.feature_selection import SelectorMixin
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, RobustScaler, StandardScaler

from app.estimators import FlatPixels, ImageEmbedding, OrientedGradients
from app.inference.provenance import Features, RuntimeName
from app.inference.runtimes.forest import Forest, pack_forest
from app.inference.runtimes.steps import Step
from app.intake.forests import trees_of
from app.intake.served_form import CannotHold, Form
from app.intake.source_model import SourceModel, parts_of, steps_of

_OPSET = {"": 18, "ai.onnx.ml": 3}
# A graph of more takes longer to make than all the rest of an import, and a forest holds as many at once.
_MOST_NODES = 150_000


def makers(model: SourceModel) -> Iterator[tuple[RuntimeName, Callable[[], Form]]]:
    """Give for each form, best first, what makes it; a maker raises CannotHold, or whatever its library raises."""
    features, steps = _features_first(steps_of(model.classifier))
    yield "forest", lambda: _forest(steps, features)
    yield "onnx", lambda: _graph(model, steps, features, np.float32)
    yield "onnx", lambda: _graph(model, steps, features, np.float64)
    yield "sklearn", lambda: archive(model)


def archive(model: SourceModel) -> Form:
    """Give the classifier as a skops archive: the form that is always exact, and needs scikit-learn to answer."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return Form("sklearn", "model.skops", skops.io.dumps(model.classifier))


def _features_first(steps: list[Any]) -> tuple[Features | None, list[Any]]:
    """Give the description of pictures that a pipeline begins with, where it is one of ours, and the steps after it."""
    first = steps[0]
    match first:
        case ImageEmbedding():
            return Features("embedding", backbone=first.backbone, sha256=first.sha256_), steps[1:]
        case OrientedGradients():
            parameters = {name: getattr(first, name) for name in ("orientations", "cell", "block", "clip")}
            return Features("gradients", parameters), steps[1:]
        case FlatPixels():
            return Features("pixels", {"size": first.size}), steps[1:]
    return None, steps


# Forests.


def _forest(steps: list[Any], features: Features | None) -> Form:
    *before, last = steps
    trees, link = trees_of(last)
    arithmetic = tuple(operation for step in before for operation in arithmetic_of(step))
    return Form("forest", "model.forest", pack_forest(Forest(trees, link, arithmetic)), features)


def arithmetic_of(step: Any) -> list[Step]:
    """Give what a scaler or a selection computes, operation by operation, or raise CannotHold."""
    if isinstance(step, StandardScaler):
        centre = [Step("subtract-rounded", step.mean_)] if step.with_mean else []
        return centre + ([Step("divide-rounded", step.scale_)] if step.with_std else [])
    if isinstance(step, MinMaxScaler):
        bounds = [Step("clip", np.array(step.feature_range))] if step.clip else []
        return [Step("multiply", step.scale_), Step("add", step.min_), *bounds]
    if isinstance(step, MaxAbsScaler):
        bounds = [Step("clip", np.array([-1.0, 1.0]))] if getattr(step, "clip", False) else []
        return [Step("divide", step.scale_), *bounds]
    if isinstance(step, RobustScaler):
        centre = [Step("subtract", step.center_)] if step.with_centering else []
        return centre + ([Step("divide", step.scale_)] if step.with_scaling else [])
    if isinstance(step, SelectorMixin):
        return [Step("take", np.flatnonzero(step.get_support()))]
    raise CannotHold(f"the {type(step).__name__} before its trees is no plain arithmetic")


# Graphs.


def _graph(model: SourceModel, steps: list[Any], features: Features | None, width: type[np.floating]) -> Form:
    if model.answers == "predict" and model.classes != tuple(str(number) for number in range(len(model.classes))):
        raise CannotHold("it tells labels only, and they are not 0, 1, 2 and so on")
    last = steps[-1]
    if (nodes := _nodes_of(last)) > _MOST_NODES:
        raise CannotHold(f"bringing the {nodes:,} nodes of its trees into a graph takes too long")
    head = last if len(steps) == 1 else make_pipeline(*steps)
    count = int(cast(Any, steps[0]).n_features_in_)
    table = (FloatTensorType if width is np.float32 else DoubleTensorType)([None, count])
    graph = _converted(head, table, last, raw=model.answers == "decision_function")
    return Form("onnx", "model.onnx", graph.SerializeToString(), features)


def _nodes_of(estimator: Any) -> int:
    """Count the nodes of all trees that an estimator holds."""
    return sum(int(part.tree_.node_count) for part in parts_of(estimator) if hasattr(part, "tree_"))


def _converted(head: Any, table: Any, last: Any, *, raw: bool) -> Any:
    """Give the graph: scores as one table and not as a list of dictionaries, and decision values where they are wanted.

    Not every converter knows both options, and one that does not know an option refuses it.
    """
    wanted = [{"zipmap": False, "raw_scores": True}, {"raw_scores": True}] if raw else []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for options in (*wanted, {"zipmap": False}):
            try:
                return to_onnx(head, initial_types=[("rows", table)], options={id(last): options}, target_opset=_OPSET)
            except (NameError, ValueError) as error:
                if not any(name in str(error) for name in options):
                    raise
        return to_onnx(head, initial_types=[("rows", table)], target_opset=_OPSET)
