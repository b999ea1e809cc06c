"""A model file that came by the browser waits until somebody has seen what it is."""

from __future__ import annotations

import os
import pickle
import shutil
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.tree import DecisionTreeClassifier

from app.composition import Services
from app.errors import InvalidPackage, InvalidRequest, ModelNotFound, Overloaded, UnsafeModel
from app.inference.recipe import Recipe
from app.services.audit_log import Actor, subject_of_model
from app.services.model_uploads import Seen, Sent
from tests.factories import make_services
from tests.intake.classifiers import digits

ROWS, LABELS = digits()
ADA = Actor("ada@example.org")
SENT = Sent("numbers", "tree.pkl", (), {})


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pickle of a tree, and an archive of labelled samples."""
    folder = tmp_path_factory.mktemp("files")
    tree = DecisionTreeClassifier(random_state=0).fit(ROWS, LABELS)
    (folder / "tree.pkl").write_bytes(pickle.dumps(tree))
    with zipfile.ZipFile(folder / "samples.zip", "w") as archive:
        for number in range(120):
            picture = folder / "picture.png"
            Image.fromarray(np.rint(ROWS[number].reshape(8, 8) * 255).astype(np.uint8)).save(picture)
            archive.write(picture, f"digit {LABELS[number]}/{number}.png")
    return folder


@pytest.fixture
def services(tmp_path: Path) -> Services:
    return make_services(tmp_path, models=tmp_path / "shipped")


def copied(path: Path) -> Callable[[Path], object]:
    return lambda target: shutil.copy(path, target)


def receive(services: Services, files: Path, sent: Sent = SENT, *, samples: bool = True) -> Seen:
    archive = copied(files / "samples.zip") if samples else None
    return services.model_uploads.receive(sent, copied(files / "tree.pkl"), archive)


def places(services: Services) -> list[str]:
    return sorted(path.name for path in (services.settings.data / "uploads").glob("[!.]*"))


def test_what_a_file_is_and_how_it_is_fed_is_told_and_then_it_is_imported(services: Services, files: Path) -> None:
    seen = receive(services, files)
    assert services.model_uploads.look(seen.token) == seen
    assert (seen.name, seen.file_name, seen.holds) == ("numbers", "tree.pkl", ("DecisionTreeClassifier",))
    assert (seen.chosen, seen.ways[0].recipe, seen.ways[0].right) == (0, Recipe(8, 8, colour="grey"), 1.0)
    assert seen.labels == tuple(f"digit {number}" for number in range(10))
    assert len({preview.label for preview in seen.previews}) == 8
    assert services.repository.names() == []
    version = services.model_uploads.finish(seen.token, 0, ADA)
    manifest = services.repository.package("numbers", version).manifest
    assert (manifest.classes, manifest.recipe, manifest.proof is not None) == (seen.labels, Recipe(8, 8, colour="grey"), True)
    deed = services.audit_log.about(subject_of_model("numbers"))[0]
    assert (deed.actor, deed.action, deed.detail) == ("ada@example.org", "imported", "version 1 from tree.pkl")
    assert places(services) == []


def test_another_way_than_the_best_may_be_chosen(services: Services, files: Path) -> None:
    seen = receive(services, files)
    other = next(number for number, way in enumerate(seen.ways) if way.recipe.scale != seen.ways[0].recipe.scale)
    services.model_uploads.finish(seen.token, other, ADA)
    assert services.repository.package("numbers").manifest.recipe == seen.ways[other].recipe


def test_without_samples_the_one_way_that_was_concluded_is_told(services: Services, files: Path) -> None:
    seen = receive(services, files, Sent("numbers", "tree.pkl", tuple("abcdefghij"), {"scale": "0-16"}), samples=False)
    assert (len(seen.ways), seen.chosen, seen.ways[0].right, seen.previews) == (1, 0, None, ())
    assert seen.notes == ("Seen from its 64 features: grey pictures of 8x8.",)
    services.model_uploads.finish(seen.token, 0, ADA)
    manifest = services.repository.package("numbers").manifest
    assert (manifest.classes, manifest.recipe.scale) == (tuple("abcdefghij"), "0-16")


@pytest.mark.parametrize(
    ("sent", "content", "error"),
    [
        (Sent("../numbers", "a.pkl", (), {}), None, InvalidPackage),
        (Sent("numbers", "a.pkl", (), {"scale": "odd"}), None, InvalidRequest),
        (SENT, b"cos\nsystem\n(S'true'\ntR.", UnsafeModel),
    ],
)
def test_what_is_refused_is_not_kept(
    services: Services, files: Path, tmp_path: Path, sent: Sent, content: bytes | None, error: type[Exception]
) -> None:
    path = files / "tree.pkl"
    if content is not None:
        path = tmp_path / "given.pkl"
        path.write_bytes(content)
    with pytest.raises(error):
        services.model_uploads.receive(sent, copied(path), None)
    assert places(services) == []


def test_a_second_file_waits_its_turn(services: Services, files: Path) -> None:
    refused = []

    def meanwhile(target: Path) -> None:
        shutil.copy(files / "tree.pkl", target)
        with pytest.raises(Overloaded) as caught:
            receive(services, files, samples=False)
        refused.append(caught.value.retry_after)

    services.model_uploads.receive(SENT, meanwhile, None)
    assert refused == [30]


def test_what_waits_is_thrown_away_on_demand_and_after_an_hour(services: Services, files: Path) -> None:
    first, second = (receive(services, files, samples=False).token for _ in range(2))
    services.model_uploads.discard(first)
    assert places(services) == [second]
    old = time.time() - 3700
    os.utime(services.settings.data / "uploads" / second, (old, old))
    third = receive(services, files, samples=False).token
    assert places(services) == [third]
    for token in (first, second, "../..", "x"):
        with pytest.raises(ModelNotFound):
            services.model_uploads.look(token)
    for way in (-1, 1):
        with pytest.raises(InvalidRequest, match="Choose one of the ways"):
            services.model_uploads.finish(third, way, ADA)
