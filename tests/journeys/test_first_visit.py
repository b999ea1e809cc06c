"""From an empty folder to "This image is a Cat", as a stranger would go, in real Chromium."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, expect

from app.config import TREE
from tests.factories import CAT, DOG
from tests.sampling import sample, sampled
from tests.serving import EMAIL, PASSWORD, RunningSite

pytestmark = pytest.mark.journey

PAGES = [
    "/",
    "/history",
    "/models",
    "/models/cats-vs-dogs",
    "/models/cats-vs-dogs/versions/1",
    "/account",
    "/account/password",
    "/api/docs",
    "/nothing-here",
]


def log_in(page: Page, site: RunningSite, email: str = EMAIL, password: str = PASSWORD) -> None:
    page.goto(site.url + "/login")
    page.get_by_label("Email address").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()


@pytest.fixture
def visitor(browser: Browser, site: RunningSite) -> Iterator[BrowserContext]:
    """Give a browser of its own that is logged in."""
    site.make_account()
    context = browser.new_context()
    page = context.new_page()
    log_in(page, site)
    page.wait_for_url(site.url + "/")
    yield context
    context.close()


def page_of_a_key(site: RunningSite) -> str:
    """Give where a key is shown that was used."""
    assert site.request("GET", "/api/v1/models", key=site.key).status == 200
    return f"/account/keys/{site.key.split('_')[1]}"


def classify(page: Page, site: RunningSite, *photos: Path) -> None:
    page.goto(site.url + "/")
    page.set_input_files("input[type=file]", list(photos))
    page.get_by_role("button", name=re.compile(r"^Classify( \d+ photos?)?$")).click()


def test_from_nothing_to_the_first_answer(browser: Browser, tmp_path: Path) -> None:
    with RunningSite(tmp_path) as site:
        link = site.setup_link
        context = browser.new_context()
        page = context.new_page()
        page.goto(link)
        page.locator("input[name=email]").fill(EMAIL)
        for field in page.locator("input[type=password]").all():
            field.fill(PASSWORD)
        page.locator("main form [type=submit]").click()
        expect(page.locator("main")).to_contain_text("The account is made, and you are logged in.")
        assert page.goto(link) is not None
        expect(page.locator("main")).to_contain_text("This set-up link is used")
        page.goto(site.url + "/")
        classify(page, site, CAT)
        page.wait_for_url("**/predictions/*")
        expect(page.get_by_role("heading", level=1)).to_have_text("This image is a Cat")
        answer = page.url
        page.reload()
        expect(page).to_have_title("This image is a Cat – Vitrine")
        page.goto(site.url + "/history")
        expect(page.locator("main")).to_contain_text("Cat")
        page.locator("form[action='/logout'] button").first.click()
        page.wait_for_url("**/login")
        page.goto(answer)
        page.wait_for_url(re.compile(r"/login\?next="))
        context.close()


def test_several_photos_at_once_with_a_bad_one(visitor: BrowserContext, site: RunningSite, tmp_path: Path) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(CAT.read_bytes()[:4000])
    page = visitor.pages[0]
    classify(page, site, CAT, broken, DOG)
    expect(page.get_by_role("link", name="This image is a Cat")).to_be_visible()
    expect(page.get_by_role("link", name="This image is a Dog")).to_be_visible()
    row = page.locator("li", has_text="broken.jpg")
    expect(row).to_contain_text("This JPEG file is damaged or ends too early.")
    assert "Cat" not in row.inner_text()


def test_without_script_it_works_all_the_same(
    browser: Browser, visitor: BrowserContext, site: RunningSite, tmp_path: Path
) -> None:
    text = tmp_path / "cat.jpg"
    text.write_text("I am a cat.")
    context = browser.new_context(java_script_enabled=False, storage_state=visitor.storage_state())
    page = context.new_page()
    classify(page, site, DOG)
    expect(page.get_by_role("heading", level=1)).to_have_text("This image is a Dog")
    classify(page, site, CAT, text)
    expect(page.locator("main a[href^='/predictions/']", has_text="Cat").first).to_be_visible()
    expect(page.locator("main")).to_contain_text("This file is not a picture we can read.")
    classify(page, site)
    assert page.locator("input[type=file]:invalid").count() == 1, "the browser itself asks for a photo"
    context.close()


def test_a_sample_is_answered_with_one_click(visitor: BrowserContext, site: RunningSite) -> None:
    page = visitor.pages[0]
    page.goto(site.url + "/")
    samples = page.locator("button[name=sample]")
    assert samples.count() == 6
    samples.first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("This image is a Cat")


def test_page_and_api_give_the_same_probabilities(visitor: BrowserContext, site: RunningSite) -> None:
    page = visitor.pages[0]
    classify(page, site, DOG)
    page.wait_for_url("**/predictions/*")
    with sqlite3.connect(site.data / "vitrine.db") as database:
        statement = "SELECT scores FROM predictions WHERE id = ?"
        (scores,) = database.execute(statement, (page.url.rpartition("/")[2],)).fetchone()
    database.close()
    of_page = dict(json.loads(scores))
    of_api = {p["label"]: p["probability"] for p in site.predict(DOG.read_bytes()).json["predictions"]}
    assert of_page == pytest.approx(of_api, abs=1e-6)


def test_wrong_password_and_unknown_user_look_the_same_and_too_many_are_stopped(browser: Browser, tmp_path: Path) -> None:
    with RunningSite(tmp_path) as site:
        site.make_account()
        context = browser.new_context(extra_http_headers={"X-Forwarded-For": "203.0.113.9"})
        page = context.new_page()
        texts = []
        for email in (EMAIL, "nobody@example.org"):
            log_in(page, site, email, "wrong password here")
            texts.append(page.locator("main").inner_text())
        assert texts[0] == texts[1]
        for _ in range(8):
            log_in(page, site, EMAIL, "wrong password here")
        with page.expect_response(lambda answer: answer.request.method == "POST") as caught:
            log_in(page, site, EMAIL, PASSWORD)
        assert caught.value.status == 429
        assert int(caught.value.headers["retry-after"]) > 0
        expect(page.locator("main")).to_contain_text("Too many failed attempts")
        context.close()


def test_a_key_is_shown_once_works_and_dies(visitor: BrowserContext, site: RunningSite) -> None:
    page = visitor.pages[0]
    page.goto(site.url + "/account")
    page.get_by_label("Name").fill("phone")
    page.get_by_role("button", name="Make the key").click()
    page.wait_for_url("**/account/keys")
    (key,) = set(re.findall(r"vtr_[0-9a-f]+_[0-9a-f]{64}_[0-9a-f]{8}", page.content()))
    assert site.request("GET", "/api/v1/models", key=key).status == 200
    page.goto(site.url + "/account")
    assert key not in page.content()


def test_another_visitors_answer_does_not_exist(browser: Browser, visitor: BrowserContext, site: RunningSite) -> None:
    page = visitor.pages[0]
    classify(page, site, CAT)
    page.wait_for_url("**/predictions/*")
    site.make_account("eve@example.org")
    context = browser.new_context()
    other = context.new_page()
    log_in(other, site, "eve@example.org")
    for address in (page.url, page.url + "/picture"):
        answer = other.goto(address)
        assert answer is not None
        assert answer.status == 404
    context.close()


def test_guests_keep_their_own_history(browser: Browser, tmp_path: Path) -> None:
    with RunningSite(tmp_path, access="guests") as site:
        first, second = browser.new_context(), browser.new_context()
        page = first.new_page()
        classify(page, site, CAT)
        page.wait_for_url("**/predictions/*")
        expect(page.get_by_role("heading", level=1)).to_have_text("This image is a Cat")
        answer = second.new_page().goto(page.url)
        assert answer is not None
        assert answer.status == 404
        first.close()
        second.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_is_accessible_and_keeps_the_content_policy(
    browser: Browser, visitor: BrowserContext, site: RunningSite, scheme: str
) -> None:
    context = browser.new_context(color_scheme=scheme, storage_state=visitor.storage_state())  # type: ignore[arg-type]
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if "Content Security Policy" in message.text else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    classify(page, site, DOG)
    page.wait_for_url("**/predictions/*")
    for address in [page.url, *(site.url + path for path in (*PAGES, page_of_a_key(site)))]:
        page.goto(address)
        if address.endswith("/api/docs"):
            page.locator(".opblock").first.wait_for()
        assert page.title()
        assert page.locator("h1").count() == 1, address
        found = Axe().run(page).response["violations"]
        assert not found, (address, [(v["id"], [n["html"] for n in v["nodes"]]) for v in found])
    assert not complaints
    context.close()


def test_nothing_scrolls_sideways_on_the_narrowest_phone(browser: Browser, visitor: BrowserContext, site: RunningSite) -> None:
    context = browser.new_context(viewport={"width": 320, "height": 640}, storage_state=visitor.storage_state())
    page = context.new_page()
    for path in (*PAGES, page_of_a_key(site)):
        page.goto(site.url + path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 320, path
    context.close()


def test_eight_orientations_of_one_photo_get_one_answer(site: RunningSite) -> None:
    with Image.open(CAT) as photo:
        upright = np.asarray(photo.convert("RGB"))
    answers = []
    for orientation, pixels in enumerate(_as_stored(upright), start=1):
        file, exif = BytesIO(), Image.Exif()
        exif[0x0112] = orientation
        Image.fromarray(np.ascontiguousarray(pixels)).save(file, "PNG", exif=exif)
        answers.append([p["probability"] for p in site.predict(file.getvalue()).json["predictions"]])
    assert np.abs(np.array(answers) - answers[0]).max() < 1e-6


def test_a_photo_of_twelve_megapixels_costs_little_memory(tmp_path: Path) -> None:
    file = BytesIO()
    with Image.open(CAT) as photo:
        photo.resize((3000, 4000)).save(file, "JPEG", quality=92)
    with RunningSite(tmp_path, workers="1") as site:
        site.predict(DOG.read_bytes())
        children = Path(f"/proc/{site.pid}/task/{site.pid}/children").read_text().split()
        before = sum(_kilobytes(child, "VmRSS") for child in children)
        assert site.predict(file.getvalue()).json["label"] == "cat"
        extra = sum(_kilobytes(child, "VmHWM") for child in children) - before
    assert extra < 150_000
    print(f"12 megapixels: {extra / 1000:.0f} MB more")


@sampled
@pytest.mark.pets
def test_the_thirty_originals_as_they_are_enlarged_and_turned(site: RunningSite, pets: Path) -> None:
    wrong, changed = [], []
    labels = dict(line.split(",")[:2] for line in (pets / "originals" / "labels.csv").read_text().splitlines()[1:])
    assert len(labels) == 30
    enlarged = sample(list(labels), 3)
    for name, label in labels.items():
        with Image.open(pets / "originals" / name) as opened:
            photo = opened.convert("RGB")
        given = site.predict((pets / "originals" / name).read_bytes()).json["label"]
        if given != label:
            wrong.append(name)
        if name not in enlarged:
            continue
        large = photo.resize((4000, 3000) if photo.width >= photo.height else (3000, 4000))
        for variant in (_jpeg(large), _jpeg(large.transpose(Image.Transpose.ROTATE_90), orientation=6)):
            if site.predict(variant).json["label"] != given:
                changed.append(name)
    assert len(wrong) <= 1, wrong
    assert not changed


def _jpeg(photo: Image.Image, orientation: int = 1) -> bytes:
    file, exif = BytesIO(), Image.Exif()
    exif[0x0112] = orientation
    photo.save(file, "JPEG", quality=90, exif=exif)
    return file.getvalue()


def _as_stored(upright: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    """Give the arrays that the orientations 1 to 8 turn back into the upright one (EXIF 2.32, tag 274)."""
    turned = upright.transpose(1, 0, 2)
    return [
        upright,
        upright[:, ::-1],
        upright[::-1, ::-1],
        upright[::-1],
        turned,
        turned[::-1],
        turned[::-1, ::-1],
        turned[:, ::-1],
    ]


def _kilobytes(process: str, field: str) -> int:
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1])
    raise AssertionError(f"no {field}")


def test_the_shipped_photos_keep_their_attribution() -> None:
    assert "CC BY-SA 4.0" in (TREE / "models" / "cats-vs-dogs" / "NOTICE").read_text(encoding="utf-8")
