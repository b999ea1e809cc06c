"""The loader: which model answers, opened once, following what is activated, whatever is damaged."""

from __future__ import annotations

import pickle
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.errors import InvalidModel, InvalidPackage, ModelNotFound, ModelRequired
from app.inference.repository import Repository
from app.services.model_loader import ModelLoader
from tests.factories import Clock, make_classifier, make_manifest, publish

OPENED: list[str] = []


class Opening:
    """A pickle that notes every opening of it, and then is a classifier."""

    def __init__(self, classifier: Any) -> None:
        self._classifier = classifier

    def __reduce__(self) -> tuple[Any, ...]:
        return _opened, (pickle.dumps(self._classifier),)


def _opened(classifier: bytes) -> Any:
    OPENED.append(threading.current_thread().name)
    threading.Event().wait(0.05)  # long enough for the others to come to the door
    return pickle.loads(classifier)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(shipped=None, own=tmp_path / "models")


@pytest.fixture
def loader(repository: Repository) -> ModelLoader:
    return ModelLoader(repository=repository)


def test_without_any_model_there_is_nothing_to_ask(loader: ModelLoader) -> None:
    with pytest.raises(ModelNotFound, match="No model is served"):
        loader.get()
    assert loader.problems() == {}


def test_the_only_model_answers(loader: ModelLoader, repository: Repository) -> None:
    publish(repository, "shade")
    assert loader.get().manifest.name == "shade"


def test_of_several_one_must_be_named(loader: ModelLoader, repository: Repository) -> None:
    publish(repository, "shade")
    publish(repository, "light")
    with pytest.raises(ModelRequired, match="light, shade"):
        loader.get()
    assert loader.get("light").manifest.name == "light"


def test_cats_vs_dogs_answers_among_others(loader: ModelLoader, repository: Repository) -> None:
    for name in ("a-first", "cats-vs-dogs", "shade"):
        publish(repository, name)
    assert loader.get().manifest.name == "cats-vs-dogs"


def test_the_setting_chooses_before_all_else(repository: Repository) -> None:
    for name in ("cats-vs-dogs", "shade"):
        publish(repository, name)
    assert ModelLoader(repository=repository, default_model="shade").get().manifest.name == "shade"
    with pytest.raises(ModelNotFound, match="'gone'"):
        ModelLoader(repository=repository, default_model="gone").get()


@pytest.mark.parametrize(("name", "version"), [("other", None), ("shade", "2"), ("../shade", None), ("shade", "../shade/1")])
def test_what_is_not_there_is_not_found(loader: ModelLoader, repository: Repository, name: str, version: str | None) -> None:
    publish(repository, "shade")
    with pytest.raises(ModelNotFound):
        loader.get(name, version)


def test_every_version_can_be_asked_for(loader: ModelLoader, repository: Repository) -> None:
    publish(repository)
    publish(repository)
    assert [loader.get("shade", version).manifest.version for version in ("1", "2")] == ["1", "2"]
    assert loader.get("shade").manifest.version == "1"


def test_a_version_is_opened_once(loader: ModelLoader, repository: Repository) -> None:
    publish(repository)
    loaded = loader.get("shade")
    assert loader.get("shade", "1") is loaded
    assert loader.get() is loaded


def test_threads_that_ask_at_once_share_one_opening(loader: ModelLoader, repository: Repository) -> None:
    repository.publish(make_manifest(), {"source.pkl": pickle.dumps(Opening(make_classifier()))})
    OPENED.clear()
    start = threading.Barrier(4)

    def ask(_: int) -> Any:
        start.wait()
        return loader.get("shade")

    with ThreadPoolExecutor(4) as pool:
        assert len({id(loaded) for loaded in pool.map(ask, range(4))}) == 1
    assert len(OPENED) == 1


def test_a_new_model_is_served_without_a_restart(loader: ModelLoader, repository: Repository) -> None:
    publish(repository, "shade")
    loader.get("shade")
    publish(repository, "light")
    assert loader.get("light").manifest.name == "light"


def test_a_damaged_package_is_told_while_the_others_serve(loader: ModelLoader, repository: Repository) -> None:
    publish(repository, "shade")
    damaged = publish(repository, "damaged")
    (damaged.folder / "source.pkl").write_bytes(b"something else")
    unfit = repository.publish(make_manifest("unfit"), {"source.pkl": pickle.dumps({"no": "classifier"})})
    loader.open_active()
    problems = loader.problems()
    assert set(problems) == {"damaged", "unfit"}
    assert "not the one its manifest pins" in problems["damaged"]
    assert not loader.answers("damaged")
    assert loader.get("shade").manifest.name == "shade"
    with pytest.raises(InvalidPackage):
        loader.get("damaged")
    with pytest.raises(InvalidModel):
        loader.get("unfit", unfit.manifest.version)


@pytest.mark.usefixtures("frozen_follower")
def test_a_package_that_was_mended_serves_again(repository: Repository) -> None:
    clock = Clock()
    loader = ModelLoader(repository=repository, clock=clock)
    package = publish(repository)
    content = (package.folder / "source.pkl").read_bytes()
    (package.folder / "source.pkl").write_bytes(b"something else")
    assert set(loader.problems()) == {"shade"}
    with pytest.raises(InvalidPackage, match="not the one its manifest pins"):
        loader.get("shade")
    (package.folder / "source.pkl").write_bytes(content)
    clock.seconds += 6  # longer than anybody who follows the disk would let pass
    assert loader.problems() == {}
    assert loader.get("shade").manifest.version == "1"


def test_a_version_that_cannot_answer_once_is_told_and_not_served(loader: ModelLoader, repository: Repository) -> None:
    publish(repository, "shade")
    publish(repository, "wrong", classes=("one", "two", "three"))
    loader.open_active()
    assert loader.problems() == {}, "nothing is run before the fork"
    loader.warm_up()
    assert set(loader.problems()) == {"wrong"}
    assert (loader.answers("shade"), loader.answers("wrong")) == (True, False)
    with pytest.raises(InvalidModel, match="wrong 1"):
        loader.get("wrong")
    assert loader.get("shade").manifest.version == "1"


def test_a_loaded_model_answers_through_its_batcher(loader: ModelLoader, repository: Repository) -> None:
    publish(repository)
    loaded = loader.get()
    answer = loaded.batcher.submit(np.ones(12), deadline=0)
    assert np.array_equal(answer.result, make_classifier().predict_proba(np.ones((1, 12)))[0])
