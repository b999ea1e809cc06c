"""The names of the classes, where an ONNX graph tells them."""

from __future__ import annotations

import ast
import json

import onnx

_ATTRIBUTES = ("classlabels_strings", "classlabels_string", "classlabels_int64s", "classlabels_ints")
# Where exporters and their users write them down, the more usual first.
_PROPERTIES = ("names", "classes", "class_names", "labels")


def class_names(graph: onnx.ModelProto, n_classes: int) -> tuple[str, ...]:
    """Give the names that a graph tells of so many classes, or their numbers from 0 where it tells none that can be used."""
    for names in (_of_classifier(graph), _of_metadata(graph)):
        if len(names) == len(set(names)) == n_classes and all(names):
            return names
    return tuple(str(number) for number in range(n_classes))


def _of_classifier(graph: onnx.ModelProto) -> tuple[str, ...]:
    for node in reversed(graph.graph.node):
        for attribute in node.attribute:
            names = attribute.strings or attribute.ints
            if attribute.name in _ATTRIBUTES and names:
                return tuple(name.decode() if isinstance(name, bytes) else str(name) for name in names)
    return ()


def _of_metadata(graph: onnx.ModelProto) -> tuple[str, ...]:
    told = {pair.key: pair.value for pair in graph.metadata_props}
    return next((_listed(told[key]) for key in _PROPERTIES if key in told), ())


def _listed(text: str) -> tuple[str, ...]:
    """Give what stands in a list or under numbers, in JSON or as Python prints it; else what stands between commas."""
    for read in (json.loads, ast.literal_eval):
        try:
            found = read(text)
            if isinstance(found, dict):
                found = [found[key] for key in sorted(found, key=int)]
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            continue
        if isinstance(found, (list, tuple)):
            return tuple(str(name) for name in found)
    return tuple(part.strip() for part in text.split(","))
