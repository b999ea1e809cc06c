"""What administrators look up, on the real site: found, sorted, paged through, taken away as a file; and by nobody else."""

from __future__ import annotations

import csv
import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from io import StringIO
from urllib.parse import quote

import pytest
from ulid import ULID

from tests.serving import EMAIL, PASSWORD, Reply, RunningSite
from tests.web.reading import Page
from tests.web.visiting import Visitor, assert_redirect, make_visitor

ROOT = "root@example.org"
PAGES = ["/people", "/administration/predictions", "/administration/keys", "/administration/audit-log"]
FILES = [f"/administration/{name}.csv" for name in ("people", "predictions", "keys", "audit-log")]
MARKUP = '<script>alert(1)</script>".jpg'
FORMULA = "=HYPERLINK(A1).jpg"
DAY = datetime(2026, 3, 1, tzinfo=UTC)
ANSWER = (
    json.dumps([["8", 0.5], ["3", 0.5]]),
    json.dumps({"format": "PNG", "width": 8, "height": 8, "sha256": "0" * 64, "steps": []}),
    json.dumps({"decode": 1.0, "queue": 1.0, "model": 1.0, "total": 3.0}),
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    """Give a site on which 60 predictions were made in March, with names of files that are up to no good."""
    with RunningSite(tmp_path_factory.mktemp("administration"), workers="2") as running:
        running.make_account(ROOT, PASSWORD, admin=True)
        running.make_account(EMAIL, PASSWORD)
        assert running.run("keys", "create", "--user", ROOT, "--name", "from the start").returncode == 0
        names = [MARKUP, FORMULA, *(f"IMG_{number:02}.jpg" for number in range(58))]
        with closing(sqlite3.connect(running.data / "vitrine.db", timeout=30)) as database, database:
            for number, name in enumerate(names):
                at = DAY + timedelta(hours=12 * number)
                database.execute(
                    "INSERT INTO predictions (id, user_id, model, version, label, probability, scores, picture, timings,"
                    " file_name, created_at) VALUES (?, 2, 'digits', '1', ?, ?, ?, ?, ?, ?, ?)",
                    [str(ULID.from_datetime(at)), str(number % 10), number / 100, *ANSWER, name, f"{at:%Y-%m-%d %H:%M:%S.%f}"],
                )
        yield running


@pytest.fixture(scope="module")
def root(site: RunningSite) -> Visitor:
    visitor = Visitor(site)
    assert visitor.log_in(ROOT).status == 302
    return visitor


@pytest.fixture(scope="module")
def member(site: RunningSite) -> Visitor:
    return make_visitor(site)


def rows_of(reply: Reply) -> list[dict[str, str]]:
    assert reply.status == 200, reply.body
    return list(csv.DictReader(StringIO(reply.body.decode(), newline="")))


@pytest.mark.parametrize("path", [*PAGES, *FILES])
def test_strangers_are_led_to_the_login_and_members_are_refused(site: RunningSite, member: Visitor, path: str) -> None:
    assert_redirect(Visitor(site).get(path), f"/login?next={path}")
    assert member.get(path).status == 403
    assert b"/administration/" not in member.get("/").body


@pytest.mark.parametrize("path", PAGES)
def test_every_page_leads_to_the_others_and_says_where_one_is(root: Visitor, path: str) -> None:
    page = Page(root.get(path))
    assert page.status == 200
    assert [link["href"] for link in page.all("a") if link.get("aria-current")] == ["/people", path]
    assert set(PAGES) <= {link.get("href") for link in page.all("a")}
    assert page.all("th", scope="col")


@pytest.mark.parametrize("path", [*PAGES, *FILES])
@pytest.mark.parametrize(
    "query",
    [
        "sort=password",
        "sort=" + quote("id; DROP TABLE users --"),
        "sort=-&page=-1",
        "page=" + "9" * 4000,
        "page=x&since=x&until=9999-12-31",
        "since=0001-01-01",
        "q=" + quote("' OR '1'='1"),
        "q=%00%ff%25_",
        "state=" + quote("<b>bold</b>"),
        "model=" + quote("' UNION SELECT password FROM users --"),
        "colour=red&sort=email&sort=admin",
    ],
)
def test_whatever_is_asked_is_answered(root: Visitor, path: str, query: str) -> None:
    reply = root.get(f"{path}?{query}")
    assert reply.status == 200
    assert b"<b>bold" not in reply.body
    assert b"argon2" not in reply.body


def test_what_could_not_be_understood_is_told(root: Visitor) -> None:
    words = Page(root.get("/administration/predictions?since=x&sort=password&model=none")).words
    assert "“x” is no day like 2026-11-29, so it is left out." in words
    assert "The list cannot be sorted by that." in words
    assert "There is no model “none”, so all are shown." in words
    assert "60 predictions." in words


def test_predictions_are_shown_without_pictures_and_whatever_a_file_is_called(root: Visitor) -> None:
    reply = root.get("/administration/predictions?sort=created_at")
    page = Page(reply)
    assert "Their pictures belong to those who sent them, and are shown to nobody else." in page.words
    assert f"1 March 2026, 00:00 UTC {EMAIL} digits 1 0 0.0 % {MARKUP}" in page.words
    assert b"<script>alert" not in reply.body
    assert page.all("img") == []
    assert page.targets("/predictions/") == []


def test_another_persons_prediction_is_still_not_there(root: Visitor, site: RunningSite) -> None:
    with closing(sqlite3.connect(site.data / "vitrine.db", timeout=30)) as database:
        ((identifier,),) = database.execute("SELECT id FROM predictions LIMIT 1").fetchall()
    for address in (f"/predictions/{identifier}", f"/predictions/{identifier}/picture"):
        assert root.get(address).status == 404
    assert make_visitor(site).get(f"/predictions/{identifier}").status == 200


def test_the_head_of_the_table_sorts_it_and_says_how_it_is_sorted(root: Visitor) -> None:
    page = Page(root.get("/administration/predictions?q=IMG&class=7"))
    assert [head.get("aria-sort") for head in page.all("th", scope="col")][:3] == ["descending", "none", "none"]
    (way,) = (target for target in page.targets("/administration/predictions?") if target.endswith("sort=probability"))
    ascending = Page(root.get(way))
    confidences = re.findall(r"(\d+\.\d) % IMG", ascending.words)
    assert confidences == ["7.0", "17.0", "27.0", "37.0", "47.0", "57.0"]
    assert [head.get("aria-sort") for head in ascending.all("th", scope="col")][5] == "ascending"
    (back,) = (target for target in ascending.targets("/administration/predictions?") if target.endswith("sort=-probability"))
    assert re.findall(r"(\d+\.\d) % IMG", Page(root.get(back)).words) == confidences[::-1]


def test_what_was_asked_stays_in_the_form_and_from_page_to_page(root: Visitor) -> None:
    page = Page(root.get("/administration/predictions?model=digits&since=2026-03-01&sort=file_name"))
    assert "Page 1 of 2" in page.words
    assert page.chosen == ["digits"]
    assert page.all("input", name="since")[0]["value"] == "2026-03-01"
    assert page.field("sort") == "file_name"
    (further,) = (link["href"] for link in page.all("a", rel="next"))
    second = Page(root.get(further))
    assert "Page 2 of 2" in second.words
    assert "IMG_57.jpg" in second.words
    assert "IMG_00.jpg" not in second.words


def test_a_file_holds_exactly_what_was_asked_for_and_no_cell_is_run(root: Visitor) -> None:
    (address,) = Page(root.get("/administration/predictions?until=2026-03-01")).targets("/administration/predictions.csv")
    reply = root.get(address)
    assert [row["file_name"] for row in rows_of(reply)] == [f"'{FORMULA}", MARKUP]
    assert rows_of(reply)[0] == {
        "created_at": "2026-03-01T12:00:00+00:00",
        "account": EMAIL,
        "model": "digits",
        "version": "1",
        "label": "1",
        "probability": "0.01",
        "file_name": f"'{FORMULA}",
    }
    assert reply.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert re.fullmatch(r'attachment; filename="predictions-\d{4}-\d\d-\d\d\.csv"', reply.headers["Content-Disposition"])
    assert (reply.headers["Cache-Control"], reply.headers["X-Content-Type-Options"]) == ("no-store", "nosniff")
    assert len(rows_of(root.get("/administration/predictions.csv?page=2"))) == 60


def test_whoever_takes_a_list_away_is_written_down(root: Visitor) -> None:
    root.get("/administration/predictions.csv?q=IMG_0")
    words = Page(root.get("/administration/audit-log?action=downloaded&q=IMG_0")).words
    assert re.search(rf"{ROOT} downloaded list:predictions q IMG_0 127\.0\.0\.1", words)


def test_there_is_no_file_of_another_name(root: Visitor) -> None:
    for name in ("users", "predictions.csv", "..%2fvitrine"):
        assert root.get(f"/administration/{name}.csv").status == 404


def make_key(visitor: Visitor, name: str) -> str:
    reply = visitor.submit(
        "/account/keys", {"name": name, "predict": "y", "models_read": "y", "expires": "90"}, page="/account"
    )
    return str(re.findall(r"vtr_[0-9a-f_]{80,}", reply.body.decode())[0])


def test_an_administrator_revokes_anybodys_key(root: Visitor, site: RunningSite) -> None:
    key = make_key(make_visitor(site), "<i>laptop</i>")
    listed = root.get("/administration/keys?state=good")
    assert f"<i>laptop</i> vtr_{key.split('_')[1]} {EMAIL} predict models:read" in Page(listed).words
    assert b"<i>laptop" not in listed.body
    assert key.split("_")[2].encode() not in listed.body
    action = f"/administration/keys/{key.split('_')[1]}/revoke"
    assert_redirect(root.submit(action, page="/administration/keys"), "/administration/keys")
    assert f"The key of {EMAIL} is revoked." in Page(root.get("/administration/keys")).words
    assert "revoked" in {row["state"] for row in rows_of(root.get("/administration/keys.csv"))}
    assert re.search(rf"{ROOT} key revoked key:\w+ of {EMAIL}", Page(root.get("/administration/audit-log")).words)
    assert root.submit("/administration/keys/000000000000/revoke", page="/administration/keys").status == 404


def test_a_member_revokes_nobody_elses_key(root: Visitor, site: RunningSite) -> None:
    key = make_key(root, "administrators")
    reply = make_visitor(site).submit(f"/administration/keys/{key.split('_')[1]}/revoke", page="/account")
    assert reply.status == 403
    assert "good" in {row["state"] for row in rows_of(root.get("/administration/keys.csv?q=administrators"))}


def test_people_can_be_taken_away_too(root: Visitor) -> None:
    rows = rows_of(root.get("/administration/people.csv?role=administrator"))
    assert [(row["email"], row["admin"], row["active"]) for row in rows] == [(ROOT, "yes", "yes")]
