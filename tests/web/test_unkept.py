"""Answers that are not stored: shown on the page that asked, and gone with it."""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.factories import CAT, EIGHT
from tests.serving import Reply, RunningSite
from tests.web.reading import Page
from tests.web.visiting import Visitor, make_visitor

SCRIPT = {"Accept": "application/json"}
ONE = "This answer is not kept: it is gone when you leave the page."
ALL = "These answers are not kept: they are gone when you leave the page."
SOME = "Answers without a link are not kept: they are gone when you leave the page."


@pytest.fixture(scope="module")
def forgetful(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    """Give a site that stores no answers and that guests may use."""
    with RunningSite(tmp_path_factory.mktemp("forgetful"), access="guests", history="no", workers="1") as running:
        yield running


@pytest.fixture
def passer_by(forgetful: RunningSite) -> Visitor:
    """Give a stranger on the site that stores nothing."""
    return Visitor(forgetful)


def upload(visitor: Visitor, *files: tuple[str, bytes], model: str = "digits") -> Reply:
    return visitor.submit("/", {"model": model}, [("images", name, content) for name, content in files])


def assert_shown_in_place(reply: Reply, *answers: str, note: str) -> None:
    """Check that a page shows these answers, one by one, with the note, and leads to none of them."""
    page = Page(reply)
    assert (reply.status, page.targets("/predictions/")) == (200, [])
    heading = "The answer" if len(answers) == 1 else "The answers"
    assert re.search(" ".join((heading, *answers, re.escape(note))), page.words)
    assert not [image for image in page.all("img") if "/predictions/" in image.get("src", "")]
    assert page.all("input", type="file", name="images"), "the next photo can be sent from here"


@contextmanager
def refusing(site: RunningSite) -> Iterator[None]:
    """Have the database of a site written to by somebody else for as long as the block takes."""
    with closing(sqlite3.connect(site.data / "vitrine.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


@contextmanager
def refusing_files_called(name: str, site: RunningSite) -> Iterator[None]:
    """Let the database of a site take no answer for files of that name."""
    with closing(sqlite3.connect(site.data / "vitrine.db", timeout=30)) as database:
        database.execute(
            "CREATE TRIGGER refuse BEFORE INSERT ON predictions WHEN NEW.file_name = "
            f"'{name}' BEGIN SELECT RAISE(ABORT, 'refused'); END"
        )
        yield
        database.execute("DROP TRIGGER refuse")


def test_one_answer_is_shown_on_the_page_that_asked(passer_by: Visitor) -> None:
    reply = upload(passer_by, ("tom.jpg", CAT.read_bytes()), model="cats-vs-dogs")
    assert_shown_in_place(reply, r"Cat [\d.> ]+ % tom\.jpg [\w ,:]+ UTC", note=ONE)
    assert Page(reply).words.startswith("Classify a photo – Vitrine")


def test_several_are_shown_side_by_side(passer_by: Visitor) -> None:
    reply = upload(passer_by, ("a.png", EIGHT.read_bytes()), ("b.png", EIGHT.read_bytes()))
    assert_shown_in_place(reply, r"8 [\d.> ]+ % a\.png [\w ,:]+ UTC", r"8 [\d.> ]+ % b\.png [\w ,:]+ UTC", note=ALL)


def test_one_beside_a_bad_photo_is_shown_too(passer_by: Visitor) -> None:
    reply = upload(passer_by, ("text.png", b"I am an 8."), ("8.png", EIGHT.read_bytes()))
    assert_shown_in_place(reply, r"8 [\d.> ]+ % 8\.png [\w ,:]+ UTC", note=ONE)
    assert "One photo was not classified: text.png" in Page(reply).words


def test_a_sample_is_answered_in_place(passer_by: Visitor) -> None:
    sample = Page(passer_by.get("/")).all("button", name="sample")[0]["value"]
    reply = passer_by.submit("/", {"sample": sample})
    assert_shown_in_place(reply, r"Cat [\d.> ]+ % Maine_Coon_31\.jpg [\w ,:]+ UTC", note=ONE)


def test_our_script_is_told_that_there_is_no_page_of_its_own(passer_by: Visitor) -> None:
    reply = passer_by.classify(CAT.read_bytes(), headers=SCRIPT)
    assert reply.status == 200
    assert reply.json == {
        "url": None,
        "sentence": "This image is a Cat",
        "probability": reply.json["probability"],
        "picture": None,
    }
    assert re.fullmatch(r"[\d.> ]+ %", reply.json["probability"])


def test_nothing_of_it_is_on_the_disk(forgetful: RunningSite, passer_by: Visitor) -> None:
    for visitor in (passer_by, make_visitor(forgetful)):
        assert upload(visitor, ("secret-name.png", EIGHT.read_bytes())).status == 200
    with closing(sqlite3.connect(forgetful.data / "vitrine.db", timeout=30)) as database:
        assert database.execute("SELECT count(*) FROM predictions").fetchone() == (0,)
    assert not list((forgetful.data / "pictures").glob("*/*"))
    assert "secret-name" not in forgetful.log


def test_every_page_and_the_history_say_that_nothing_is_kept(passer_by: Visitor) -> None:
    page = Page(passer_by.get("/history"))
    assert "This site keeps no answers Each is shown once, and gone when you leave its page." in page.words
    assert "Nothing hangs here yet" not in page.words
    for path in ("/", "/history", "/models"):
        words = Page(passer_by.get(path)).words
        assert "Neither the photos that you send nor their answers are kept." in words
        assert "are deleted after" not in words


def test_what_was_stored_before_stays_one_s_own_to_see_and_to_delete(tmp_path: Path) -> None:
    with RunningSite(tmp_path, access="guests", workers="1") as site:
        before = Visitor(site)
        address = upload(before, ("before.png", EIGHT.read_bytes())).headers["Location"]
    with RunningSite(tmp_path, access="guests", workers="1", history="no") as site:
        after = Visitor(site)
        after.cookies = before.cookies
        assert_shown_in_place(upload(after, ("after.png", EIGHT.read_bytes())), r"8 [\d.> ]+ % after\.png .+?", note=ONE)
        page = Page(after.get("/history"))
        assert "1 answer, the newest first. New ones are not kept any more." in page.words
        assert page.targets("/predictions/") == [address]
        assert after.submit(f"{address}/delete", page=address).status == 303
        assert "This site keeps no answers" in Page(after.get("/history")).words


def test_a_database_that_is_held_by_somebody_else_costs_no_answer(site: RunningSite, ada: Visitor) -> None:
    with refusing(site):
        page = upload(ada, ("lost.png", EIGHT.read_bytes()))
        script = ada.classify(EIGHT.read_bytes(), model="digits", headers=SCRIPT)
    assert_shown_in_place(page, r"8 [\d.> ]+ % lost\.png [\w ,:]+ UTC", note=ONE)
    assert (script.status, script.json["url"], script.json["sentence"]) == (200, None, "This image is an 8")
    time.sleep(1.1)  # a database that took nothing is asked again after a second
    assert upload(ada, ("kept.png", EIGHT.read_bytes())).status == 303
    listed = Page(ada.get("/history")).words
    assert "kept.png" in listed
    assert "lost.png" not in listed


def test_of_several_answers_only_what_is_kept_is_linked(guest: Visitor) -> None:
    names = ["kept.png", "lost.png", "kept-too.png"]
    with refusing_files_called("lost.png", guest.site):
        reply = upload(guest, *((name, EIGHT.read_bytes()) for name in names))
    page = Page(reply)
    assert (reply.status, SOME in page.words) == (200, True)
    assert [words["title"] for words in page.all("p", **{"class": "exhibit__file"})] == names
    links = page.targets("/predictions/")
    assert links == Page(guest.get("/history")).targets("/predictions/")[::-1]
    assert len(links) == 2
    assert [guest.get(link).status for link in links] == [200, 200]


def test_answers_that_are_kept_come_without_a_note(ada: Visitor) -> None:
    page = Page(upload(ada, ("a.png", EIGHT.read_bytes()), ("b.png", EIGHT.read_bytes())))
    assert len(page.targets("/predictions/")) == 2
    assert "not kept:" not in page.words
