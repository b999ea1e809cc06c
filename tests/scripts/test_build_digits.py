"""The bundled digits are what the script builds: the same figures, the same card and samples."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from app.inference.package import ModelPackage

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "models" / "digits" / "1"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    models = tmp_path_factory.mktemp("models")
    command = [sys.executable, str(ROOT / "scripts" / "build-digits"), str(models)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("digits 1: accuracy 98.")
    return models / "digits" / "1"


def manifest(folder: Path) -> dict[str, Any]:
    loaded = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert isinstance(loaded, dict)
    return loaded


def test_at_least_97_percent_of_the_held_out_digits_are_read_right(built: Path) -> None:
    accuracy = ModelPackage.read(built).manifest.metric("accuracy")
    assert accuracy is not None
    assert accuracy.value >= 0.97


def test_a_rebuild_gives_the_shipped_figures(built: Path) -> None:
    for new, shipped in zip(manifest(built)["metrics"], manifest(SHIPPED)["metrics"], strict=True):
        assert new.pop("name") == shipped.pop("name")
        # Another processor's library of linear algebra may round the last digits otherwise.
        assert new == pytest.approx(shipped, abs=1e-3)


def test_a_rebuild_says_of_itself_what_the_shipped_package_says(built: Path) -> None:
    varying = ("created_at", "digests", "libraries", "metrics", "proof", "source")
    new, shipped = ({key: value for key, value in manifest(f).items() if key not in varying} for f in (built, SHIPPED))
    assert new == shipped


def test_a_rebuild_is_proven_and_confined_as_the_shipped_package_was(built: Path) -> None:
    for folder in (built, SHIPPED):
        told = ModelPackage.read(folder).manifest
        assert told.proof is not None
        assert told.source is not None
        assert (told.runtime, told.proof.weak) == ("onnx", False)
        assert told.proof.rarest >= 8
        assert {"no new privileges", "files", "system calls"} <= set(told.source.confinement)


def test_the_samples_are_the_shipped_ones_and_not_learned_from(built: Path) -> None:
    samples = sorted(file.name for file in (SHIPPED / "samples").iterdir())
    assert samples == [f"{digit}.png" for digit in (0, 2, 3, 5, 7, 8)]
    for name in samples:
        assert (built / "samples" / name).read_bytes() == (SHIPPED / "samples" / name).read_bytes()


def test_the_card_is_the_shipped_one_figures_apart(built: Path) -> None:
    new, shipped = (
        [line for line in (folder / "card.md").read_text(encoding="utf-8").splitlines() if "%" not in line and "0." not in line]
        for folder in (built, SHIPPED)
    )
    assert new == shipped


def test_the_shipped_pickle_reaches_its_figure_on_the_held_out_digits() -> None:
    shipped = ModelPackage.read(SHIPPED)
    digits = load_digits()
    _, test = train_test_split(np.arange(len(digits.data)), test_size=0.25, stratify=digits.target, random_state=0)
    # Drawn as pictures, sixteen levels are two hundred and fifty-six and back again: at most a thirtieth of one apart.
    answers = pickle.loads(shipped.pinned("source.pkl")).predict(np.rint(digits.data[test] * 255 / 16) / 255 * 16)
    accuracy = shipped.manifest.metric("accuracy")
    assert accuracy is not None
    assert np.mean(answers == digits.target[test]) == pytest.approx(accuracy.value, abs=0.005)
