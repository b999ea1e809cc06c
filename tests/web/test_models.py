"""What is served here: the list, each model's card and its samples."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest

from app.config import TREE
from app.inference.repository import Repository
from tests.factories import EIGHT, publish
from tests.serving import RunningSite
from tests.web.hostile import DARK, LIGHT, SAMPLE
from tests.web.reading import Page
from tests.web.visiting import Visitor

MANIFEST = json.loads((TREE / "models" / "cats-vs-dogs" / "1" / "manifest.json").read_text(encoding="utf-8"))


def test_every_model_is_listed_with_its_version_its_figures_and_what_it_knows(ada: Visitor) -> None:
    page = Page(ada.get("/models"))
    assert page.targets("/models/") == ["/models/cats-vs-dogs", "/models/digits"]
    assert "Cats vs dogs Version 1 Tells a cat from a dog on a photo." in page.words
    assert "accuracy 99.2 % 98.8 % to 99.7 %" in page.words
    assert "log loss 0.020 0.010 to 0.032" in page.words
    assert "Knows Cat, Dog" in page.words
    assert "Knows 0, 1, 2, 3, 4, 5, 6, 7, 8, 9" in page.words


def test_a_models_page_shows_its_card_and_every_figure_and_where_its_pictures_are_from(ada: Visitor) -> None:
    page = Page(ada.get("/models/cats-vs-dogs"))
    assert "Name cats-vs-dogs Version 1 Served by ONNX Knows Cat, Dog" in page.words
    assert all(metric["name"] in page.words for metric in MANIFEST["metrics"])
    assert "How it learns EfficientNet-Lite0's embedding, computed in 8 bits, and logistic regression." in page.words
    assert len(page.all("table")) >= 3
    assert page.words.count(MANIFEST["attribution"]) == 2, "in the card and under it"
    assert len(page.all("h1")) == 1


@pytest.mark.parametrize("name", ["nothing", "CATS-VS-DOGS", "..", "backbones", "%3Cb%3E"])
def test_a_model_that_is_not_here_is_not_found(ada: Visitor, name: str) -> None:
    reply = ada.get(f"/models/{name}")
    assert reply.status == 404
    assert not Page(reply).all("b")


def test_a_sample_is_the_very_file_and_nothing_in_it_may_run(ada: Visitor) -> None:
    (image,) = Page(ada.get("/models/digits")).all("img", alt="A handwritten 8")
    reply = ada.get(image["src"])
    assert (reply.status, reply.body) == (200, EIGHT.read_bytes())
    assert reply.headers["Content-Type"] == "image/png"
    assert reply.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert reply.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "file",
    [
        "source.pkl",
        "manifest.json",
        "card.md",
        "samples/9.png",
        "samples/../source.pkl",
        "samples%2F..%2Fsource.pkl",
        "../2/a.png",
    ],
)
def test_nothing_but_samples_can_be_fetched_of_a_package(ada: Visitor, file: str) -> None:
    reply = ada.get(f"/models/digits/samples/{file}")
    assert reply.status == 404
    assert "There is nothing at this address." in Page(reply).words


def test_a_sample_that_was_changed_since_it_was_pinned_is_not_shown(small_site: RunningSite, guest: Visitor) -> None:
    path = small_site.data / "models" / "hostile" / "1" / SAMPLE
    content = path.read_bytes()
    address = f"/models/hostile/samples/{quote(SAMPLE)}"
    path.write_bytes(content + b"changed")
    try:
        reply = guest.get(address)
        assert (reply.status, reply.headers["Retry-After"]) == (503, "5")
        assert str(small_site.data).encode() not in reply.body
    finally:
        path.write_bytes(content)
    assert guest.get(address).body == content


def test_markup_in_a_card_is_shown_as_text_and_its_markdown_as_markup(guest: Visitor) -> None:
    page = Page(guest.get("/models/hostile"))
    for text in (
        "<script src=//elsewhere.example/a.js></script>",
        "Read <img src=x onerror=alert(1)> and this, then that.",
        "<b onclick=c>held out</b>",
        "<i>light</i> 12",
        "<script>alert(1)</script>",
    ):
        assert text in page.words
    assert (len(page.all("strong")), len(page.all("table")), len(page.all("pre"))) == (1, 1, 1)
    assert [script for script in page.all("script") if not script.get("src", "").startswith("/static/")] == []
    assert [image["src"] for image in page.all("img")] == [f"/models/hostile/samples/{quote(SAMPLE)}"]
    assert not any(name.startswith("on") for tag in ("b", "a", "img", "code") for found in page.all(tag) for name in found)


def test_no_link_of_a_card_runs_a_script(guest: Visitor) -> None:
    links = [link["href"] for link in Page(guest.get("/models/hostile")).all("a")]
    assert "http://elsewhere.example" in links
    assert not [link for link in links if "javascript" in link]


@pytest.mark.parametrize("path", ["/models", "/models/hostile"])
def test_markup_in_what_a_model_says_of_itself_is_shown_as_text(guest: Visitor, path: str) -> None:
    page = Page(guest.get(path))
    assert "<s>summary</s>" in page.words
    assert f"Knows {DARK}, {LIGHT}" in page.words
    assert page.all("img", alt='"><script>alert(1)</script>')
    assert not page.all("s")
    assert not page.all("i")


def test_the_source_and_what_a_model_expects_are_text_too(guest: Visitor) -> None:
    assert "<q>source</q>" in Page(guest.get("/models/hostile")).words
    page = Page(guest.get("/?model=hostile"))
    assert "<u>expects</u>" in page.words
    assert not page.all("u")
    assert not page.all("q")


def test_a_model_made_with_other_libraries_says_so(guest: Visitor) -> None:
    for path in ("/models", "/models/hostile"):
        assert "Made with scikit-learn 0.1.0; this site runs 1." in Page(guest.get(path)).words
    assert "Made with" not in Page(guest.get("/models/digits")).words


def test_a_later_version_is_shown_once_it_is_active(small_site: RunningSite, guest: Visitor) -> None:
    repository = Repository(shipped=None, own=small_site.data / "models")
    publish(repository, "growing", summary="The old one.")
    publish(repository, "growing", summary="The new one.")
    assert "The old one." in Page(guest.get("/models/growing")).words
    repository.activate("growing", "2")
    words = Page(guest.get("/models/growing")).words
    assert "The new one." in words
    assert "Name growing Version 2 Served by" in words


def test_a_model_whose_manifest_is_broken_is_left_out_and_the_others_stay(small_site: RunningSite, guest: Visitor) -> None:
    package = publish(Repository(shipped=None, own=small_site.data / "models"), "broken")
    manifest = package.folder / "manifest.json"
    content = manifest.read_bytes()
    manifest.write_bytes(content[:50])
    try:
        assert guest.get("/models/broken").status == 503
        for path in ("/models", "/"):
            page = Page(guest.get(path))
            assert (page.status, "Broken" in page.words, "Digits" in page.words) == (200, False, True)
    finally:
        manifest.write_bytes(content)
    assert "Broken" in Page(guest.get("/models")).words
