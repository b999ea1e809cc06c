"""Pages of other origins that use the API with a key, in real Chromium, which keeps to what it is told."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.factories import CAT
from tests.journeys.logins import logged_in
from tests.serving import RunningSite

pytestmark = pytest.mark.journey

# What a program in a page would be: it sends a photo of its own, and tells what it could read.
CLASSIFY = """async ([address, key, path, options]) => {
    const photo = await (await fetch("/photo")).blob();
    const headers = key ? {"Authorization": `Bearer ${key}`, "Idempotency-Key": `photo-${performance.now()}`} : {};
    try {
        const answer = await fetch(address + path, {method: "POST", headers, body: photo, ...options});
        const told = {};
        for (const name of ["RateLimit", "Server-Timing", "X-Request-Id"]) told[name] = answer.headers.get(name);
        return {status: answer.status, content: await answer.json(), told};
    } catch (error) { return {refused: error.name}; }
}"""
READ = """async ([address, options]) => {
    try { const answer = await fetch(address, options); return {status: answer.status, type: answer.type}; }
    catch (error) { return {refused: error.name}; }
}"""


class _Elsewhere(BaseHTTPRequestHandler):
    """A site of somebody else's: an empty page and a photo."""

    def do_GET(self) -> None:
        photo = self.path == "/photo"
        content = CAT.read_bytes() if photo else b"<!doctype html><title>Elsewhere</title>"
        self.send_response(200)
        self.send_header("Content-Type", "image/jpeg" if photo else "text/html")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def elsewhere() -> Iterator[str]:
    """Give the origin of a site that runs on a port of another loopback address."""
    server = ThreadingHTTPServer(("127.0.0.2", 0), _Elsewhere)
    serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    serving.start()
    try:
        yield f"http://127.0.0.2:{server.server_port}"
    finally:
        server.shutdown()
        serving.join()
        server.server_close()


@dataclass(frozen=True)
class World:
    """A site, an origin that it lists, and one that it does not."""

    site: RunningSite
    listed: str
    other: str


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with ExitStack() as running:
        listed, other = (running.enter_context(elsewhere()) for _ in range(2))
        folder = tmp_path_factory.mktemp("lent")
        site = running.enter_context(RunningSite(folder, cors_origins=listed, workers="1"))
        yield World(site, listed, other)


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context()
    yield context.new_page()
    context.close()


def classify(page: Page, site: RunningSite, key: str | None, path: str = "/api/v1/predict", **options: str) -> Any:
    return page.evaluate(CLASSIFY, [site.url, key, path, options])


def read(page: Page, address: str, **options: str) -> Any:
    return page.evaluate(READ, [address, options])


def test_with_a_key_a_page_of_a_listed_origin_has_its_photo_classified(page: Page, world: World) -> None:
    page.goto(world.listed)
    answer = classify(page, world.site, world.site.key)
    assert (answer["status"], answer["content"]["label"]) == (200, "cat")
    assert all(answer["told"].values())
    assert len(answer["told"]["X-Request-Id"]) == 16


@pytest.mark.parametrize(
    ("path", "with_key", "status"), [("/api/v1/models/none/predict", True, 404), ("/api/v1/predict", False, 401)]
)
def test_it_reads_why_it_was_refused(page: Page, world: World, path: str, with_key: bool, status: int) -> None:
    page.goto(world.listed)
    answer = classify(page, world.site, world.site.key if with_key else None, path)
    assert (answer["status"], answer["content"]["status"]) == (status, status)
    assert answer["content"]["request_id"] == answer["told"]["X-Request-Id"]


def test_the_browser_keeps_every_other_origin_out(page: Page, world: World) -> None:
    page.goto(world.other)
    assert classify(page, world.site, world.site.key) == {"refused": "TypeError"}
    assert read(page, f"{world.site.url}/api/v1/openapi.json") == {"refused": "TypeError"}


def test_pages_are_nobody_elses(page: Page, world: World) -> None:
    page.goto(world.listed)
    assert read(page, f"{world.site.url}/api/v1/openapi.json") == {"status": 200, "type": "cors"}
    for path in ("/login", "/livez", "/static/app.css"):
        assert read(page, world.site.url + path) == {"refused": "TypeError"}
        assert read(page, world.site.url + path, mode="no-cors") == {"refused": "TypeError"}


def test_what_is_fetched_without_asking_stays_closed(page: Page, world: World) -> None:
    page.goto(world.listed)
    assert read(page, f"{world.site.url}/api/v1/openapi.json", mode="no-cors") == {"refused": "TypeError"}


def test_no_cookie_goes_along_and_none_is_asked_for(browser: Browser, world: World) -> None:
    world.site.make_account()
    with logged_in(browser, world.site) as context:
        page = context.new_page()
        sent: list[dict[str, str]] = []
        page.on("request", lambda request: sent.append(request.all_headers()) if "/api/" in request.url else None)
        page.goto(world.listed)
        assert classify(page, world.site, world.site.key)["status"] == 200
        assert classify(page, world.site, None)["status"] == 401
        assert sent
        assert not [headers for headers in sent if "cookie" in headers]
        # A page that asks for them to be sent may not read the answer at all.
        assert classify(page, world.site, world.site.key, credentials="include") == {"refused": "TypeError"}


def test_without_the_setting_no_page_of_another_origin_reads_anything(page: Page, world: World, site: RunningSite) -> None:
    page.goto(world.listed)
    assert classify(page, site, site.key) == {"refused": "TypeError"}
    assert read(page, f"{site.url}/api/v1/openapi.json") == {"refused": "TypeError"}
