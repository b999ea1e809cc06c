"""One command from a notebook to a link: three classifiers are put on show, and asked in real Chromium."""

from __future__ import annotations

import pickle
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Browser, expect
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from tests.showing import ModelOnShow

pytestmark = pytest.mark.journey

Pixels = NDArray[np.uint8]  # (height, width, 3)


@dataclass(frozen=True)
class Notebook:
    """What a notebook leaves behind: a classifier, how to say what it was fed, and photos with what is on them."""

    classifier: Any
    words: tuple[str, ...]
    photos: dict[str, Pixels]


def digits_in_grey() -> Notebook:
    """A support vector machine on 8 by 8 levels of ink from 0 to 16, and digits that it has not seen."""
    digits = load_digits()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        classifier = SVC(gamma=0.001, probability=True, random_state=0).fit(digits.data[:1200], digits.target[:1200])
    photos: dict[str, Pixels] = {}
    for number in range(1200, 1300):
        label = int(digits.target[number])
        if label in (3, 4, 7) and classifier.predict(digits.data[number : number + 1])[0] == label:
            grey = np.kron(np.rint(digits.images[number] * 255 / 16), np.ones((8, 8)))
            photos.setdefault(str(label), np.repeat(grey[:, :, np.newaxis], 3, axis=2).astype(np.uint8))
    return Notebook(classifier, ("--scale", "0-16"), photos)


def landscape(kind: int, rng: np.random.Generator, side: int = 64) -> Pixels:
    """Give a noisy landscape: sky over grass, sand under the evening, or the sea by night."""
    sky, ground = [((120, 180, 250), (60, 140, 50)), ((250, 130, 60), (210, 180, 120)), ((10, 10, 40), (20, 50, 90))][kind]
    picture = np.empty((side, side, 3))
    horizon = int(rng.integers(side // 3, 2 * side // 3))
    picture[:horizon], picture[horizon:] = sky, ground
    return np.clip(picture + rng.normal(0, 40, picture.shape), 0, 255).astype(np.uint8)


def landscapes_in_colour() -> Notebook:
    """A forest on 64 by 64 colours from 0 to 255, whose classes are numbers."""
    rng = np.random.default_rng(1)
    kinds = np.arange(150) % 3
    rows = np.stack([landscape(int(kind), rng).reshape(-1) for kind in kinds])
    classifier = RandomForestClassifier(100, random_state=0).fit(rows, kinds)
    names = ("meadow", "evening", "open_sea")
    photos = {name.replace("_", " ").capitalize(): landscape(kind, rng, side=256) for kind, name in enumerate(names)}
    return Notebook(classifier, ("--scale", "0-255", "--labels", ",".join(names)), photos)


def flag(upright: bool, rng: np.random.Generator, side: int = 16) -> Pixels:
    """Give a flag: red and blue beside each other where it is upright, else one above the other."""
    picture = np.full((side, side, 3), 40.0)
    first, second = (slice(0, side // 2), slice(side // 2, side))
    picture[(slice(None), first, 0) if upright else (first, slice(None), 0)] = 220
    picture[(slice(None), second, 2) if upright else (second, slice(None), 2)] = 220
    return np.clip(picture + rng.normal(0, 25, picture.shape), 0, 255).astype(np.uint8)


def flags_channels_first() -> Notebook:
    """A network on rows of 16 by 16 pixels from 0 to 1 that hold all of the red, then the green, then the blue."""
    rng = np.random.default_rng(2)
    upright = np.arange(240) % 2 == 0
    rows = np.stack([flag(bool(one), rng).transpose(2, 0, 1).reshape(-1) / 255 for one in upright])
    network = MLPClassifier((32,), max_iter=200, random_state=0)
    classifier = make_pipeline(StandardScaler(), network).fit(rows, np.where(upright, "upright flag", "lying flag"))
    photos = {"Upright flag": flag(True, rng), "Lying flag": flag(False, rng)}
    # Beside each other means nothing to a network that is fed in another order.
    assert set(classifier.predict(np.stack([photo.reshape(-1) / 255 for photo in photos.values()]))) != {*classifier.classes_}
    return Notebook(classifier, ("--layout", "flat-channels-first"), photos)


@pytest.mark.parametrize("notebook", [digits_in_grey, landscapes_in_colour, flags_channels_first])
def test_a_pickle_is_on_show_after_one_command(browser: Browser, tmp_path: Path, notebook: Callable[[], Notebook]) -> None:
    made = notebook()
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(made.classifier))
    assert len(made.photos) >= 2
    with ModelOnShow(tmp_path, "model.pkl", *made.words) as running:
        context = browser.new_context()
        page = context.new_page()
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(running.url)
        for name, pixels in made.photos.items():
            photo = tmp_path / f"{name}.png"
            Image.fromarray(pixels).save(photo)
            page.set_input_files("input[type=file]", photo)
            page.get_by_role("button", name=re.compile(r"^Classify( \d+ photos?)?$")).click()
            row = page.locator(".photo").filter(has_text=f"{name}.png")
            expect(row).to_contain_text(re.compile(rf"This image is an? {name} [\d.> ]+ %"))
        assert complaints == []
        context.close()
        assert running.end() == 0
        assert running.left == []
