"""Names and probabilities as people say them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.inference.naming import name_of, percent


@pytest.mark.parametrize(
    ("label", "said"),
    [
        ("cat", "a Cat"),
        ("dog", "a Dog"),
        ("owl", "an Owl"),
        ("Abyssinian", "an Abyssinian"),
        ("hour", "an Hour"),
        ("honest_man", "an Honest man"),
        ("heirloom", "an Heirloom"),
        ("house", "a House"),
        ("umbrella", "an Umbrella"),
        ("urn", "an Urn"),
        ("unidentified", "an Unidentified"),
        ("unimportant", "an Unimportant"),
        ("unicorn", "a Unicorn"),
        ("universe", "a Universe"),
        ("use_case", "a Use case"),
        ("utensil", "a Utensil"),
        ("ukulele", "a Ukulele"),
        ("UV_lamp", "a UV lamp"),
        ("European", "a European"),
        ("ewe", "a Ewe"),
        ("one-way_street", "a One-way street"),
        ("oneida", "an Oneida"),
        ("0", "a 0"),
        ("1", "a 1"),
        ("7", "a 7"),
        ("8", "an 8"),
        ("8-ball", "an 8-ball"),
        ("10", "a 10"),
        ("11", "an 11"),
        ("11th", "an 11th"),
        ("18", "an 18"),
        ("80", "an 80"),
        ("81", "an 81"),
        ("110", "a 110"),
        ("180", "a 180"),
        ("A", "an A"),
        ("F", "an F"),
        ("U", "a U"),
        ("X-ray", "an X-ray"),
        ("T-shirt", "a T-shirt"),
    ],
)
def test_the_article_goes_by_sound(label: str, said: str) -> None:
    assert str(name_of(label)) == said


def test_underscores_are_spaces_and_only_the_first_letter_changes() -> None:
    assert name_of("german_shorthaired").noun == "German shorthaired"
    assert name_of("iPhone").noun == "IPhone"
    assert str(name_of("_")) == "a _"


@pytest.mark.parametrize(
    ("title", "article", "noun"),
    [
        ("a Maine Coon", "a", "Maine Coon"),
        ("an MRI scan", "an", "MRI scan"),
        ("The Sun", "the", "Sun"),
        ("Water", "", "Water"),
        ("Another day", "", "Another day"),
        ("a", "", "a"),
    ],
)
def test_a_title_overrules_the_label_with_or_without_an_article(title: str, article: str, noun: str) -> None:
    name = name_of("label", {"label": title})
    assert (name.article, name.noun) == (article, noun)
    assert str(name) == f"{article} {noun}".strip()


def test_a_title_of_another_label_changes_nothing() -> None:
    assert str(name_of("cat", {"dog": "the Hound"})) == "a Cat"


@pytest.mark.parametrize(
    ("probability", "said"),
    [
        (1.0, "100.0 %"),
        (0.9999999999999999, "> 99.9 %"),
        (0.9995, "> 99.9 %"),
        (0.9994, "99.9 %"),
        (0.973, "97.3 %"),
        (0.5, "50.0 %"),
        (0.0005, "0.1 %"),
        (0.0004, "< 0.1 %"),
        (1e-300, "< 0.1 %"),
        (0.0, "0.0 %"),
    ],
)
def test_probabilities_are_said_in_percent(probability: float, said: str) -> None:
    assert percent(probability) == said


@given(st.floats(0, 1, exclude_min=True, exclude_max=True))
def test_what_is_not_certain_is_never_said_to_be(probability: float) -> None:
    said = percent(probability)
    assert said not in ("100.0 %", "0.0 %")
    assert abs(float(said.strip("<> %")) / 100 - probability) < 0.00101
