"""An administrator watches what goes on, in real Chromium: figures move by themselves, and stand still where nobody looks."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from app.storage.database import open_database
from app.storage.sums import HOUR, MINUTE, Amount, SumKey, Sums
from tests.factories import EIGHT
from tests.journeys.logins import logged_in
from tests.serving import RunningSite

pytestmark = pytest.mark.journey

LONG = "a_very_long_name_of_a_class_that_goes_on_and_on_" * 4 + "Pneumonoultramicroscopicsilicovolcanoconiosis"
HIDE = """hidden => {
  Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
}"""


@pytest.fixture(scope="module")
def busy_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    """Give a site with an administrator that has answered much for days."""
    with RunningSite(tmp_path_factory.mktemp("busy"), workers="1") as running:
        running.make_account(admin=True)
        fill(running)
        yield running


@pytest.fixture(scope="module")
def login(browser: Browser, busy_site: RunningSite) -> Iterator[BrowserContext]:
    with logged_in(browser, busy_site) as context:
        yield context


def fill(site: RunningSite) -> None:
    """Write down what a busy site would have by now."""
    now, amounts = int(datetime.now(UTC).timestamp()), {}
    for ago in range(48):
        hour = now // HOUR * HOUR - ago * HOUR
        for version in range(1, 8):
            for measure, edge in (("total", 30), ("total", 50), ("decode", 10), ("queue", 0.1), ("model", 15), ("store", 1)):
                amounts[SumKey(HOUR, measure, hour, "birds", str(version), f"{edge:g}")] = Amount(100, 80 * edge)
            for number in range(40):
                label = LONG if number == 7 else f"bird_{number}"
                amounts[SumKey(HOUR, "classes", hour, "birds", str(version), label)] = Amount(1 + number % 9, 0.0)
            amounts[SumKey(HOUR, "confidence", hour, "birds", str(version), f"{5 * (ago % 20):02}")] = Amount(200, 150.0)
        amounts[SumKey(HOUR, "total", hour, LONG[:63].replace("_", "-"), "1", "30")] = Amount(5, 125.0)
        amounts[SumKey(HOUR, "refused", hour, "", "", "invalid_image")] = Amount(ago, 0.0)
        amounts[SumKey(HOUR, "status", hour, "", "", "503")] = Amount(1, 0.0)
    for ago in range(1, 60):
        minute = now // MINUTE * MINUTE - ago * MINUTE
        amounts[SumKey(MINUTE, "total", minute, "birds", "1", "50")] = Amount(ago, 40.0 * ago)
        amounts[SumKey(MINUTE, "refused", minute, "", "", "invalid_image")] = Amount(ago % 3, 0.0)
    Sums(open_database(f"sqlite:///{site.data / 'vitrine.db'}")).add(amounts)


def assert_accessible(page: Page) -> None:
    found = Axe().run(page).response["violations"]
    assert not found, [(v["id"], [n["html"] for n in v["nodes"]]) for v in found]


def classify(site: RunningSite, pictures: int) -> None:
    """Have pictures answered."""
    for _ in range(pictures):
        assert site.predict(EIGHT.read_bytes(), "/api/v1/models/digits/predict").status == 200


def page_status(page: Page) -> Locator:
    """Give where the page says of when its figures are."""
    return page.locator("[data-state]")


def answered(page: Page) -> int:
    """Give how many answers of the last minutes the page tells of."""
    return int(page.locator("[data-figure=answered]").inner_text().replace(",", ""))


@pytest.mark.parametrize(("scheme", "width"), [("light", 1100), ("dark", 320)])
def test_it_is_accessible_and_fits_every_screen(
    browser: Browser, login: BrowserContext, busy_site: RunningSite, scheme: str, width: int
) -> None:
    view = {"color_scheme": scheme, "viewport": {"width": width, "height": 844}}
    context = browser.new_context(storage_state=login.storage_state(), **view)  # type: ignore[arg-type]
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    for question in ("?period=7d", "?model=nothing"):
        page.goto(f"{busy_site.url}/dashboard{question}")
        expect(page_status(page)).to_contain_text("As of")
        for summary in page.locator("main summary").all():
            summary.click()
        assert_accessible(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert complaints == []
    context.close()


def test_a_figure_moves_soon_after_an_answer_and_a_pause_holds_it(login: BrowserContext, busy_site: RunningSite) -> None:
    page = login.new_page()
    page.clock.install()
    page.goto("/dashboard")
    pause = page.get_by_role("button", name="Pause")
    expect(page_status(page)).to_contain_text("As of")
    before = answered(page)
    classify(busy_site, 30)  # more than any of the minutes had that go out of sight meanwhile
    while answered(page) <= before:
        page.clock.run_for(5000)
        page.wait_for_timeout(200)
    rows = page.locator("#live tbody tr")
    page.locator("#live summary").click()
    told = sum(int(row.locator("td").first.inner_text()) for row in rows.all()[:5])
    assert told == answered(page)
    pause.click()
    expect(page_status(page)).to_have_text("Paused")
    held = answered(page)
    classify(busy_site, 30)
    page.wait_for_timeout(3000)  # it is written down by then
    page.clock.run_for(60_000)
    assert answered(page) == held
    pause.click()
    expect(page_status(page)).to_contain_text("As of")
    assert answered(page) > held
    page.close()


def test_where_nobody_looks_nothing_is_asked_for(login: BrowserContext) -> None:
    page = login.new_page()
    asked: list[int] = []
    page.on("response", lambda response: asked.append(response.status) if response.url.endswith("/dashboard/live") else None)
    page.clock.install()
    page.goto("/dashboard")
    expect(page_status(page)).to_contain_text("As of")
    page.clock.run_for(5000)
    expect(page_status(page)).to_contain_text("As of")
    while len(asked) < 2:
        page.wait_for_timeout(50)
    page.evaluate(HIDE, True)
    seen = len(asked)
    page.clock.run_for(60_000)
    page.wait_for_timeout(300)
    assert len(asked) == seen
    with page.expect_response("**/dashboard/live") as answer:
        page.evaluate(HIDE, False)
    assert answer.value.status in (200, 304)
    page.close()


def test_who_is_logged_out_meanwhile_is_told(login: BrowserContext) -> None:
    page = login.new_page()
    page.route("**/dashboard/live", lambda route: route.fulfill(status=401, content_type="application/problem+json", body="{}"))
    page.goto("/dashboard")
    expect(page_status(page)).to_have_text("You are no longer logged in")
    expect(page.get_by_role("button", name="Pause")).to_be_hidden()
    page.close()


def test_without_a_script_it_tells_how_it_was(browser: Browser, login: BrowserContext, busy_site: RunningSite) -> None:
    context = browser.new_context(storage_state=login.storage_state(), java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{busy_site.url}/dashboard")
    expect(page.get_by_role("button", name="Pause")).to_be_hidden()
    expect(page.locator("#live .chart__column")).to_have_count(60)
    page.get_by_role("link", name="30 days").click()
    page.get_by_label("Model").select_option("birds")
    page.get_by_role("button", name="Show").click()
    assert page.url.endswith("/dashboard?period=30d&model=birds")
    expect(page.get_by_role("table", name="Answers by class").first).to_contain_text("Bird 8")
    context.close()
