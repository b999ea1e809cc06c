"""An answer as its page says it: a sentence, bars, and the small print."""

from __future__ import annotations

import re
import shutil
from datetime import datetime, timedelta

import pytest

from app.inference.repository import Repository
from tests.factories import CAT, EIGHT, make_manifest, make_picture, publish
from tests.intake.networks import LABELS, RECIPE, RED_DIGITS, upload
from tests.pictures import drawn, turned
from tests.serving import RunningSite
from tests.web.hostile import DARK, LIGHT
from tests.web.reading import Page
from tests.web.visiting import Visitor, stored_scores

BLACK, GREY, WHITE = (make_picture((level,) * 3) for level in (0, 128, 255))


def answer(visitor: Visitor, photo: bytes, model: str) -> tuple[str, Page]:
    """Classify a photo, and give the address and the page of the answer."""
    address = visitor.classify(photo, model=model).headers["Location"]
    return address, Page(visitor.get(address))


def bars(page: Page, words: str) -> list[tuple[str, str]]:
    """Give the classes with their probabilities that stand between the model's version and the small print."""
    listed = page.words.partition(words)[2].partition("About this answer")[0]
    return re.findall(r"(\S.*?) ((?:[<>] )?[\d.]+ %)", listed)


def test_the_title_and_the_heading_say_the_answer(guest: Visitor) -> None:
    _, page = answer(guest, CAT.read_bytes(), "cats-vs-dogs")
    assert page.words.startswith("This image is a Cat – Vitrine")
    assert page.words.count("This image is a Cat") == 2
    assert "Not sure" not in page.words


def test_an_article_that_sounds_right_stands_before_an_eight(guest: Visitor) -> None:
    assert "This image is an 8" in answer(guest, EIGHT.read_bytes(), "digits")[1].words


def test_a_doubtful_answer_says_so_wherever_it_is_read(guest: Visitor) -> None:
    address, page = answer(guest, GREY, "hostile")
    best = max(stored_scores(guest.site, address.rpartition("/")[2]).values())
    assert page.words.startswith("This image may be the <i>light</i> – Vitrine")
    assert f"Not sure: the model gives its best answer only {best * 100:.1f} %." in page.words
    assert "perhaps <i>light</i>" in Page(guest.get("/history")).words
    assert guest.classify(GREY, model="hostile", headers={"Accept": "application/json"}).json["sentence"] == (
        "This image may be the <i>light</i>"
    )


def test_the_probabilities_are_the_stored_ones_best_first(guest: Visitor) -> None:
    address, page = answer(guest, CAT.read_bytes(), "cats-vs-dogs")
    scores = stored_scores(guest.site, address.rpartition("/")[2])
    (cat, _), (dog, _) = bars(page, "version 1")
    assert (cat, dog) == ("Cat", "Dog")
    assert scores["cat"] > scores["dog"]
    assert [bar["width"] for bar in page.all("rect", **{"class": "bars__fill"})] == [
        f"{scores[label] * 100:.2f}%" for label in ("cat", "dog")
    ]


def test_of_many_classes_five_are_shown_and_the_others_on_demand(guest: Visitor) -> None:
    _, page = answer(guest, EIGHT.read_bytes(), "digits")
    assert "The other 5 classes" in page.words
    shown, others = page.words.split("The other 5 classes")
    assert len(re.findall(r"\d [<> ]*[\d.]+ %", shown.partition("version 1")[2])) == 5
    assert len(re.findall(r"\d [<> ]*[\d.]+ %", others)) == 5


@pytest.mark.parametrize(("photo", "name"), [(BLACK, f"a {DARK}"), (WHITE, f"the {LIGHT}")], ids=["label", "title"])
def test_names_of_classes_and_titles_are_text_whatever_they_hold(guest: Visitor, photo: bytes, name: str) -> None:
    address, page = answer(guest, photo, "hostile")
    listed = Page(guest.submit("/", {"model": "hostile"}, [("images", "a.png", photo), ("images", "b.png", photo)]))
    assert f"This image is {name}" in page.words
    for read in (page, listed, Page(guest.get("/history"))):
        assert name.split(" ")[1] in read.words
        assert not read.all("i")
        assert not [bold for bold in read.all("b") if "class" not in bold]
    assert guest.get(address).headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self'")


