"""The site below a path of a name that others share: nothing leads out of it, and nothing is answered outside."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import pytest

from tests.deploy.visits import assert_classifies, assert_links_stay_inside, log_in
from tests.serving import EMAIL, PASSWORD, RunningSite
from tests.web.letters import wait_for_letter
from tests.web.reading import Page
from tests.web.visiting import Visitor, assert_redirect

PREFIX = "/vitrine"
ADDRESS = f"https://example.org{PREFIX}"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    folder = tmp_path_factory.mktemp("prefix")
    settings = {"mail": str(folder / "letters"), "public_url": ADDRESS, "workers": "1", "model_uploads": "yes"}
    with RunningSite(folder, **settings) as running:
        yield running


def test_a_photo_is_classified(site: RunningSite) -> None:
    assert_classifies(site, PREFIX)


def test_every_link_on_every_page_stays_inside_and_is_answered(site: RunningSite) -> None:
    assert_classifies(site, PREFIX)
    assert_links_stay_inside(site, PREFIX)


def test_the_cookie_is_for_this_path_alone(site: RunningSite) -> None:
    visitor = log_in(site, PREFIX)
    (line,) = (line for line in visitor.set_cookies if line.startswith("__Secure-vitrine="))
    assert {"Path=/vitrine", "Secure", "HttpOnly", "SameSite=Lax"} <= set(line.split("; "))


def test_nothing_is_answered_outside_but_probes(site: RunningSite) -> None:
    for path in ("/", "/login", "/static/app.css", "/api/v1/models", "/vitrines/login"):
        reply = site.request("GET", path)
        assert (reply.status, reply.body) == (404, b"This site is at /vitrine/ and nowhere else.\n"), path
        assert "Content-Security-Policy" in reply.headers
    assert [site.request("GET", path).status for path in ("/livez", "/readyz", "/vitrine/livez")] == [200, 200, 200]


def test_the_way_to_the_login_and_back(site: RunningSite) -> None:
    site.make_account()
    visitor = Visitor(site)
    asked = visitor.get(f"{PREFIX}/history")
    assert asked.headers["Location"].startswith(f"{PREFIX}/login?next=")
    back = visitor.log_in(path=asked.headers["Location"])
    assert_redirect(back, f"{PREFIX}/history")
    assert_redirect(visitor.submit(f"{PREFIX}/logout", page=f"{PREFIX}/account"), f"{PREFIX}/login")


def test_the_document_of_the_api_says_where_its_calls_go(site: RunningSite) -> None:
    document = site.request("GET", f"{PREFIX}/api/v1/openapi.json").json
    assert document["servers"] == [{"url": PREFIX}]
    assert "/api/v1/predict" in document["paths"]
    missing = site.request("GET", f"{PREFIX}/api/v1/nothing", key=site.key)
    assert (missing.status, missing.headers["Content-Type"]) == (404, "application/problem+json")


def test_a_letter_leads_to_where_the_password_is_changed(site: RunningSite) -> None:
    site.make_account()
    time.sleep(1)  # links are dated by the second: one of the same second as a login counts as older
    Visitor(site).submit(f"{PREFIX}/recover", {"email": EMAIL, "submit": "1"})
    letter = wait_for_letter(site, EMAIL)
    (link,) = re.findall(rf"^{ADDRESS}(/recover/\S+)$", letter, re.MULTILINE)
    visitor = Visitor(site)
    page = f"{PREFIX}{link}"
    done = visitor.submit(page, {"password": PASSWORD, "password_confirm": PASSWORD, "submit": "1"})
    assert_redirect(done, f"{PREFIX}/login")
    assert link.removeprefix("/recover/") not in site.log


def test_an_invitation_leads_to_where_it_is_taken_up(site: RunningSite) -> None:
    visitor = log_in(site, PREFIX)
    visitor.submit(f"{PREFIX}/people/invite", {"email": "bob@example.org"}, page=f"{PREFIX}/people")
    (link,) = re.findall(rf"^{ADDRESS}(/\S+)$", wait_for_letter(site, "bob@example.org"), re.MULTILINE)
    assert Visitor(site).get(f"{PREFIX}{link}").status == 200


def test_the_curl_line_on_the_account_page_is_complete(site: RunningSite) -> None:
    page = Page(log_in(site, PREFIX).get(f"{PREFIX}/account"))
    assert f"{ADDRESS}/api/v1/predict" in page.words
