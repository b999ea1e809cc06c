"""A site that stores nothing, in real Chromium: the answer is read where the photo was put, with and without a script."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.factories import CAT, DOG
from tests.serving import RunningSite

pytestmark = pytest.mark.journey

ONE = "This answer is not kept: it is gone when you leave the page."
ALL = "These answers are not kept: they are gone when you leave the page."


@pytest.fixture(scope="module")
def forgetful(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    """Give a site that stores no answers and that takes four photos a minute from a guest."""
    settings = {"access": "guests", "history": "no", "trusted_proxies": "1", "visitor_limit": "4", "workers": "1"}
    with RunningSite(tmp_path_factory.mktemp("forgetful"), **settings) as running:
        yield running


def enter(browser: Browser, address: str, *, script: bool = True, scheme: str = "light") -> BrowserContext:
    return browser.new_context(
        java_script_enabled=script,
        color_scheme=scheme,  # type: ignore[arg-type]
        extra_http_headers={"X-Forwarded-For": address},
    )


def classify(page: Page, *photos: Path) -> None:
    page.set_input_files("input[type=file]", list(photos))
    page.get_by_role("button", name=re.compile(r"^Classify( \d+ photos?)?$")).click()


def assert_accessible(page: Page) -> None:
    found = Axe().run(page).response["violations"]
    assert not found, [(v["id"], [n["html"] for n in v["nodes"]]) for v in found]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_with_a_script_the_answer_stands_under_the_photo(browser: Browser, forgetful: RunningSite, scheme: str) -> None:
    context = enter(browser, f"203.0.113.{len(scheme)}", scheme=scheme)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(forgetful.url + "/")
    note = page.locator(".upload__unkept")
    expect(note).to_be_hidden()
    classify(page, CAT)
    row = page.locator(".photo")
    expect(row).to_contain_text(re.compile(r"This image is a Cat [\d.> ]+ %"))
    expect(note).to_have_text(ONE)
    expect(page.locator("#upload-status")).to_have_text(re.compile(rf"^This image is a Cat [\d.> ]+ %\. {re.escape(ONE)}$"))
    assert (page.url, row.get_by_role("link").count()) == (forgetful.url + "/", 0)
    assert row.locator("img").evaluate("image => image.naturalWidth") > 0
    assert_accessible(page)
    classify(page, DOG)
    expect(row.nth(1)).to_contain_text("This image is a Dog")
    expect(note).to_have_text(ALL)
    page.get_by_role("button", name=re.compile("^Remove ")).first.click()
    expect(note).to_have_text(ONE)
    page.get_by_role("button", name=re.compile("^Remove ")).click()
    expect(note).to_be_hidden()
    assert not complaints
    context.close()


def test_without_a_script_the_page_that_asked_shows_it(browser: Browser, forgetful: RunningSite) -> None:
    context = enter(browser, "203.0.113.10", script=False)
    page = context.new_page()
    page.goto(forgetful.url + "/")
    classify(page, CAT)
    answer = page.get_by_role("region", name="The answer")
    expect(answer.get_by_role("listitem")).to_contain_text("Cat")
    expect(answer).to_contain_text(ONE)
    assert (page.url, answer.get_by_role("link").count()) == (forgetful.url + "/", 0)
    page.locator("button[name=sample]").nth(1).click()
    expect(answer.get_by_role("listitem")).to_contain_text("Dog")
    page.get_by_role("link", name="History").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("This site keeps no answers")
    context.close()


def test_who_had_enough_reads_when_to_come_back(browser: Browser, forgetful: RunningSite) -> None:
    sentence = re.compile(r"At most 4 pictures are taken in a minute; please wait \d+ seconds\.")
    for script in (True, False):
        context = enter(browser, f"203.0.113.{20 + script}", script=script)
        page = context.new_page()
        page.goto(forgetful.url + "/")
        classify(page, CAT, DOG, CAT, DOG)
        expect(page.get_by_text(ALL, exact=True)).to_be_visible()
        page.goto(forgetful.url + "/")
        classify(page, DOG)
        expect(page.locator("form#upload").get_by_text(sentence)).to_be_visible()
        if script:
            expect(page.get_by_role("button", name="Classify", exact=True)).to_be_enabled()
            assert_accessible(page)
        context.close()


def test_the_answer_fits_the_narrowest_phone(browser: Browser, forgetful: RunningSite) -> None:
    context = browser.new_context(viewport={"width": 320, "height": 640}, java_script_enabled=False)
    page = context.new_page()
    page.goto(forgetful.url + "/")
    classify(page, CAT, DOG)
    expect(page.get_by_text(ALL)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    context.close()
