"""What every page shares: its frame, and the page an error is told on."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from app.web.frame import browser, when
from tests.serving import EMAIL, PASSWORD, RunningSite
from tests.web.reading import Page
from tests.web.visiting import Visitor, assert_redirect

PLAIN_HTTP = "This page was reached over plain http, where a password could be read on its way; open it over https to log in."
WAYS = {"Classify": "/", "History": "/history", "Models": "/models", "API": "/api/docs"}


def ways(page: Page, **attributes: str) -> list[str]:
    """Give where the masthead leads, of the ways that have these attributes."""
    rooms = [*WAYS.values(), "/account", "/login"]
    return [link["href"] for link in page.all("a", **attributes) if link["href"] in rooms and "class" not in link]


def test_an_error_is_told_with_its_number_in_the_log_and_nothing_of_the_address(site: RunningSite) -> None:
    reply = Visitor(site).get("/nothing-here/%3Cscript%3E")
    page = Page(reply)
    assert reply.status == 404
    assert "Not Found There is nothing at this address." in page.words
    assert f"Error 404, request {reply.headers['X-Request-Id']}" in page.words
    logged = [json.loads(line).get("request_id") for line in site.log.splitlines() if line.startswith("{")]
    assert reply.headers["X-Request-Id"] in logged
    assert b"nothing-here" not in reply.body


@pytest.mark.parametrize(("path", "code"), [("/nothing-here", "not_found"), ("/models/nothing", "model_not_found")])
def test_our_script_is_told_of_an_error_in_json(ada: Visitor, path: str, code: str) -> None:
    reply = ada.get(path, headers={"Accept": "application/json"})
    assert (reply.status, reply.headers["Content-Type"]) == (404, "application/problem+json")
    assert set(reply.json) == {"title", "status", "detail", "code"}
    assert (reply.json["title"], reply.json["code"]) == ("Not Found", code)


def test_a_wrong_method_is_told_which_are_right(ada: Visitor) -> None:
    reply = ada.send("/models")
    assert (reply.status, set(reply.headers["Allow"].split(", "))) == (405, {"GET", "HEAD", "OPTIONS"})
    assert "This address does not take that method." in Page(reply).words


@pytest.mark.parametrize("path", [*WAYS.values(), "/account"])
def test_the_way_one_stands_on_is_marked(ada: Visitor, path: str) -> None:
    page = Page(ada.get(path))
    marked = [link["href"] for link in page.all("a") if "aria-current" in link]
    assert marked == [path]
    assert page.all("a", href=path, **{"aria-current": "page"})


def test_further_inside_the_room_is_marked(ada: Visitor) -> None:
    assert ways(Page(ada.get("/models/digits")), **{"aria-current": "true"}) == ["/models"]


def test_strangers_are_shown_the_login_of_a_private_site_and_the_rooms_of_an_open_one(
    site: RunningSite, guest: Visitor
) -> None:
    private, open_to_all = Page(Visitor(site).get("/login")), Page(guest.get("/login"))
    assert ways(private) == ["/login"]
    assert "Vitrine is open to people with an account." in private.words
    assert ways(open_to_all) == [*WAYS.values(), "/login"]
    assert "open to people with an account" not in open_to_all.words


def test_who_is_logged_in_is_named_beside_the_way_out(ada: Visitor) -> None:
    page = Page(ada.get("/models"))
    assert ways(page) == [*WAYS.values(), "/account"]
    assert f"{EMAIL} Log out" in page.words
    assert page.all("form", method="post", action="/logout")


def test_every_page_says_how_long_things_are_kept(ada: Visitor, guest: Visitor) -> None:
    assert "are deleted after 365 days." in Page(ada.get("/account")).words
    assert "are deleted after 1 day." in Page(guest.get("/models")).words


def test_the_form_says_what_is_taken(ada: Visitor, guest: Visitor) -> None:
    names = "JPEG, PNG, WebP, GIF, BMP, TIFF, AVIF or HEIC"
    assert f"{names}. Up to 10 photos of 20 MB each." in Page(ada.get("/")).words
    assert f"{names}. Up to 10 photos of 0.5 MB each." in Page(guest.get("/")).words
    (field,) = Page(guest.get("/")).all("input", type="file", name="images")
    assert {"image/jpeg", "image/heic", "image/avif"} < set(field["accept"].split(","))


def test_over_plain_http_no_password_is_taken_and_the_page_says_why(site: RunningSite, ada: Visitor) -> None:
    outside = Visitor(site, headers={"Host": "192.0.2.7"})
    assert PLAIN_HTTP in Page(outside.get("/login")).words
    assert PLAIN_HTTP not in Page(Visitor(site).get("/login")).words
    reply = outside.submit("/login", {"email": EMAIL, "password": PASSWORD})
    assert (reply.status, PLAIN_HTTP in Page(reply).words) == (200, True)
    assert_redirect(outside.get("/account"), "/login?next=/account")


def test_a_moment_is_given_for_people_and_for_programs() -> None:
    moment = datetime(2026, 2, 1, 3, 4, 5, 678, tzinfo=UTC)
    assert when(moment) == '<time datetime="2026-02-01T03:04:05+00:00">1 February 2026, 03:04 UTC</time>'


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36",
            "Chrome on Windows",
        ),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/140.0 Safari/537.36 Edg/140.0",
            "Edge on Windows",
        ),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/26.0 Safari/605.1.15",
            "Safari on macOS",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 26_0 like Mac OS X) CriOS/140.0 Mobile Safari/604.1",
            "Chrome on iPhone",
        ),
        ("Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36", "Chrome on Android"),
        ("curl/8.0", "A browser"),
        ("", "A browser"),
    ],
)
def test_a_browser_is_named_as_people_know_it(user_agent: str, name: str) -> None:
    assert browser(user_agent) == name
