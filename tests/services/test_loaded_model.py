"""Versions that are held beside the active ones: a few, and not for long."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path

import pytest

from app.errors import ModelNotFound
from app.inference.repository import Repository
from app.services.loaded_model import LoadedModel
from app.services.model_loader import ModelLoader
from tests.factories import Clock, publish

pytestmark = pytest.mark.usefixtures("frozen_follower")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(shipped=None, own=tmp_path / "models")


def test_old_versions_are_let_go_when_nobody_asks_for_them(repository: Repository) -> None:
    clock = Clock()
    loader = ModelLoader(repository=repository, clock=clock)
    publish(repository)
    publish(repository)
    active, other = weakref.ref(loader.get("shade")), weakref.ref(loader.get("shade", "2"))
    clock.seconds += 290
    assert loader.get("shade", "2") is other()
    clock.seconds += 290
    loader.get("shade")
    assert is_held(other)
    clock.seconds += 20
    loader.get("shade")
    assert not is_held(other)
    assert is_held(active)
    assert loader.get("shade", "2").manifest.version == "2"


def test_only_a_few_versions_are_held_beside_the_active_one(repository: Repository) -> None:
    loader = ModelLoader(repository=repository, clock=(clock := Clock()))
    for _ in range(8):
        publish(repository)
    asked: list[weakref.ref[LoadedModel]] = [weakref.ref(loader.get("shade"))]
    for number in range(2, 9):
        clock.seconds += 0.1
        asked.append(weakref.ref(loader.get("shade", str(number))))
        loader.get("shade", "2")
    assert [is_held(model) for model in asked] == [True, True, False, False, False, True, True, True]
    for version in ("99", "../1"):
        with pytest.raises(ModelNotFound):
            loader.get("shade", version)


def is_held(model: weakref.ref[LoadedModel]) -> bool:
    gc.collect()
    return model() is not None