def test_the_model_that_answered_is_named_with_its_version_and_linked(guest: Visitor) -> None:
    _, page = answer(guest, CAT.read_bytes(), "cats-vs-dogs")
    assert "Cats vs dogs, version 1" in page.words
    assert "/models/cats-vs-dogs" in page.targets("/models/")


def test_the_small_print_tells_what_was_sent_and_what_was_done_to_it(guest: Visitor) -> None:
    _, page = answer(guest, turned(drawn().convert("L"), 6, "PNG"), "cats-vs-dogs")
    assert "File photo-1.jpg Picture PNG, 96 × 64 pixels" in page.words
    assert re.search(r"Prepared [^.]*turned", page.words)
    (picture,) = page.all("img", **{"class": "picture"})
    assert (picture["alt"], picture["width"], picture["height"]) == ("The photo photo-1.jpg", "96", "64")


def test_the_small_print_tells_when_it_was_asked_how_long_it_took_and_how_long_it_is_kept(guest: Visitor) -> None:
    address, page = answer(guest, EIGHT.read_bytes(), "digits")
    asked, kept = (datetime.fromisoformat(time["datetime"]) for time in page.all("time"))
    assert kept.date() == asked.date() + timedelta(days=1)
    assert f"Asked {asked:%-d %B %Y, %H:%M} UTC" in page.words
    assert re.search(r"Took \d+ ms, of which decoding \d+, waiting \d+ and the model \d+", page.words)
    assert f"Kept until {kept:%-d %B %Y} Address {address.rpartition('/')[2]}" in page.words
    assert address in page.targets("/predictions/")


def test_an_answer_outlives_the_model_that_gave_it(small_site: RunningSite, guest: Visitor) -> None:
    repository = Repository(shipped=None, own=small_site.data / "models")
    package = publish(repository, "passing", titles={"dark": "a Night"})
    address, page = answer(guest, BLACK, "passing")
    assert "This image is a Night" in page.words
    shutil.rmtree(package.folder.parent)
    page = Page(guest.get(address))
    assert "This image is a Dark" in page.words
    assert "Passing, version 1" in page.words
    assert "Dark" in Page(guest.get("/history")).words


def test_an_answer_outlives_its_picture(small_site: RunningSite, guest: Visitor) -> None:
    address, page = answer(guest, EIGHT.read_bytes(), "digits")
    assert page.all("img", src=f"{address}/picture?size=picture")
    for picture in (small_site.data / "pictures").glob(f"*/{address.rpartition('/')[2]}.*"):
        picture.unlink()
    page = Page(guest.get(address))
    assert "The photo was not kept" in page.words
    assert not page.all("img")
    assert not Page(guest.get("/history")).all("img")
    assert guest.get(f"{address}/picture").status == 404


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ("predict_proba", None),
        (
            "decision_function",
            "This model gives scores, not probabilities: the bars tell which class is ahead, not how sure it is.",
        ),
        ("predict", "This model names a class and does not say how sure it is."),
    ],
)
def test_what_the_bars_are_is_said_where_they_are_no_probabilities(guest: Visitor, answers: str, words: str | None) -> None:
    name = f"answers-by-{answers.replace('_', '-')}"
    publish(Repository(shipped=None, own=guest.site.data / "models"), name, answers=answers)
    _, page = answer(guest, BLACK, name)
    assert "This image is a Dark" in page.words
    assert (words or "") in page.words
    assert words is not None or "This model" not in page.words


def test_that_the_bars_are_a_softmax_of_logits_is_said(guest: Visitor) -> None:
    manifest = make_manifest(
        "red-digits", recipe=RECIPE, runtime="onnx", artifact="model.onnx", classes=tuple("0123456789"), answers="logits"
    )
    Repository(shipped=None, own=guest.site.data / "models").publish(manifest, {"model.onnx": RED_DIGITS})
    _, page = answer(guest, upload(0), "red-digits")
    assert f"This image is a {LABELS[0]}" in page.words
    assert "This model's network gives logits; what is shown is their softmax." in page.words
