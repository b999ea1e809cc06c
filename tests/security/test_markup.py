"""Markup in every text that somebody else chooses is text: in a real browser nothing runs, and nothing had to be blocked."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote

import pytest
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Dialog, Page, Request

from tests.factories import make_picture
from tests.security.cast import person
from tests.serving import PASSWORD, RunningSite
from tests.web.hostile import publish_hostile
from tests.web.visiting import Visitor

EVIL = "<img src=x data-evil onerror=alert(1)>"
ATTRIBUTE = "\"'><svg data-evil onload=alert(2)>"
SCRIPT = "</title></script><script data-evil>alert(3)</script>"
TEMPLATE = "{{7*7}}${7*7}<%= 7*7 %>#{7*7}"
TEXTS = [EVIL, ATTRIBUTE, SCRIPT, TEMPLATE, "<a href=javascript:alert(5) data-evil>", "&lt;b data-evil&gt;", "--><b data-evil>"]
PLACES = ["/people?q=", "/history?page=", "/?model=", "/verify?next=/", "/login?next=/", "/models/", "/nothing/"]
# An address that is one by its rules, and would end an attribute or a script where it were not taken for text.
ADDRESS = "'+alert`6`+'&{{7*7}}@example.org"
WATCH = """
window.violations = [];
document.addEventListener('securitypolicyviolation', event => {
  window.violations.push(`${event.violatedDirective} ${event.blockedURI}`);
});
"""


class Watched:
    """A browser's window that notes whatever a page should not do."""

    def __init__(self, context: BrowserContext, site: RunningSite) -> None:
        self._site = site
        self.noted: list[str] = []
        self.page: Page = context.new_page()
        self.page.add_init_script(WATCH)
        self.page.on("dialog", self._dialog)
        self.page.on("pageerror", lambda error: self.noted.append(f"error {error}"))
        self.page.on("console", self._console)
        self.page.on("request", self._request)

    def open(self, path: str) -> str:
        """Open a page, check that it is as quiet as one without markup, and give what can be read on it."""
        self.noted.clear()
        reply = self.page.goto(self._site.url + path, wait_until="load")
        assert reply is not None
        assert reply.status < 500
        assert self.page.locator("[data-evil]").count() == 0, path
        assert self.page.evaluate("window.violations") == [], path
        assert self.page.locator("[href^='javascript:' i], [onerror], [onload], [onclick], [style]").count() == 0, path
        assert self.noted == [], path
        return self.page.locator("body").text_content() or ""

    def _dialog(self, dialog: Dialog) -> None:
        self.noted.append(f"dialog {dialog.message}")
        dialog.dismiss()

    def _console(self, message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text or "Refused" in message.text:
            self.noted.append(message.text)

    def _request(self, request: Request) -> None:
        if not request.url.startswith((f"{self._site.url}/", "data:", "blob:")) or request.url.endswith("/x"):
            self.noted.append(f"asked for {request.url}")


@pytest.fixture(scope="module")
def hostile_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    folder = tmp_path_factory.mktemp("markup")
    publish_hostile(folder / "data" / "models")
    with RunningSite(folder, workers="1", visitor_limit="0") as running:
        yield running


@pytest.fixture(scope="module")
def root(hostile_site: RunningSite) -> Visitor:
    """Give an administrator whose browser says of itself that it is markup."""
    person(hostile_site, "root@example.org", admin=True)
    visitor = Visitor(hostile_site, {"User-Agent": f"{EVIL} {ATTRIBUTE} Firefox/1"})
    assert visitor.log_in("root@example.org").status == 302
    return visitor


@contextmanager
def window(browser: Browser, visitor: Visitor) -> Iterator[Watched]:
    """Give a window of the browser in which somebody is logged in."""
    context, url = browser.new_context(), visitor.site.url
    context.add_cookies([{"name": name, "value": value, "url": url} for name, value in visitor.cookies.items()])
    yield Watched(context, visitor.site)
    context.close()


@pytest.fixture(scope="module")
def watched(browser: Browser, root: Visitor) -> Iterator[Watched]:
    with window(browser, root) as made:
        yield made


def photo_with(text: str) -> bytes:
    """Give a picture whose metadata are markup, in every place that one knows of."""
    exif, file = Image.Exif(), io.BytesIO()
    for tag in (0x010D, 0x010E, 0x010F, 0x0110, 0x0131, 0x013B, 0x8298):
        exif[tag] = text
    exif.get_ifd(0x8769)[0x9286] = text
    Image.open(io.BytesIO(make_picture((200, 10, 10), (64, 48)))).save(file, "JPEG", exif=exif, comment=text.encode())
    return file.getvalue()


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("model", ["cats-vs-dogs", "hostile"])
def test_the_name_and_the_metadata_of_a_photo(watched: Watched, root: Visitor, text: str, model: str) -> None:
    name = text.replace('"', "%22")  # as browsers write it in a form
    reply = root.submit("/", {"model": model}, [("images", f"{name}.jpg", photo_with(text))])
    assert reply.status == 303
    told = watched.open(reply.headers["Location"])
    assert name.rpartition("/")[2][-9:] in told
    watched.open("/history")


def test_a_photo_that_fails_is_named_and_its_name_is_text(watched: Watched) -> None:
    watched.open("/")
    files = [{"name": f"{text.replace('/', ' ')}.jpg", "mimeType": "image/jpeg", "buffer": b"no picture"} for text in TEXTS[:4]]
    watched.page.set_input_files("input[type=file]", files)  # type: ignore[arg-type] # as the library takes them
    watched.page.wait_for_timeout(500)
    assert watched.page.locator("[data-evil]").count() == 0
    assert watched.page.evaluate("window.violations") == []
    assert watched.noted == []


@pytest.mark.parametrize("path", ["/", "/models", "/models/hostile", "/models/hostile/versions/1", "/models/hostile?version=1"])
def test_a_model_its_labels_its_card_and_its_samples(watched: Watched, path: str) -> None:
    assert "hostile" in watched.open(path).lower()


@pytest.mark.parametrize("text", TEXTS)
def test_the_name_of_a_key(watched: Watched, root: Visitor, text: str) -> None:
    reply = root.submit("/account/keys", {"name": text[:80], "predict": "y", "expires": "90"}, page="/account")
    assert reply.status == 200
    assert text[:10] in watched.open("/account")


def test_what_a_browser_says_of_itself(watched: Watched) -> None:
    assert "Firefox" in watched.open("/account")


def test_the_address_of_an_account_and_of_an_invitation(
    browser: Browser, watched: Watched, root: Visitor, hostile_site: RunningSite
) -> None:
    person(hostile_site, ADDRESS)
    assert root.submit("/people/invite", {"email": f"i{ADDRESS}"}, page="/people").status == 200
    assert watched.open("/people").count("alert`6`") >= 2
    stranger = Visitor(hostile_site)
    assert stranger.log_in(ADDRESS, PASSWORD).status == 302
    with window(browser, stranger) as theirs:
        assert "alert`6`" in theirs.open("/account")


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("path", PLACES)
def test_what_stands_in_an_address(watched: Watched, path: str, text: str) -> None:
    watched.open(f"{path}{quote(text, safe='')}")


def test_whoever_writes_markup_where_only_text_may_stand_would_be_noticed(watched: Watched) -> None:
    """The window that watches does see what it watches for."""
    watched.open("/login")
    watched.page.evaluate("document.body.insertAdjacentHTML('beforeend', '<img src=/x data-evil onerror=alert(1)>')")
    watched.page.wait_for_timeout(500)
    assert watched.page.evaluate("window.violations.length") > 0
    assert any(note.startswith("asked for") for note in watched.noted)
