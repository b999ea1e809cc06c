"""Packages: the manifest says what a folder holds, and nothing that it does not pin is opened."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import pytest

from app.errors import InvalidPackage
from app.inference.package import MANIFEST, Metric, ModelPackage, Sample, valid_name, write_manifest
from app.inference.predictor import Predictor
from app.inference.repository import Repository
from tests.factories import make_manifest, publish


class Trap:
    """What a stranger's pickle could be: opening it makes a file."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self._file,)


@pytest.fixture
def package(tmp_path: Path) -> ModelPackage:
    return publish(Repository(shipped=None, own=tmp_path / "models"))


def rewrite(package: ModelPackage, **changed: Any) -> None:
    """Change the manifest of a package on disk; None takes an entry away."""
    file = package.folder / MANIFEST
    values = json.loads(file.read_bytes())
    values.update(changed)
    file.write_text(json.dumps({name: value for name, value in values.items() if value is not None}))


def test_a_manifest_comes_back_as_it_was_written(tmp_path: Path) -> None:
    manifest = make_manifest(
        version="3",
        titles={"dark": "the Dark"},
        metrics=(Metric("accuracy", 0.9, 0.8, 0.95), Metric("log loss", 0.2)),
        samples=(Sample("samples/a.png", "A dark picture"),),
        digests={"source.pkl": "0" * 64},
    )
    folder = tmp_path / "shade" / "3"
    folder.mkdir(parents=True)
    (folder / MANIFEST).write_bytes(write_manifest(manifest))
    assert ModelPackage.read(folder).manifest == manifest


def test_a_metric_is_found_by_its_name() -> None:
    manifest = make_manifest(metrics=(Metric("accuracy", 0.9), Metric("log loss", 0.2)))
    assert manifest.metric("log loss") == Metric("log loss", 0.2)
    assert manifest.metric("nothing") is None


@pytest.mark.parametrize(
    "changed",
    [
        {"unknown": 1},
        {"classes": None},
        {"classes": "dark"},
        {"runtime": "shell"},
        {"origin": "found"},
        {"recipe": {"width": 2, "height": 2, "fit": "bend"}},
        {"recipe": {"width": 2, "height": 2, "blur": 1}},
        {"metrics": [{"name": "accuracy", "value": "high"}]},
    ],
)
def test_a_manifest_of_another_shape_is_refused(package: ModelPackage, changed: dict[str, Any]) -> None:
    rewrite(package, **changed)
    with pytest.raises(InvalidPackage, match="cannot be read"):
        ModelPackage.read(package.folder)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b"null"])
def test_a_manifest_that_is_none_is_refused(package: ModelPackage, content: bytes) -> None:
    (package.folder / MANIFEST).write_bytes(content)
    with pytest.raises(InvalidPackage, match="cannot be read"):
        ModelPackage.read(package.folder)


def test_a_folder_without_a_manifest_is_no_package(tmp_path: Path) -> None:
    with pytest.raises(InvalidPackage, match=r"no manifest\.json"):
        ModelPackage.read(tmp_path)


@pytest.mark.parametrize("changed", [{"name": "another"}, {"version": "2"}, {"name": "../shade"}])
def test_a_manifest_of_another_model_or_version_is_refused(package: ModelPackage, changed: dict[str, str]) -> None:
    rewrite(package, **changed)
    with pytest.raises(InvalidPackage, match="is of another model"):
        ModelPackage.read(package.folder)


def test_a_changed_artifact_is_refused_before_it_is_opened(package: ModelPackage, tmp_path: Path) -> None:
    sprung = tmp_path / "sprung"
    trap = pickle.dumps(Trap(sprung))
    (package.folder / "source.pkl").write_bytes(trap)
    with pytest.raises(InvalidPackage, match="not the one its manifest pins"):
        Predictor(ModelPackage.read(package.folder))
    assert not sprung.exists()
    pickle.loads(trap)
    assert sprung.exists(), "the trap itself does not work"


def test_an_artifact_that_is_not_pinned_is_not_opened(package: ModelPackage) -> None:
    rewrite(package, digests={})
    with pytest.raises(InvalidPackage, match="does not pin"):
        ModelPackage.read(package.folder).artifact()


def test_an_artifact_that_is_gone_is_told(package: ModelPackage) -> None:
    (package.folder / "source.pkl").unlink()
    with pytest.raises(InvalidPackage, match="cannot be read"):
        package.artifact()


def test_only_pinned_files_are_given(package: ModelPackage, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    (package.folder / "more.txt").write_text("more")
    for file in ("more.txt", MANIFEST, "../../../secret", str(tmp_path / "secret")):
        with pytest.raises(InvalidPackage, match="does not pin"):
            package.pinned(file)
    assert package.pinned("source.pkl") == (package.folder / "source.pkl").read_bytes()


def test_a_package_without_a_card_has_an_empty_one(package: ModelPackage) -> None:
    assert package.card == ""
    (package.folder / "card.md").write_text("# shade: größer\n", encoding="utf-8")
    assert package.card == "# shade: größer\n"


@pytest.mark.parametrize("name", ["a", "7", "cats-vs-dogs", "a" * 63])
def test_names_are_lower_case_letters_digits_and_dashes(name: str) -> None:
    assert valid_name(name)


@pytest.mark.parametrize(
    "name", ["", "-a", "A", "a_b", "a b", "a.b", "a/b", "../a", "..", ".", "/a", "a\n", "é", "a\0", "٣", "a" * 64]
)
def test_nothing_else_is_a_name(name: str) -> None:
    assert not valid_name(name)
