"""An administrator looks at a version's card and proof, lets it answer, classifies, and rolls back, in real Chromium."""

from __future__ import annotations

import pickle
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect

from app.inference.package import Metric, Sample
from app.inference.provenance import Candidate
from app.inference.repository import Repository
from tests.factories import make_classifier, make_manifest, make_picture, make_proof, make_source
from tests.journeys.logins import logged_in
from tests.serving import RunningSite

pytestmark = pytest.mark.journey

CARD = """# shade

## Data

| class | learned from |
|---|---|
| dark | 541 |
"""
LIGHT = "samples/light.png"
LONG = "56 labels differ from the source's, and the largest difference between probabilities is 0.3 where 1e-5 is allowed"
ADDRESS = "/models/shade/versions"


@pytest.fixture(scope="module")
def shade_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    """Give a site of its own with an administrator and three versions of a model, of which the first is active."""
    folder = tmp_path_factory.mktemp("shade")
    repository = Repository(shipped=None, own=folder / "data" / "models")
    files = {"source.pkl": pickle.dumps(make_classifier()), "card.md": CARD.encode(), LIGHT: make_picture((250, 250, 250))}
    weak = make_proof(weak=True, rarest=2, candidates=(Candidate("onnx", 200, 0.3, 1.0, 2.0, refused=LONG),))
    kinds: tuple[dict[str, Any], ...] = (
        {},
        {"proof": make_proof(), "source": make_source()},
        {"proof": weak, "source": make_source(trusted=True), "answers": "decision_function"},
    )
    for given in kinds:
        metrics, samples = (Metric("accuracy", 0.981, 0.97, 0.99),), (Sample(LIGHT, "A light square"),)
        repository.publish(make_manifest(metrics=metrics, samples=samples, summary="Tells dark from light.", **given), files)
    with RunningSite(folder, workers="1") as running:
        running.make_account(admin=True)
        yield running


@pytest.fixture(scope="module")
def login(browser: Browser, shade_site: RunningSite) -> Iterator[BrowserContext]:
    """Give a browser in which the administrator has just logged in."""
    with logged_in(browser, shade_site) as context:
        yield context


def assert_answered_by(page: Page, site: RunningSite, photo: Path, version: str) -> None:
    page.goto(f"{site.url}/?model=shade")
    page.set_input_files("input[type=file]", photo)
    page.get_by_role("button", name=re.compile(r"^Classify( \d+ photos?)?$")).click()
    page.wait_for_url("**/predictions/*")
    expect(page.get_by_role("heading", level=1)).to_have_text("This image is a Light")
    expect(page.locator(".plate")).to_contain_text(f"Shade, version {version}")


@pytest.mark.parametrize("script", [True, False], ids=["with a script", "without"])
def test_an_administrator_reads_the_proof_activates_classifies_and_rolls_back(
    browser: Browser, login: BrowserContext, shade_site: RunningSite, tmp_path: Path, script: bool
) -> None:
    photo = tmp_path / "light.png"
    photo.write_bytes(make_picture((250, 250, 250)))
    context = browser.new_context(storage_state=login.storage_state(), java_script_enabled=script)
    page = context.new_page()
    page.goto(shade_site.url + "/models/shade")
    page.get_by_role("link", name="Version 2").click()
    expect(page.get_by_role("region", name="Model card")).to_contain_text("541")
    expect(page.get_by_role("region", name="Proof")).to_contain_text(
        "Proven on 256 pictures: every label equal, largest difference 2e-7."
    )
    expect(page.get_by_role("row", name="scikit-learn")).to_contain_text("256/256")
    page.get_by_role("link", name="Let version 2 answer").click()
    expect(page.locator("main")).to_contain_text("the same answer from both versions.")
    page.get_by_role("button", name="Let version 2 answer").click()
    expect(page.locator("main")).to_contain_text("Version 2 answers from now on.")
    page.wait_for_timeout(2500)  # every process follows within two seconds
    assert_answered_by(page, shade_site, photo, "2")
    page.goto(f"{shade_site.url}{ADDRESS}/2")
    page.get_by_text("Roll back", exact=True).click()
    page.get_by_role("button", name="Roll back to version 1").click()
    page.wait_for_url(f"**{ADDRESS}/1")
    expect(page.locator("main")).to_contain_text("This version answers now.")
    expect(page.get_by_role("region", name="Administration").get_by_role("listitem").first).to_contain_text(
        "rolled back from version 2 to 1"
    )
    page.wait_for_timeout(2500)
    assert_answered_by(page, shade_site, photo, "1")
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_of_versions_are_accessible(
    browser: Browser, login: BrowserContext, shade_site: RunningSite, scheme: str
) -> None:
    context = browser.new_context(color_scheme=scheme, storage_state=login.storage_state())  # type: ignore[arg-type]
    page = context.new_page()
    for path in ("/models/shade", *(f"{ADDRESS}/{version}" for version in "123")):
        page.goto(shade_site.url + path)
        found = Axe().run(page).response["violations"]
        assert not found, (path, [(v["id"], [n["html"] for n in v["nodes"]]) for v in found])
    context.close()


def test_nothing_is_cut_off_or_scrolls_sideways_on_the_narrowest_phone(
    browser: Browser, login: BrowserContext, shade_site: RunningSite
) -> None:
    context = browser.new_context(viewport={"width": 320, "height": 640}, storage_state=login.storage_state())
    page = context.new_page()
    for version in "23":
        page.goto(f"{shade_site.url}{ADDRESS}/{version}")
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
        plate, table = page.locator(".proof").bounding_box(), page.locator(".ruled").bounding_box()
        assert plate is not None
        assert table is not None
        assert table["x"] + table["width"] <= plate["x"] + plate["width"] - 8
    context.close()
