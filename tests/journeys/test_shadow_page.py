"""An administrator lets a version run in the shadow, sees how it agrees, and ends it, in real Chromium."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect

from app.inference.repository import Repository
from tests.factories import make_picture, publish
from tests.journeys.logins import logged_in
from tests.serving import RunningSite
from tests.shadows import publish_reversed

pytestmark = pytest.mark.journey

ADDRESS = "/models/shade/versions/2"


@pytest.fixture(scope="module")
def shade_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    """Give a site with an administrator and two versions of a model that say the opposite of each other."""
    folder = tmp_path_factory.mktemp("shadow")
    repository = Repository(shipped=None, own=folder / "data" / "models")
    publish(repository)
    publish_reversed(repository)
    with RunningSite(folder, workers="1") as running:
        running.make_account(admin=True)
        yield running


@pytest.fixture(scope="module")
def login(browser: Browser, shade_site: RunningSite) -> Iterator[BrowserContext]:
    """Give a browser in which the administrator has just logged in."""
    with logged_in(browser, shade_site) as context:
        yield context


def classify(page: Page, site: RunningSite, photo: Path) -> None:
    """Have a photo answered by the active version."""
    page.goto(f"{site.url}/?model=shade")
    page.set_input_files("input[type=file]", photo)
    page.get_by_role("button", name=re.compile(r"^Classify( \d+ photos?)?$")).click()
    page.wait_for_url("**/predictions/*")
    expect(page.get_by_role("heading", level=1)).to_have_text("This image is a Light")


@pytest.mark.parametrize(
    ("scheme", "width", "script"), [("light", 1100, True), ("dark", 390, False)], ids=["with a script", "without, on a phone"]
)
def test_a_version_runs_in_the_shadow_and_its_page_tells_how_it_agrees(
    browser: Browser, login: BrowserContext, shade_site: RunningSite, tmp_path: Path, scheme: str, width: int, script: bool
) -> None:
    photo = tmp_path / "light.png"
    photo.write_bytes(make_picture((250, 250, 250)))
    state = login.storage_state()
    view = {"color_scheme": scheme, "viewport": {"width": width, "height": 844}}
    context = browser.new_context(storage_state=state, java_script_enabled=script, **view)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(shade_site.url + ADDRESS)
    page.get_by_label("Percent of the pictures").fill("100")
    page.get_by_role("button", name="Let it look").click()
    expect(page.locator("main")).to_contain_text("Version 2 runs in the shadow, on 100 % of the pictures.")
    page.wait_for_timeout(2500)  # every process follows within two seconds
    classify(page, shade_site, photo)
    answered = page.url
    page.wait_for_timeout(2500)
    page.goto(shade_site.url + ADDRESS)
    panel = page.get_by_role("region", name="In the shadow")
    expect(panel).to_contain_text("0.0 %")
    expect(panel.get_by_role("row", name="Light Dark")).to_be_visible()
    panel.get_by_text("The last pictures in which they differ").click()
    panel.get_by_role("link", name="your photo").first.click()
    assert page.url == answered
    page.goto(shade_site.url + ADDRESS)
    panel.get_by_text("End", exact=True).click()
    panel.get_by_role("button", name="End it").click()
    expect(page.locator("main")).to_contain_text("Version 2 runs in the shadow no more.")
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_panel_is_accessible_and_fits_the_narrowest_phone(
    browser: Browser, login: BrowserContext, shade_site: RunningSite, scheme: str
) -> None:
    view = {"color_scheme": scheme, "viewport": {"width": 320, "height": 640}}
    context = browser.new_context(storage_state=login.storage_state(), **view)  # type: ignore[arg-type]
    page = context.new_page()
    Repository(shipped=None, own=shade_site.data / "models").begin_shadow("shade", "2", 0.5)
    for version in "12":
        page.goto(f"{shade_site.url}/models/shade/versions/{version}")
        for summary in page.locator(".in-shadow summary").all():
            summary.click()
        found = Axe().run(page).response["violations"]
        assert not found, [(v["id"], [n["html"] for n in v["nodes"]]) for v in found]
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
    context.close()
