"""The dashboard on the real site: exact across its processes, without any history, and for administrators alone."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from app.inference.prediction import STAGES
from app.storage.database import open_database
from app.storage.sums import HOUR, MINUTE, Amount, SumKey, Sums
from tests.factories import EIGHT
from tests.serving import RunningSite
from tests.waiting import wait_until
from tests.web.reading import Page
from tests.web.visiting import Visitor, assert_redirect, make_visitor

ROOT = "root@example.org"
DIGITS = "/api/v1/models/digits/predict"
FIVE = EIGHT.with_name("5.png").read_bytes()


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    """Give a site of three processes that keeps no history."""
    with RunningSite(tmp_path_factory.mktemp("watched"), workers="3", history="no") as running:
        running.make_account(ROOT, admin=True)
        yield running


@pytest.fixture(scope="module")
def root(watched: RunningSite) -> Visitor:
    visitor = Visitor(watched)
    assert visitor.log_in(ROOT).status == 302
    return visitor


def counted(site: RunningSite, measure: str, span: int = HOUR) -> dict[str, int]:
    """Give how often each detail of a measure stands in the database, by everybody and at any time."""
    with closing(sqlite3.connect(site.data / "vitrine.db", timeout=30)) as database:
        rows = "SELECT detail, SUM(amount) FROM sums WHERE span = ? AND measure = ? GROUP BY detail"
        return dict(database.execute(rows, [span, measure]).fetchall())


def send(site: RunningSite, picture: bytes, path: str = DIGITS) -> int:
    return site.predict(picture, path).status


def test_sums_are_exact_across_processes_and_stay_so_when_these_end(watched: RunningSite) -> None:
    eight, nothing = EIGHT.read_bytes(), "/api/v1/models/nothing/predict"
    sent = [(eight, DIGITS)] * 90 + [(FIVE, DIGITS)] * 30 + [(b"I am an 8.", DIGITS)] * 20 + [(eight, nothing)] * 10
    assert watched.key
    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(lambda one: send(watched, *one), sent))
    assert [statuses.count(status) for status in (200, 415, 404)] == [120, 20, 10]
    wait_until(lambda: sum(counted(watched, "total").values()) >= 120 and sum(counted(watched, "refused").values()) >= 30)
    expected = {"8": 90, "5": 30}, {"unsupported_image": 20, "model_not_found": 10}
    assert (counted(watched, "classes"), counted(watched, "refused")) == expected
    assert {stage: sum(counted(watched, stage).values()) for stage in STAGES} == dict.fromkeys(STAGES, 120)
    assert [sum(counted(watched, measure, MINUTE).values()) for measure in ("total", "refused")] == [120, 30]
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda _: send(watched, eight), range(40))) == {200}
    assert watched.stop() == 0
    assert counted(watched, "classes") == {"8": 130, "5": 30}
    watched.start()


def test_the_last_hour_is_asked_for_again_and_again_and_costs_little_where_nothing_has_changed(
    watched: RunningSite, root: Visitor
) -> None:
    first = root.get("/dashboard/live")
    assert (first.status, first.headers["Content-Type"], first.headers["Cache-Control"]) == (
        200,
        "application/json",
        "no-store",
    )
    assert len(first.body) < 1000
    assert len(first.json["answered"]) == len(first.json["refused"]) == 60
    moved = root.get("/dashboard/live", {"If-None-Match": '"another"'})
    assert moved.status == 200
    again = root.get("/dashboard/live", {"If-None-Match": moved.headers["ETag"]})
    if again.status == 200:  # a minute has begun in between
        again = root.get("/dashboard/live", {"If-None-Match": again.headers["ETag"]})
    assert (again.status, again.body) == (304, b"")
    before = sum(root.get("/dashboard/live").json["answered"])
    assert send(watched, FIVE) == 200
    wait_until(lambda: sum(root.get("/dashboard/live").json["answered"]) == before + 1)
    assert root.get("/dashboard/live", {"If-None-Match": again.headers["ETag"]}).status == 200


def test_a_page_that_is_left_open_does_not_keep_its_login_alive(watched: RunningSite, root: Visitor) -> None:
    with closing(sqlite3.connect(watched.data / "vitrine.db", timeout=30)) as database:
        for path, seen in (("/dashboard/live", False), ("/dashboard", True)):
            with database:
                database.execute("UPDATE logins SET seen_at = datetime('now', '-1 hour')")
            assert root.get(path).status == 200
            rows = "SELECT COUNT(*) FROM logins WHERE seen_at > datetime('now', '-1 minute')"
            assert database.execute(rows).fetchone()[0] == seen, path


def test_it_is_for_administrators_alone(watched: RunningSite) -> None:
    member, stranger = make_visitor(watched, "member@example.org"), Visitor(watched)
    for path in ("/dashboard", "/dashboard/live"):
        assert member.get(path).status == 403
        assert_redirect(stranger.get(path), f"/login?next={path}")
    assert stranger.get("/dashboard/live", {"Accept": "application/json"}).status == 401
    assert "Administration" not in Page(member.get("/")).words


def test_the_page_leads_on_and_tells_everything_without_a_script(watched: RunningSite, root: Visitor) -> None:
    assert send(watched, FIVE) == send(watched, EIGHT.read_bytes()) == 200
    assert send(watched, b"I am an 8.") == 415
    wait_until(lambda: counted(watched, "refused"))
    wait_until(lambda: len(counted(watched, "classes")) == 2)
    assert "/dashboard" in Page(root.get("/people")).targets("/dashboard")
    page = Page(root.get("/dashboard"))
    for told in (
        "The last hour",
        "digits, version 1: ",
        "Asking the model",
        "95th percentile",
        "Confidence",
        "unsupported_image",
    ):
        assert told in page.words, told
    assert [table["class"] for table in page.all("table")].count("ruled") >= 5
    assert page.targets("/dashboard?period") == [f"/dashboard?period={name}" for name in ("24h", "7d", "30d")]
    assert [link["href"] for link in page.all("a") if link.get("aria-current") == "page"] == [
        "/dashboard",
        "/dashboard?period=24h",
    ]


@pytest.mark.parametrize(
    "question", ["period=7d", "period=30d&model=digits", "period=forever", "model=", "period=24h&model=%27%3Cb%3E"]
)
def test_any_question_is_answered(root: Visitor, question: str) -> None:
    page = Page(root.get(f"/dashboard?{question}"))
    assert page.status == 200
    assert "Errors" in page.words
    assert not page.all("b")
    if "digits" in question:
        assert page.chosen == ["digits"]


def test_a_model_that_answered_nothing_has_a_sentence_and_no_charts(root: Visitor) -> None:
    words = Page(root.get("/dashboard?model=nothing")).words
    assert "In the last 24 hours no picture was answered by nothing." in words
    assert "Where the time goes" not in words


def test_many_classes_and_versions_are_folded(watched: RunningSite, root: Visitor) -> None:
    with closing(sqlite3.connect(watched.data / "vitrine.db", timeout=30)) as database:
        (hour,) = database.execute("SELECT MAX(begins_at) FROM sums WHERE span = ?", [HOUR]).fetchone()
    amounts = {SumKey(HOUR, "classes", hour, "many", "1", f"class_{number}"): Amount(1 + number, 0.0) for number in range(120)}
    amounts |= {SumKey(HOUR, "total", hour, "many", str(number), "10"): Amount(1000 + number, 5.0) for number in range(9)}
    amounts |= {SumKey(HOUR, "status", hour, "", "", "503"): Amount(7, 0.0)}
    Sums(open_database(f"sqlite:///{watched.data / 'vitrine.db'}")).add(amounts)
    page = Page(root.get("/dashboard?model=many"))
    assert "Class 119 120 1.7 %" in page.words
    assert f"110 further classes: {sum(range(1, 111)):,} answers" in page.words
    assert (
        "many, version 8: 1,008 many, version 7: 1,007 many, version 6: 1,006 many, version 5: 1,005 others: 5,010"
        in page.words
    )
    assert "Told to come back 7 status 503" in page.words
    assert len(page.all("rect", **{"class": "chart__piece chart__piece--rest"})) == 24
