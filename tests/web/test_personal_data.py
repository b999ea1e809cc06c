"""Everything that the site has of somebody, on the real site: taken along, and deleted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import pytest
from PIL import Image

from tests.factories import CAT
from tests.serving import PASSWORD, RunningSite
from tests.web.reading import Page
from tests.web.visiting import Visitor, assert_redirect, grow_old, make_visitor

DELETED = "Your account is deleted, with everything that was kept of it."


@pytest.fixture(scope="module")
def data_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    with RunningSite(tmp_path_factory.mktemp("personal"), workers="2") as running:
        running.make_account("root@example.org", admin=True)
        yield running


def pictures(site: RunningSite, prediction_id: str) -> list[Path]:
    return list((site.data / "pictures").rglob(f"{prediction_id}.*"))


def classify(visitor: Visitor) -> str:
    """Classify a photo and give the identifier of the answer."""
    reply = visitor.classify(CAT.read_bytes())
    assert reply.status == 303
    return reply.headers["Location"].rpartition("/")[2]


def test_everything_comes_as_one_file(data_site: RunningSite) -> None:
    ada = make_visitor(data_site, "ada@example.org")
    prediction_id = classify(ada)
    assert Page(ada.get("/account")).targets("/account/download") == ["/account/download"]
    reply = ada.get("/account/download")
    assert (reply.status, reply.headers["Content-Type"], reply.headers["Cache-Control"]) == (200, "application/zip", "no-store")
    assert reply.headers["Content-Disposition"].startswith('attachment; filename="vitrine-')
    assert "Content-Length" not in reply.headers  # it is sent while it is made
    file = ZipFile(BytesIO(reply.body))
    assert file.testzip() is None
    assert json.loads(file.read("account.json"))["email"] == "ada@example.org"
    assert [row["id"] for row in json.loads(file.read("predictions-1.json"))] == [prediction_id]
    assert Image.open(BytesIO(file.read(f"pictures/{prediction_id}.jpg"))).format == "JPEG"


def test_it_is_loaded_ten_times_an_hour(data_site: RunningSite) -> None:
    eve = make_visitor(data_site, "eve@example.org")
    assert [eve.get("/account/download").status for _ in range(11)] == [200] * 10 + [429]


def test_whoever_goes_is_logged_out_everywhere_and_gone(data_site: RunningSite) -> None:
    email = "goes@example.org"
    here, there = make_visitor(data_site, email), make_visitor(data_site, email)
    prediction_id = classify(here)
    assert len(pictures(data_site, prediction_id)) == 2
    assert_redirect(here.submit("/account/delete", page="/account"), "/login")
    assert DELETED in Page(here.get("/login")).words
    assert pictures(data_site, prediction_id) == []
    for visitor in (here, there):
        assert_redirect(visitor.get("/account"), "/login?next=/account")
    assert here.log_in(email).status == 200
    data_site.make_account(email)
    assert here.log_in(email).status == 302
    assert here.get(f"/predictions/{prediction_id}").status == 404


def test_an_old_login_is_asked_for_the_password_first(data_site: RunningSite) -> None:
    ada = make_visitor(data_site, "lingers@example.org")
    grow_old(ada, minutes=16)
    asked = ada.submit("/account/delete", page="/account")
    assert_redirect(asked, "/verify?next=/account")
    assert_redirect(ada.submit(asked.headers["Location"], {"password": PASSWORD, "submit": "1"}), "/account")
    assert "Nothing was changed yet." in Page(ada.get("/account")).words
    assert_redirect(ada.submit("/account/delete", page="/account"), "/login")


def test_the_only_administrator_stays_and_is_told_why(data_site: RunningSite) -> None:
    root = make_visitor(data_site, "root@example.org")
    reply = root.submit("/account/delete", page="/account")
    assert (reply.status, "You are the only administrator" in Page(reply).words) == (400, True)
    assert root.get("/people").status == 200
