"""A form that a classifier is served in, and the word for one that has no way to hold it."""

from __future__ import annotations

from dataclasses import dataclass

from app.inference.provenance import Features, RuntimeName


@dataclass(frozen=True, eq=False)
class Form:
    """What a runtime opens, and the description of pictures that comes before it."""

    runtime: RuntimeName
    file: str
    artifact: bytes
    features: Features | None = None


class CannotHold(Exception):
    """This form has no way to hold such a classifier."""
