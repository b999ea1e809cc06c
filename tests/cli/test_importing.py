"""`vitrine models import`: what is told of a file, what answers afterwards, and what is refused in one line."""

from __future__ import annotations

import hashlib
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.linear_model import LogisticRegression

from app.composition import Services
from app.inference.recipe import Recipe
from app.services.audit_log import subject_of_model
from tests.cli.running import Ran, Run, output_of, refusal_of
from tests.factories import make_picture

SIDE = 4


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the pickle of a classifier that tells dark pictures of 4 by 4 grey levels from light ones."""
    levels = np.linspace(0, 1, 60)[:, np.newaxis] * np.ones(SIDE * SIDE)
    classifier = LogisticRegression(C=100).fit(levels, np.where(levels[:, 0] > 0.5, "light", "dark"))
    file = tmp_path_factory.mktemp("models") / "model.pkl"
    file.write_bytes(pickle.dumps(classifier))
    return file


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the pickle of a tree that tells them apart pixel by pixel, at many thresholds."""
    rng = np.random.default_rng(0)
    levels = np.clip(np.linspace(0, 1, 400)[:, np.newaxis] + rng.normal(0, 0.02, (400, SIDE * SIDE)), 0, 1)
    levels = np.rint(levels * 255) / 255
    classifier = ExtraTreesClassifier(20, random_state=0).fit(levels, np.where(np.linspace(0, 1, 400) > 0.5, "light", "dark"))
    file = tmp_path_factory.mktemp("models") / "tree.pkl"
    file.write_bytes(pickle.dumps(classifier))
    return file


def bring_in(vitrine: Run, file: Path, *words: str) -> Ran:
    return vitrine("models", "import", file, "--name", "shade", *words)


def test_a_file_is_told_of_line_by_line_and_answers(vitrine: Run, services: Services, model: Path, tmp_path: Path) -> None:
    ran = bring_in(vitrine, model)
    assert ran.code == 0, ran.err
    lines = ran.out.splitlines()
    assert lines[0] == "Read without being run: LogisticRegression."
    assert lines[1].startswith("Written with scikit-learn ")
    assert lines[2] == "Seen from its 16 features: grey pictures of 4x4."
    assert lines[-3] == "Classes: dark, light."
    assert lines[-2].startswith("Proven on ")
    assert "every label equal" in lines[-2]
    assert lines[-1].startswith("Served by ONNX: ")
    assert ran.err == "shade 1 is imported; version 1 is active.\n"
    photo = tmp_path / "photo.png"
    photo.write_bytes(make_picture((250, 250, 250)))
    assert "This image is a Light" in output_of(vitrine("predict", photo, "--model", "shade"))
    deeds = services.audit_log.about(subject_of_model("shade"))
    assert [(deed.actor, deed.action, deed.detail) for deed in deeds] == [
        ("command line", "imported", "version 1 from model.pkl")
    ]


def test_the_next_version_is_active_unless_the_present_is_to_stay(vitrine: Run, services: Services, model: Path) -> None:
    output_of(bring_in(vitrine, model))
    replayed, active = bring_in(vitrine, model, "--labels", " deep night,Tag ,").err.splitlines()
    assert replayed.startswith("Nothing was replayed")
    assert active.startswith("shade 2 is imported and active")
    assert services.repository.package("shade").manifest.classes == ("deep night", "Tag")
    assert bring_in(vitrine, model, "--keep-active").err == "shade 3 is imported; version 2 is active.\n"
    assert services.repository.active_version("shade") == "2"


def test_a_picture_is_seen_as_the_options_say(vitrine: Run, services: Services, model: Path) -> None:
    words = ("--size", "2x8", "--colour", "grey", "--scale", "0-16", "--fit", "pad")
    assert "Seen from" not in output_of(bring_in(vitrine, model, *words))
    assert services.repository.package("shade").manifest.recipe == Recipe(2, 8, fit="pad", colour="grey", scale="0-16")


