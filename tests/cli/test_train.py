"""Training from the command line: progress beside, the verdict and what was left out on standard output."""

from __future__ import annotations

import pickle
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier

from app.composition import Services
from app.inference.images import decode
from app.inference.recipe import Recipe
from app.inference.repository import Repository
from tests.cli.running import Ran, Run, output_of, refusal_of
from tests.factories import make_drawing, make_manifest, make_photos
from tests.serving import RunningSite


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    return make_photos(tmp_path / "photos", count=6)


@pytest.fixture
def mislabelled(tmp_path: Path) -> Path:
    """Give photos whose labels do not follow from what is on them."""
    folder = tmp_path / "mislabelled"
    for number in range(20):
        label = ("left", "right")[number % 3 == 0]
        (folder / label).mkdir(parents=True, exist_ok=True)
        make_drawing("same", number).save(folder / label / f"{number:02}.png")
    return folder


def train(vitrine: Run, folder: Path, *words: str | Path) -> Ran:
    return vitrine("train", "sides", "--data", folder, "--design", "pixels", *words)


def publish_oracle(repository: Repository, folder: Path) -> None:
    """Publish a version that knows every photo of the folder by heart."""
    recipe = Recipe(24, 24)
    files = sorted(folder.rglob("*.png"))
    rows = np.stack([recipe.array(decode(file.read_bytes(), fit=recipe.size)) for file in files])
    oracle = KNeighborsClassifier(1).fit(rows, [file.parent.name for file in files])
    manifest = make_manifest("sides", classes=("left", "right"), recipe=recipe)
    repository.publish(manifest, {"source.pkl": pickle.dumps(oracle)})


def test_the_verdict_is_printed_the_progress_beside_it_and_the_model_answers(
    tmp_path: Path, vitrine: Run, photos: Path
) -> None:
    site = RunningSite(tmp_path)
    ran = site.run("train", "sides", "--data", str(photos), "--design", "pixels")
    assert ran.returncode == 0, ran.stderr
    verdict, card = ran.stdout.splitlines()
    assert re.fullmatch(r"sides 1 is right on 100\.0% of \d+ held-out photos\.", verdict)
    assert card == f"It is active. Its card: {site.data / 'models' / 'sides' / '1' / 'card.md'}"
    assert Path(card.split(": ")[1]).read_text(encoding="utf-8").startswith("# sides")
    assert re.search(r"looking at the photos \(pixels\) 12/12", ran.stderr)
    assert re.search(r"choosing the strength 1/1", ran.stderr)
    said = output_of(vitrine("predict", photos / "right" / "03.png", "--model", "sides"))
    assert "This image is a Right" in said


def test_of_many_left_out_the_first_ten_are_told_with_their_reason_and_the_card_lists_all(
    vitrine: Run, services: Services, tmp_path: Path
) -> None:
    folder = make_photos(tmp_path / "photos", count=6)
    (folder / "right" / "broken.png").write_bytes(b"no picture")
    for number in range(12):
        (folder / "left" / f"copy-{number:02}.png").write_bytes((folder / "left" / "00.png").read_bytes())
    *left_out, more, _, _ = output_of(train(vitrine, folder)).splitlines()
    assert left_out == [f"Left out left/copy-{number:02}.png: a copy of left/00.png." for number in range(10)]
    assert more == "Left out 3 more; the card lists them."
    card = services.repository.package("sides").card
    assert all(f"left/copy-{number:02}.png" in card for number in range(12))
    assert "right/broken.png" in card


def test_a_worse_version_waits_and_the_way_to_use_it_works(vitrine: Run, services: Services, mislabelled: Path) -> None:
    publish_oracle(services.repository, mislabelled)
    measured, waits, way = output_of(train(vitrine, mislabelled)).splitlines()
    assert measured.startswith("sides 2 is right on ")
    assert waits == "It is not active: version 1 is right on 100.0% of the same photos."
    assert services.repository.active_version("sides") == "1"
    command = way.removeprefix("To use it all the same: vitrine ").split()
    assert vitrine(*command).code == 0
    assert services.repository.active_version("sides") == "2"


def test_what_was_learned_is_written_down(vitrine: Run, services: Services, photos: Path, mislabelled: Path) -> None:
    output_of(train(vitrine, photos))
    publish_oracle(services.repository, mislabelled)
    services.repository.activate("sides", "2")
    output_of(train(vitrine, mislabelled))
    assert [(deed.actor, deed.action, deed.detail) for deed in services.audit_log.about("model:sides")] == [
        ("command line", "trained", "version 3, not active"),
        ("command line", "trained", "version 1, active now"),
    ]


def test_a_model_for_another_folder_holds_the_given_words_and_leaves_the_site_alone(
    vitrine: Run, data: Path, photos: Path, tmp_path: Path
) -> None:
    named, unnamed, elsewhere = photos / "left" / "00.png", photos / "right" / "bright_half.png", tmp_path / "elsewhere"
    shutil.copy(photos / "right" / "01.png", unnamed)
    words = ["--summary", "Tells sides.", "--expects", "A drawing.", "--limits", "Not for circles.", "--attribution", "Ada"]
    printed = output_of(train(vitrine, photos, *words, "--sample", f"{named}=A = B", "--sample", unnamed, "--into", elsewhere))
    assert str(elsewhere / "sides" / "1" / "card.md") in printed
    package = Repository(shipped=None, own=elsewhere).package("sides")
    manifest = package.manifest
    assert (manifest.summary, manifest.expects, manifest.attribution) == ("Tells sides.", "A drawing.", "Ada")
    assert "Not for circles." in package.card
    assert [(sample.file, sample.alt) for sample in manifest.samples] == [
        ("samples/00.png", "A = B"),
        ("samples/bright_half.png", "bright half"),
    ]
    assert not data.exists()


def test_a_name_that_is_none_is_refused_before_the_work(vitrine: Run, data: Path, photos: Path) -> None:
    refusal = refusal_of(vitrine("train", "../Sides", "--data", photos, "--design", "pixels"))
    assert refusal.startswith("A model cannot be called '../Sides'")
    assert not data.exists()


def test_a_folder_that_is_not_there_is_told_in_one_line(vitrine: Run, tmp_path: Path) -> None:
    ran = train(vitrine, tmp_path / "none")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.strip() == f"vitrine: There is no folder {tmp_path / 'none'}."


def test_a_design_that_there_is_not_is_told(vitrine: Run, data: Path, photos: Path) -> None:
    ran = vitrine("train", "sides", "--data", photos, "--design", "guessing")
    assert (ran.code, ran.out) == (2, "")
    assert "Invalid value for '--design'" in ran.err
    assert not data.exists()
