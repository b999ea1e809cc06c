"""To a provider and back in real Chromium, under the same content security policy as every page."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Route, expect

from tests.oidc_provider import Person, Provider
from tests.serving import EMAIL, RunningSite

pytestmark = pytest.mark.journey


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with Provider() as running:
        yield running


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, provider: Provider) -> Iterator[RunningSite]:
    with RunningSite(tmp_path_factory.mktemp("site"), workers="1", **provider.settings) as running:
        running.make_account()
        provider.return_to = f"{running.url}/login/oidc/callback"
        provider.person = Person("1", EMAIL)
        yield running


def watched(page: Page) -> list[str]:
    """Give the list that everything the browser complains of is written to."""
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    return complaints


@pytest.mark.parametrize("scripts", [True, False])
def test_one_press_leads_there_and_back(browser: Browser, site: RunningSite, provider: Provider, scripts: bool) -> None:
    context = browser.new_context(java_script_enabled=scripts)
    page = context.new_page()
    complaints = watched(page)
    page.goto(f"{site.url}/history")
    page.get_by_role("button", name="Log in with Example ID").click()
    page.wait_for_url(f"{site.url}/history")
    page.goto(f"{site.url}/account")
    expect(page.locator("main")).to_contain_text(provider.url)
    assert complaints == []
    context.close()


def test_the_page_on_the_way_can_be_read_and_left(browser: Browser, site: RunningSite, provider: Provider) -> None:
    context = browser.new_context(color_scheme="dark")
    page = context.new_page()
    complaints = watched(page)

    def stay(route: Route) -> None:
        route.fulfill(status=204)

    context.route(f"{provider.url}/**", stay)
    page.goto(f"{site.url}/login")
    assert Axe().run(page).response["violations"] == []
    page.get_by_role("button", name="Log in with Example ID").click()
    expect(page.get_by_role("heading")).to_have_text("On the way to Example ID")
    assert Axe().run(page).response["violations"] == []
    context.unroute(f"{provider.url}/**", stay)
    page.get_by_role("link", name="Go on").click()
    page.wait_for_url(f"{site.url}/")
    assert complaints == []
    context.close()