def test_the_order_of_the_numbers_and_negatives_are_said_too(vitrine: Run, services: Services, model: Path) -> None:
    output_of(bring_in(vitrine, model, "--layout", "flat-channels-first", "--invert"))
    recipe = services.repository.package("shade").manifest.recipe
    assert recipe == Recipe(4, 4, colour="grey", layout="flat-channels-first", invert=True)


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder of 80 labelled pictures."""
    folder = tmp_path_factory.mktemp("samples")
    for level in range(20, 260, 3):
        label = "light" if level > 127 else "dark"
        (folder / label).mkdir(exist_ok=True)
        (folder / label / f"{level}.png").write_bytes(make_picture((level, level, level), (SIDE, SIDE)))
    return folder


def test_labelled_samples_decide_and_the_ways_are_shown_with_what_they_have_right(
    vitrine: Run, services: Services, tree: Path, samples: Path
) -> None:
    lines = output_of(bring_in(vitrine, tree, "--samples", str(samples))).splitlines()
    first = [cell.strip() for cell in lines[3].split("│")[1:-1]]
    assert first == ["1", "100.0%", "95.4% to 100.0%", "stretched to 4 × 4 pixels; grey; 0 to 1; one flat row"]
    assert any(
        line.startswith("How it is fed: stretched to 4 × 4 pixels; grey; 0 to 1; one flat row. 100.0% of 80") for line in lines
    )
    assert services.repository.package("shade").manifest.recipe == Recipe(4, 4, colour="grey")


def test_what_they_leave_open_is_refused_with_the_options_that_say_it(
    vitrine: Run, services: Services, tree: Path, samples: Path, tmp_path: Path
) -> None:
    for file in [*sorted((samples / "dark").iterdir())[:5], *sorted((samples / "light").iterdir())[:5]]:
        (tmp_path / "few" / file.parent.name).mkdir(parents=True, exist_ok=True)
        (tmp_path / "few" / file.parent.name / file.name).write_bytes(file.read_bytes())
    ran = bring_in(vitrine, tree, "--samples", str(tmp_path / "few"))
    assert ran.code == 1
    assert "10 samples are too few to decide by: it takes 30. Say which it is:" in ran.err
    assert "100.0% --size 4x4 --colour grey --scale 0-1 --fit stretch --layout flat --no-invert" in ran.err
    assert "shade" not in services.repository.names()


@pytest.mark.parametrize("option", ["--colour", "--scale", "--fit", "--layout"])
def test_an_option_that_means_nothing_is_told(vitrine: Run, model: Path, option: str) -> None:
    ran = bring_in(vitrine, model, option, "odd")
    assert (ran.code, ran.out) == (2, "")
    assert f"Invalid value for '{option}'" in ran.err


def test_a_model_needs_a_name(vitrine: Run, model: Path) -> None:
    ran = vitrine("models", "import", model)
    assert (ran.code, ran.out) == (2, "")
    assert "Missing option '--name'" in ran.err


class Harm:
    """A pickle that makes a file when it is opened."""

    def __init__(self, canary: Path) -> None:
        self._canary = canary

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (str(self._canary),)


def test_a_file_that_would_do_harm_is_refused_by_name_and_not_opened(vitrine: Run, services: Services, tmp_path: Path) -> None:
    file = tmp_path / "evil.pkl"
    file.write_bytes(pickle.dumps(Harm(tmp_path / "canary")))
    refusal = refusal_of(bring_in(vitrine, file))
    assert refusal.startswith("The file was not opened: it would use posix.mkdir, which a trained classifier does not need.")
    assert f"--trust sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}" in refusal
    assert not (tmp_path / "canary").exists()
    assert services.repository.versions("shade") == []


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is no model file that we know"),
        (b"\x80\x04 not really", "no whole pickle"),
        (pickle.dumps({"no": "classifier"}), "say the size of the pictures with --size"),
    ],
)
def test_what_is_no_model_is_told_in_a_line(vitrine: Run, tmp_path: Path, content: bytes, sentence: str) -> None:
    file = tmp_path / "model.pkl"
    file.write_bytes(content)
    assert sentence in refusal_of(bring_in(vitrine, file))


def test_what_is_missing_is_told_in_a_line(vitrine: Run, tmp_path: Path) -> None:
    assert "cannot be opened (No such file" in refusal_of(bring_in(vitrine, tmp_path / "gone.pkl"))
