"""A browser in which somebody has just logged in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, BrowserContext

from tests.serving import EMAIL, PASSWORD, RunningSite


@contextmanager
def logged_in(browser: Browser, site: RunningSite, email: str = EMAIL, password: str = PASSWORD) -> Iterator[BrowserContext]:
    """Give cookies and pages of one's own; addresses without a host are the site's."""
    context = browser.new_context(base_url=site.url)
    page = context.new_page()
    page.goto("/login")
    page.get_by_label("Email address").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in", exact=True).click()
    page.wait_for_url(f"{site.url}/")
    page.close()
    yield context
    context.close()
