"""An account from its first letter to its end, in real Chromium: register, move to another address, take all along, go."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.serving import PASSWORD, RunningSite
from tests.web.letters import link_in, wait_for_letter

pytestmark = pytest.mark.journey


@pytest.fixture(scope="module")
def open_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    folder = tmp_path_factory.mktemp("membership")
    with RunningSite(folder, workers="1", mail=str(folder / "letters"), registration="open") as running:
        running.make_account("root@example.org", admin=True)
        yield running


def fill(page: Page, button: str, **fields: str) -> None:
    """Fill the form of a page that everybody can use and that fits, and send it."""
    found = Axe().run(page).response["violations"]
    assert not found, [(v["id"], [n["html"] for n in v["nodes"]]) for v in found]
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for label, value in fields.items():
        page.get_by_label(label.replace("_", " "), exact=True).fill(value)
    page.get_by_role("button", name=button, exact=True).click()


@pytest.mark.parametrize(("scheme", "width"), [("light", 1100), ("dark", 390)])
def test_an_account_from_its_first_letter_to_its_end(
    browser: Browser, open_site: RunningSite, tmp_path: Path, scheme: str, width: int
) -> None:
    email, new = f"{scheme}@example.org", f"a.rather.long.address.of.{scheme}@photos.example.org"
    context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 844})  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(open_site.url + "/login")
    page.get_by_role("link", name="Make an account").click()
    fill(page, "Send the link", Email_address=email)
    expect(page.get_by_role("status")).to_contain_text("A letter is on its way to that address.")
    page.goto(open_site.url + link_in(wait_for_letter(open_site, email), "/invitation/"))
    fill(page, "Make the account", Password="password123456", Password_again="password123456")
    expect(page.get_by_label("Password", exact=True)).to_be_focused()
    fill(page, "Make the account", Password=PASSWORD, Password_again=PASSWORD)
    expect(page.locator("main")).to_contain_text("The account is made, and you are logged in.")
    page.goto(open_site.url + "/account")
    page.get_by_role("link", name="Change the address").click()
    fill(page, "Send the link", New_email_address=new)
    page.goto(open_site.url + link_in(wait_for_letter(open_site, new), "/account/email/"))
    fill(page, "Change the address")
    expect(page.get_by_text(f"Your address is {new} now.")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download everything").click()
    download.value.save_as(tmp_path / "everything.zip")
    assert new.encode() in ZipFile(tmp_path / "everything.zip").read("account.json")
    page.locator("summary").filter(has_text="Delete the account").click()
    fill(page, "Delete everything")
    expect(page.get_by_role("heading", level=1)).to_have_text("Log in")
    expect(page.get_by_text("Your account is deleted")).to_be_visible()
    context.close()
