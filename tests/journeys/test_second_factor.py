"""The codes of an app in real Chromium: set up by the page, asked for at the login; readable in light and dark."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.serving import PASSWORD, RunningSite
from tests.web.factors import FACTORS, Phone
from tests.web.visiting import make_visitor

pytestmark = pytest.mark.journey


def assert_accessible(page: Page) -> None:
    found = Axe().run(page).response["violations"]
    assert not found, [(v["id"], [n["html"] for n in v["nodes"]]) for v in found]


def log_in(page: Page, site: RunningSite, email: str) -> None:
    page.goto(f"{site.url}/login?next={FACTORS}")
    page.get_by_label("Email address").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in", exact=True).click()


@pytest.mark.parametrize(("scheme", "width"), [("light", 1100), ("dark", 390)])
def test_an_app_is_set_up_and_asked_for(browser: Browser, site: RunningSite, scheme: str, width: int) -> None:
    email = f"{scheme}@example.org"
    make_visitor(site, email)
    size = {"width": width, "height": 844}
    context = browser.new_context(color_scheme=scheme, viewport=size)  # type: ignore[arg-type]
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    log_in(page, site, email)
    assert_accessible(page)
    page.get_by_role("link", name="Set up an app").click()
    expect(page.get_by_role("img", name="QR code of the secret below")).to_be_visible()
    assert_accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    phone = Phone(page.locator("#secret").inner_text())
    page.get_by_label("Code", exact=True).fill(phone.code)
    page.get_by_role("button", name="Ask for these codes from now on").click()
    code = page.locator("#codes-text").inner_text().split()[0]
    assert_accessible(page)
    page.locator("footer").get_by_role("button", name="Log out").click()
    log_in(page, site, email)
    page.wait_for_url("**/login/second-step")
    expect(page.get_by_label("Code", exact=True)).to_be_focused()
    page.get_by_text("Use a recovery code").click()
    assert_accessible(page)
    page.get_by_label("Recovery code").fill(code)
    page.get_by_role("button", name="Log in").last.click()
    page.wait_for_url(f"**{FACTORS}")
    expect(page.locator("main")).to_contain_text("That recovery code is used up; 9 are left.")
    page.goto(site.url + "/account")
    expect(page.get_by_role("region", name="Second factor")).to_contain_text("9 recovery codes are left.")
    assert_accessible(page)
    assert not complaints
    context.close()
