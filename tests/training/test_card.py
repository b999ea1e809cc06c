"""The card: every section, figures with their intervals, and names that stay names."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any

import mistune
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sklearn.pipeline import Pipeline

from app.inference.package import Metric
from app.training.card import measured, plain, table, write_card
from app.training.dataset import Dataset, LeftOut, Photo
from app.training.designs import DESIGNS
from app.training.experiment import Baseline, Experiment
from app.training.split import FixedSplit

SECTIONS = ["Data", "How it learns", "How good it is", "Confusions", "Calibration", "Mistakes", "What it cannot do"]

# How quick a busy machine is tells nothing of what is tested.


def make_experiment(classes: tuple[str, ...] = ("cat", "dog"), **given: Any) -> Experiment:
    """Give an experiment of four photos a class, half held out; of those the last is answered wrong, rather surely."""
    photos = tuple(Photo(f"{label}/{n}.png", label, f"{label}{n}") for label in classes for n in range(4))
    test = np.array([i for i in range(len(photos)) if i % 4 > 1])
    truth = np.repeat(np.arange(len(classes)), 2)
    rows = np.full((len(truth), len(classes)), 0.2 / (len(classes) - 1))
    rows[np.arange(len(truth)), np.append(truth[:-1], 0)] = 0.8
    values: dict[str, Any] = {
        "pipeline": Pipeline([]),
        "design": DESIGNS["pixels"],
        "strength": 0.001,
        "dataset": Dataset(Path("photos"), photos, (), "Photos: Zoë, CC BY 4.0"),
        "split": FixedSplit(np.setdiff1d(np.arange(len(photos)), test), test, np.arange(len(photos)), (), "0" * 64),
        "truth": truth,
        "probabilities": rows,
        "metrics": (Metric("accuracy", 0.75, 0.25, 1.0),),
        "baselines": (Baseline("Always answering 'cat'", 0.5), Baseline("Another design", 0.75)),
    }
    return Experiment(**{**values, **given})


def card_of(experiment: Experiment, **given: str) -> str:
    return write_card("pets", experiment, **{"summary": "Tells cats from dogs.", **given})


def section(card: str, title: str) -> str:
    return card.split(f"\n## {title}\n\n")[1].split("\n## ")[0]


def rendered(markdown: str) -> str:
    """Show Markdown as the site does."""
    html = mistune.create_markdown(escape=True, plugins=["table"])(markdown)
    assert isinstance(html, str)
    return html


def with_files(experiment: Experiment, name: str) -> Experiment:
    photos = tuple(replace(photo, file=f"{photo.label}/{name}") for photo in experiment.dataset.photos)
    left_out = (LeftOut(name, f"a copy of {name}"),)
    return replace(experiment, dataset=replace(experiment.dataset, photos=photos, left_out=left_out))


@pytest.fixture(scope="module")
def card() -> str:
    return card_of(make_experiment(), limits="Not for foxes.")


def test_begins_with_the_name_and_the_summary_and_has_every_section_once(card: str) -> None:
    assert card.startswith("# pets\n\nTells cats from dogs.\n\n## Data\n")
    assert re.findall(r"^## (.+)$", card, re.MULTILINE) == SECTIONS


def test_tells_what_was_learned_from_and_whose_it_is(card: str) -> None:
    assert "| cat | 2 | 2 |\n| dog | 2 | 2 |\n\nPhotos: Zoë, CC BY 4.0" in section(card, "Data")
    unknown = replace(make_experiment(), dataset=replace(make_experiment().dataset, attribution=""))
    assert "No licence or attribution was given with the photos." in section(card_of(unknown), "Data")


def test_lists_what_was_left_out_up_to_twenty_and_counts_the_rest() -> None:
    assert "Left out" not in card_of(make_experiment())
    left_out = tuple(LeftOut(f"cat/broken {n}.png", "This picture is damaged") for n in range(23))
    data = section(card_of(replace(make_experiment(), dataset=replace(make_experiment().dataset, left_out=left_out))), "Data")
    assert "Left out (23):" in data
    assert data.count("| This picture is damaged |") == 20
    assert "| cat/broken 19.png | This picture is damaged |\n\nAnd 3 more." in data


def test_tells_how_it_learns_and_of_the_backbone_only_where_one_is_used(card: str) -> None:
    learns = section(card, "How it learns")
    assert "Pixels and logistic regression. Photos are stretched to 32 by 32 pixels." in learns
    assert "C = 0.001 was chosen from 1e-06, 1e-05, 0.0001, 0.001, 0.01 by the log loss" in learns
    assert "ImageNet" not in card
    whole = section(card_of(make_experiment(design=DESIGNS["embedding"])), "How it learns")
    assert "Apache-2.0" in whole
    assert "8 bits" not in whole
    quantised = section(card_of(make_experiment(design=DESIGNS["embedding-q8"])), "How it learns")
    assert "Apache-2.0" in quantised
    assert "Modified: its weights are quantised to 8 bits" in quantised


def test_every_figure_stands_with_its_interval() -> None:
    metrics = (Metric("balanced accuracy", 0.75, 0.5, 1.0), Metric("log loss", 0.5, 0.25, 0.75), Metric("accuracy", 1.0))
    good = section(card_of(make_experiment(metrics=metrics)), "How good it is")
    assert "on 4 held-out photos" in good
    assert "| balanced accuracy | 75.0% | 50.0% to 100.0% |" in good
    assert "| log loss | 0.5000 | 0.2500 to 0.7500 |" in good
    assert "| accuracy | 100.0% | too few photos |" in good
    assert "1,234 held-out photos" in measured(metrics, 1234)


def test_simpler_ways_are_told_beside_it(card: str) -> None:
    good = section(card, "How good it is")
    assert "On the same photos:" in good
    assert "| Always answering 'cat' | 50.0% |\n| Another design | 75.0% |" in good


def test_the_confusions_have_the_truth_in_rows(card: str) -> None:
    assert "| it was, answered as | cat | dog |\n|---|---|---|\n| cat | 2 | 0 |\n| dog | 1 | 1 |" in card


def test_of_many_classes_only_the_confusions_that_happened_are_listed() -> None:
    experiment = make_experiment(tuple(f"class {number:02}" for number in range(25)))
    assert section(card_of(experiment), "Confusions").strip().splitlines() == [
        "| it was | answered | photos |",
        "|---|---|---|",
        "| class 24 | class 00 | 1 |",
    ]


def test_the_calibration_is_told_bin_by_bin(card: str) -> None:
    assert section(card, "Calibration").strip().endswith("|---|---|---|\n| 80.0% | 75.0% | 4 |")


def test_mistakes_are_told_by_name_the_surest_first() -> None:
    sure = np.array([[0.4, 0.6], [0.9, 0.1], [0.1, 0.9], [0.99, 0.01]])
    mistakes = section(card_of(make_experiment(probabilities=sure)), "Mistakes")
    assert mistakes.startswith("2 in all; the surest first.")
    assert mistakes.strip().endswith("| dog/3.png | dog | cat | 99.0% |\n| cat/2.png | cat | dog | 60.0% |")


def test_of_many_mistakes_the_twelve_surest_are_named_and_none_is_said_to_be_none() -> None:
    experiment = make_experiment(tuple("abcdefghij"))
    wrong = replace(experiment, probabilities=np.roll(experiment.probabilities, 1, axis=1))
    assert section(card_of(wrong), "Mistakes").count(".png |") == 12
    right = replace(experiment, probabilities=np.eye(10)[experiment.truth])
    assert section(card_of(right), "Mistakes").strip() == "None on the held-out photos."


def test_tells_what_it_cannot_do(card: str) -> None:
    cannot = section(card, "What it cannot do")
    assert "It knows these classes only: cat, dog." in cannot
    assert "a picture of something else gets a wrong answer" in cannot
    assert cannot.endswith("they may be lower. Not for foxes.\n")


@given(st.text(min_size=1, max_size=30))
@example("a|b.png")
@example(r"a\|b.png")
@example("__init__.png")
@example("<script>alert(1)</script>.png")
@example("[see](https://example.org).png")
@example("![](x) `code` *so* &lt;.png")
def test_any_file_name_is_shown_as_it_is(name: str) -> None:
    cell = re.search(r"<td>(.*)</td>", rendered(table(("photo", "n"), [(f"x/{name}.png", 1)])).split("\n  <td>1")[0])
    assert cell is not None
    shown = "".join(character if character.isprintable() else "�" for character in name)
    assert unescape(cell[1]) == f"x/{shown}.png"


@pytest.mark.parametrize("name", ["a\n\n## Data\n\nb.png", "# a.png", "1. a.png", "a | b.png", "\udcff.png", "<h2>a</h2>.png"])
def test_an_odd_file_name_adds_nothing_to_the_card(name: str) -> None:
    plain_card, odd_card = (card_of(with_files(make_experiment(), file)) for file in ("a.png", name))
    without_cells = [re.sub(r"(?s)<td>.*?</td>", "", rendered(text)) for text in (plain_card, odd_card)]
    assert without_cells[1] == without_cells[0]
    assert rendered(odd_card).count("<td>") == rendered(plain_card).count("<td>")


def test_odd_class_names_and_summaries_are_shown_as_they_are() -> None:
    html = rendered(card_of(make_experiment(("*a*", "b\n\n## c")), summary="Tells *a* from <b>."))
    assert "<p>Tells *a* from &lt;b&gt;.</p>" in html
    assert "these classes only: *a*, b��## c." in html
    assert html.count("<h2>") == len(SECTIONS)


def test_common_file_names_stay_readable_in_the_source() -> None:
    assert plain("cat/Maine_Coon_31 (copy).jpg") == "cat/Maine_Coon_31 (copy).jpg"
