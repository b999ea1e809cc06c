"""The versions of the libraries a model was made with, and how they differ from today's."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version

_RECORDED = ("scikit-learn", "numpy", "scipy", "joblib", "onnxruntime", "skops", "pillow")


def installed() -> dict[str, str]:
    """Give the versions of the libraries that matter to an answer."""
    return {name: found for name in _RECORDED if (found := _version(name))}


def differences(recorded: Mapping[str, str]) -> list[str]:
    """Give a sentence for each library whose version differs in more than its last part from the recorded one."""
    return [
        f"Made with {name} {was}; this site runs {now}."
        for name, was in recorded.items()
        if (now := _version(name)) is not None and now.split(".")[:2] != was.split(".")[:2]
    ]


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
