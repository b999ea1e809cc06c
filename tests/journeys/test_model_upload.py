"""An administrator brings a pickle and labelled samples to the site, sees the report, imports it and lets it answer."""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Browser, Page, expect
from sklearn.ensemble import RandomForestClassifier

from tests.intake.classifiers import digits
from tests.journeys.logins import logged_in
from tests.serving import PASSWORD, RunningSite
from tests.web.reading import Page as ReadPage
from tests.web.visiting import Visitor, make_visitor

pytestmark = pytest.mark.journey
ROWS, LABELS = digits()
ADDRESS = "/administration/models/import"


@pytest.fixture(scope="module")
def uploads_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    with RunningSite(tmp_path_factory.mktemp("uploads"), workers="2", model_uploads="on") as running:
        running.make_account(admin=True)
        yield running


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pickle of a forest that learned digits at levels of 0 to 16, samples it has not seen, and a hostile pickle."""
    folder = tmp_path_factory.mktemp("files")
    forest = RandomForestClassifier(40, random_state=0).fit(ROWS[:400] * 16, LABELS[:400])
    (folder / "forest.pkl").write_bytes(pickle.dumps(forest))
    (folder / "hostile.pkl").write_bytes(b"cos\nsystem\n(S'touch /tmp/never'\ntR.")
    with zipfile.ZipFile(folder / "samples.zip", "w") as archive:
        for number in range(400, 600):
            picture = folder / "digit.png"
            Image.fromarray(np.rint(ROWS[number].reshape(8, 8) * 255).astype(np.uint8)).resize((32, 32)).save(picture)
            archive.write(picture, f"{LABELS[number]}/{number}.png")
    return folder


@pytest.fixture
def page(browser: Browser, uploads_site: RunningSite) -> Iterator[Page]:
    """Give a page of a browser in which the administrator has just logged in."""
    with logged_in(browser, uploads_site) as context:
        yield context.new_page()


def test_from_a_pickle_to_an_answer(page: Page, files: Path) -> None:
    page.goto("/models")
    page.get_by_role("link", name="Import a model").click()
    page.get_by_label("Model file").set_input_files(files / "forest.pkl")
    page.get_by_label("Name", exact=True).fill("my-digits")
    page.get_by_label("Labelled samples").set_input_files(files / "samples.zip")
    assert Axe().run(page).response["violations"] == []
    page.get_by_role("button", name="Look at it").click()
    expect(page.get_by_role("heading", name="forest.pkl")).to_be_visible(timeout=60_000)
    expect(page.get_by_text("RandomForestClassifier")).to_be_visible()
    expect(page.locator(".preview img")).to_have_count(8)
    chosen = page.get_by_role("radio", checked=True)
    expect(chosen).to_have_count(1)
    expect(page.get_by_role("radio", name="0 to 16").first).to_be_checked()
    assert Axe().run(page).response["violations"] == []
    page.get_by_role("button", name="Import it").click()
    expect(page.get_by_text("Version 1 is imported.")).to_be_visible(timeout=60_000)
    expect(page.get_by_text("every label equal")).to_be_visible()


def test_the_next_version_waits_until_it_is_activated(page: Page, uploads_site: RunningSite, files: Path) -> None:
    for _ in range(2):
        page.goto(ADDRESS)
        page.get_by_label("Model file").set_input_files(files / "forest.pkl")
        page.get_by_label("Name", exact=True).fill("numbers")
        page.get_by_text("What is known of how pictures were fed").click()
        page.get_by_label("Levels").select_option("0-16")
        page.get_by_role("button", name="Look at it").click()
        expect(page.get_by_text("Seen from its 64 features: grey pictures of 8x8.")).to_be_visible(timeout=60_000)
        page.get_by_role("button", name="Import it").click()
        expect(page.get_by_text("is imported. What it answers was compared")).to_be_visible(timeout=60_000)
    expect(page.get_by_text("This version waits; version 1 answers now.")).to_be_visible()


def test_what_is_refused_is_told_with_what_it_would_use(page: Page, files: Path) -> None:
    page.goto(ADDRESS)
    page.get_by_label("Model file").set_input_files(files / "hostile.pkl")
    page.get_by_label("Name", exact=True).fill("evil")
    page.get_by_role("button", name="Look at it").click()
    expect(page.get_by_role("alert")).to_contain_text("os.system")
    assert not Path("/tmp/never").exists()


def test_samples_that_leave_it_open_are_asked_about(page: Page, files: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(files / "samples.zip") as whole, zipfile.ZipFile(tmp_path / "few.zip", "w") as few:
        for entry in whole.infolist()[:20]:
            few.writestr(entry, whole.read(entry))
    page.goto(ADDRESS)
    page.get_by_label("Model file").set_input_files(files / "forest.pkl")
    page.get_by_label("Name", exact=True).fill("few")
    page.get_by_label("Labelled samples").set_input_files(tmp_path / "few.zip")
    page.get_by_role("button", name="Look at it").click()
    expect(page.get_by_text("20 samples are too few to decide by: it takes 30.")).to_be_visible(timeout=60_000)
    expect(page.get_by_role("radio", checked=True)).to_have_count(0)
    page.get_by_text("Throw it away").first.click()
    page.get_by_role("button", name="Throw it away").click()
    expect(page.get_by_text("The file is thrown away.")).to_be_visible()


def test_only_administrators_get_there_and_only_where_it_is_on(uploads_site: RunningSite, site: RunningSite) -> None:
    assert make_visitor(uploads_site, "member@example.org").get(ADDRESS).status == 403
    assert Visitor(uploads_site).get(ADDRESS).status == 302
    assert "Import a model" not in ReadPage(make_visitor(uploads_site, "member@example.org").get("/models")).words
    site.make_account("closed@example.org", PASSWORD, admin=True)
    root = Visitor(site)
    root.log_in("closed@example.org")
    assert root.get(ADDRESS).status == 404
    assert "Import a model" not in ReadPage(root.get("/models")).words


@pytest.mark.parametrize("token", ["0" * 32, "..", "%2e%2e%2fsecret_key"])
def test_a_file_that_is_not_there_is_not_found(uploads_site: RunningSite, token: str) -> None:
    root = Visitor(uploads_site)
    root.log_in()
    assert root.get(f"{ADDRESS}/{token}").status in (404, 301, 308)
    assert root.submit(f"{ADDRESS}/{'0' * 32}", {"way": "0"}, page=ADDRESS).status == 404
