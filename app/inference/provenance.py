"""Where a served model came from, and what shows that it answers as its source did: values that a manifest holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

RuntimeName = Literal["sklearn", "onnx", "forest"]
# How a class's probability comes about: the classifier's own; a softmax of its decision values, or of a network's logits; or 1
# for the label it predicts and 0 for all others, where it tells nothing else.
Answers = Literal["predict_proba", "decision_function", "logits", "predict"]


@dataclass(frozen=True, slots=True)
class Source:
    """The file that a model was imported from, and how it was opened.

    `libraries` are those that wrote it, as far as the file tells; `differences` are sentences on how today's differ;
    `confinement` names the protections that held while it was opened; `trusted` says that its owner vouched for it and that
    the file itself is opened by the workers.
    """

    format: Literal["pickle", "joblib", "skops", "onnx"]
    sha256: str
    estimators: tuple[str, ...] = ()
    libraries: Mapping[str, str] = field(default_factory=dict)
    differences: tuple[str, ...] = ()
    confinement: tuple[str, ...] = ()
    trusted: bool = False


@dataclass(frozen=True, slots=True)
class Candidate:
    """One form that the model could be served in, compared with its source on every proof picture.

    `largest_difference` is between probabilities; times are medians in milliseconds for one picture and for a batch of 32;
    `refused` says why this form may not serve, and is empty where it may.
    """

    runtime: RuntimeName
    labels_equal: int = 0
    largest_difference: float | None = None
    one_ms: float | None = None
    batch_ms: float | None = None
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Proof:
    """That the served form answers as its source did.

    `weak` says that some class was predicted fewer than eight times among the pictures; `rarest` is how often the rarest was.
    """

    pictures: int
    rarest: int
    weak: bool
    tolerance: float
    source_one_ms: float
    source_batch_ms: float
    candidates: tuple[Candidate, ...]


@dataclass(frozen=True, slots=True)
class Features:
    """What describes a picture before the served form sees it: one of the transformers in `app.estimators`, as plain data.

    `backbone` and `sha256` name the network of an embedding; `parameters` are the transformer's own.
    """

    kind: Literal["embedding", "gradients", "pixels"]
    parameters: Mapping[str, float] = field(default_factory=dict)
    backbone: str = ""
    sha256: str = ""
