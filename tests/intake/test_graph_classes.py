"""Names of classes that exporters write into the metadata are read as they are written."""

from __future__ import annotations

import onnx
import pytest

from app.intake.graph_classes import class_names
from tests.intake.networks import RED_DIGITS, noting

NUMBERS = ("0", "1", "2")


def told(content: bytes, n_classes: int = 3) -> tuple[str, ...]:
    return class_names(onnx.load_from_string(content), n_classes)


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("names", "{0: 'cat', 1: 'dog', 2: \"it's\"}"),  # as Ultralytics writes them
        ("names", '{"2": "it\'s", "0": "cat", "1": "dog"}'),
        ("classes", '["cat", "dog", "it\'s"]'),
        ("class_names", "('cat', 'dog', \"it's\")"),
        ("labels", "cat, dog,it's"),
    ],
)
def test_names_are_read_from_the_metadata(key: str, text: str) -> None:
    assert told(noting(**{"author": "somebody", key: text})) == ("cat", "dog", "it's")


@pytest.mark.parametrize("text", ["cat, dog", "cat, dog, cat", "cat,,dog", "{'a': 'cat'}", "7", "", "[" * 10_000])
def test_names_that_cannot_be_those_of_the_classes_are_numbers(text: str) -> None:
    assert told(noting(names=text)) == NUMBERS


def test_a_network_without_names_has_numbers() -> None:
    assert told(RED_DIGITS) == NUMBERS
