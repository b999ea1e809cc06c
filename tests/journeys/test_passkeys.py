"""Passkeys in real Chromium with a virtual authenticator: added, used alone and after the password, removed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, CDPSession, Page, expect

from tests.serving import PASSWORD, RunningSite
from tests.web.factors import FACTORS, aged
from tests.web.visiting import make_visitor

pytestmark = pytest.mark.journey


class NamedSite(RunningSite):
    """A site that people open under a name, for which browsers offer passkeys."""

    @property
    def environment(self) -> dict[str, str]:
        """The environment with the address that people open."""
        return {**super().environment, "VITRINE_PUBLIC_URL": self.address}

    @property
    def address(self) -> str:
        """The address that people open."""
        return f"http://localhost:{self.port}"


@dataclass
class Desk:
    """A browser with a device that holds passkeys; everything that it complains about is kept."""

    page: Page
    site: NamedSite
    devices: CDPSession
    device: str
    complaints: list[str] = field(default_factory=list)

    def go(self, path: str) -> None:
        """Open a page."""
        self.page.goto(self.site.address + path)

    def log_in(self, email: str) -> None:
        """Type the password."""
        self.go("/login")
        self.page.get_by_label("Email address").fill(email)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Log in", exact=True).click()

    def log_out(self) -> None:
        """Log out."""
        self.page.locator("footer").get_by_role("button", name="Log out").click()
        self.page.wait_for_url("**/login")

    def add(self, name: str) -> None:
        """Add a passkey; the device agrees by itself."""
        self.go(FACTORS)
        self.page.get_by_label("Name").fill(name)
        self.page.get_by_role("button", name="Add a passkey").click()

    def tell_device(self, **settings: Any) -> None:
        """Change how the device behaves."""
        self.devices.send("WebAuthn.setUserVerified", {"authenticatorId": self.device, **settings})


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NamedSite]:
    with NamedSite(tmp_path_factory.mktemp("named"), workers="2") as running:
        yield running


@pytest.fixture
def desk(browser: Browser, named: NamedSite) -> Iterator[Desk]:
    context = browser.new_context()
    page = context.new_page()
    devices = context.new_cdp_session(page)
    devices.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    made = devices.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    desk = Desk(page, named, devices, made["authenticatorId"])
    page.on("console", lambda message: desk.complaints.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: desk.complaints.append(str(error)))
    yield desk
    context.close()


def assert_accessible(page: Page) -> None:
    found = Axe().run(page).response["violations"]
    assert not found, [(v["id"], [n["html"] for n in v["nodes"]]) for v in found]


def with_passkey(desk: Desk, email: str) -> None:
    """Make an account, log in and add a passkey."""
    make_visitor(desk.site, email)
    desk.log_in(email)
    desk.page.wait_for_url(desk.site.address + "/")
    desk.add("This laptop")
    expect(desk.page.get_by_role("heading", level=1)).to_have_text("Recovery codes")


def test_a_passkey_is_added_and_lets_its_owner_in_alone(desk: Desk) -> None:
    email = "ada@example.org"
    with_passkey(desk, email)
    codes = desk.page.locator("#codes-text").inner_text().split()
    assert len({code for code in codes if re.fullmatch(r"[a-z2-9]{4}(-[a-z2-9]{4}){5}", code)}) == len(codes) == 10
    assert_accessible(desk.page)
    desk.page.get_by_role("link", name="I have kept them").click()
    expect(desk.page.get_by_role("listitem").filter(has_text="This laptop")).to_contain_text("Never used.")
    assert_accessible(desk.page)
    desk.log_out()
    assert_accessible(desk.page)
    desk.go("/login?next=/history")
    desk.page.get_by_role("button", name="Log in with a passkey").click()
    desk.page.wait_for_url("**/history")
    expect(desk.page.locator("footer")).to_contain_text(email)
    desk.go(FACTORS)
    expect(desk.page.get_by_role("listitem").filter(has_text="This laptop")).to_contain_text("Last used")
    assert not desk.complaints


def test_a_passkey_is_asked_for_after_the_password(desk: Desk) -> None:
    email = "second@example.org"
    with_passkey(desk, email)
    desk.log_out()
    desk.log_in(email)
    desk.page.wait_for_url("**/login/second-step")
    assert_accessible(desk.page)
    desk.tell_device(isUserVerified=False)  # to hold the device is enough beside the password
    desk.page.get_by_role("button", name="Use a passkey").click()
    desk.page.wait_for_url(desk.site.address + "/")
    expect(desk.page.locator("footer")).to_contain_text(email)
    assert not desk.complaints


def test_alone_it_lets_nobody_in_whom_the_device_did_not_recognise(desk: Desk) -> None:
    with_passkey(desk, "stolen@example.org")
    desk.log_out()
    desk.tell_device(isUserVerified=False)
    desk.page.get_by_role("button", name="Log in with a passkey").click()
    expect(desk.page.locator(".passkey__said")).to_have_text("Nothing came of it: it was cancelled, or took too long.")
    desk.go("/account")
    desk.page.wait_for_url("**/login?next=/account")
    assert not desk.complaints


def test_a_removed_passkey_is_asked_for_no_more_and_lets_nobody_in(desk: Desk) -> None:
    email = "removes@example.org"
    with_passkey(desk, email)
    desk.page.get_by_role("link", name="I have kept them").click()
    desk.page.get_by_text("Remove", exact=True).click()
    desk.page.get_by_role("button", name="Remove it").click()
    expect(desk.page.locator("main")).to_contain_text("The passkey “This laptop” lets nobody in any more.")
    desk.log_out()
    desk.page.get_by_role("button", name="Log in with a passkey").click()
    expect(desk.page.locator("main")).to_contain_text("That passkey is not known here.")
    desk.log_in(email)
    desk.page.wait_for_url(desk.site.address + "/")
    assert not desk.complaints


def test_a_device_keeps_one_passkey_of_an_account(desk: Desk) -> None:
    with_passkey(desk, "twice@example.org")
    desk.add("Again")
    said = desk.page.locator(".passkey__said")
    expect(said).to_have_text("That device has a passkey for this account already.")
    assert not desk.complaints


def test_at_another_address_the_browser_says_why_there_are_none(desk: Desk) -> None:
    desk.page.goto(f"{desk.site.url}/login")
    desk.page.get_by_role("button", name="Log in with a passkey").click()
    said = desk.page.locator(".passkey__said")
    expect(said).to_have_text("Passkeys work only at this site's own address; open it there.")
    assert not desk.complaints


def test_a_login_that_is_too_old_or_over_is_told(desk: Desk) -> None:
    email = "gone@example.org"
    make_visitor(desk.site, email)
    desk.log_in(email)
    desk.page.wait_for_url(desk.site.address + "/")
    desk.go(FACTORS)
    context = desk.page.context
    (cookie,) = (cookie for cookie in context.cookies() if cookie["name"] == "vitrine")
    context.add_cookies([{"name": "vitrine", "value": aged(desk.site, cookie["value"], 16), "url": desk.site.address}])
    desk.page.get_by_label("Name").fill("Too late")
    desk.page.get_by_role("button", name="Add a passkey").click()
    desk.page.wait_for_url(f"**/verify?next={FACTORS}")
    desk.page.get_by_label("Password").fill(PASSWORD)
    desk.page.get_by_role("button", name="Confirm").click()
    desk.page.wait_for_url(f"**{FACTORS}")
    assert not desk.complaints
    context.clear_cookies()
    desk.page.get_by_label("Name").fill("Too late")
    desk.page.get_by_role("button", name="Add a passkey").click()
    expect(desk.page.locator(".passkey__said")).to_have_text("You are no longer logged in. Load the page again.")


def test_without_a_script_the_rest_of_the_page_works(browser: Browser, named: NamedSite) -> None:
    make_visitor(named, "plain@example.org")
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{named.address}/login?next={FACTORS}")
    expect(page.get_by_role("button", name="Log in with a passkey")).to_be_hidden()
    page.get_by_label("Email address").fill("plain@example.org")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in", exact=True).click()
    expect(page.get_by_text("To add one, this page needs JavaScript")).to_be_visible()
    page.get_by_role("link", name="Set up an app").click()
    expect(page.locator(".qr svg")).to_be_visible()
    context.close()
