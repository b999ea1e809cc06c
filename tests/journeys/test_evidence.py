"""An administrator sees what a version would change, is held up where it is too much, and lets it answer, in real Chromium."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect

from app.inference.repository import Repository
from tests.evidence import grey, publish_at
from tests.journeys.logins import logged_in
from tests.serving import EMAIL, RunningSite
from tests.web.visiting import Visitor

pytestmark = pytest.mark.journey

MEMBER = "bob@example.org"
ADDRESS = "/models/shade/versions/2"


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    """Give a site where a member and an administrator have each had a picture answered that another version would flip."""
    folder = tmp_path_factory.mktemp("gallery")
    repository = Repository(shipped=None, own=folder / "data" / "models")
    for line in (128, 200):
        publish_at(repository, line, (20, 150, 240))
    with RunningSite(folder, workers="1") as running:
        running.make_account(admin=True)
        running.make_account(MEMBER)
        for email in (EMAIL, MEMBER):
            visitor = Visitor(running)
            assert visitor.log_in(email).status == 302
            photo = [("images", "grey.png", grey(170, (300, 200)))]
            assert visitor.submit("/", {"model": "shade"}, photo).status == 303
        yield running


@pytest.fixture(scope="module")
def login(browser: Browser, gallery: RunningSite) -> Iterator[BrowserContext]:
    """Give a browser in which the administrator has just logged in."""
    with logged_in(browser, gallery) as context:
        yield context


def assert_pictures_are_there(page: Page) -> None:
    expect(page.locator(".exhibit img")).to_have_count(2)
    for image in page.locator(".exhibit img").all():
        image.scroll_into_view_if_needed()
        expect(image).to_have_js_property("complete", value=True)
        assert image.evaluate("image => image.naturalWidth") > 0


@pytest.mark.parametrize("script", [True, False], ids=["with a script", "without"])
def test_an_administrator_looks_confirms_and_rolls_back(
    browser: Browser, login: BrowserContext, gallery: RunningSite, script: bool
) -> None:
    context = browser.new_context(storage_state=login.storage_state(), java_script_enabled=script)
    page = context.new_page()
    page.goto(gallery.url + ADDRESS)
    page.get_by_role("link", name="Let version 2 answer").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Version 2 in place of 1")
    expect(page.locator("main")).to_contain_text("3 of 5 pictures get another answer from version 2.")
    flips = page.get_by_role("region", name="What flips")
    expect(flips.get_by_role("listitem").first).to_contain_text("Light")
    expect(flips.get_by_role("img", name="A photo of yours")).to_have_count(1)
    expect(flips.get_by_role("row", name="Light Dark 1")).to_have_count(1)
    if script:
        assert_pictures_are_there(page)
    confirm = page.get_by_role("button", name="Let version 2 answer all the same")
    confirm.click()
    expect(page).to_have_url(f"{gallery.url}{ADDRESS}/evidence")
    page.get_by_label("I have seen what flips, and it may").check()
    confirm.click()
    page.wait_for_url(f"**{ADDRESS}")
    expect(page.locator("main")).to_contain_text("Version 2 answers from now on.")
    newest = page.get_by_role("region", name="Administration").get_by_role("listitem").first
    expect(newest).to_contain_text("activated version 2 in place of 1, 3 of 5 replayed pictures flipped")
    page.get_by_text("Roll back", exact=True).click()
    page.get_by_role("button", name="Roll back to version 1").click()
    page.wait_for_url("**/models/shade/versions/1")
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_evidence_is_accessible(browser: Browser, login: BrowserContext, gallery: RunningSite, scheme: str) -> None:
    context = browser.new_context(color_scheme=scheme, storage_state=login.storage_state())  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(f"{gallery.url}{ADDRESS}/evidence")
    found = Axe().run(page).response["violations"]
    assert not found, [(v["id"], [n["html"] for n in v["nodes"]]) for v in found]
    context.close()


def test_nothing_scrolls_sideways_on_the_narrowest_phone(browser: Browser, login: BrowserContext, gallery: RunningSite) -> None:
    context = browser.new_context(viewport={"width": 320, "height": 640}, storage_state=login.storage_state())
    page = context.new_page()
    page.goto(f"{gallery.url}{ADDRESS}/evidence")
    expect(page.get_by_role("button", name="Let version 2 answer all the same")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    context.close()
