"""The API's document and its page: open to everybody, and drawn without a line of script or style of its own."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from tests.api.asking import assert_problem
from tests.serving import Reply, RunningSite

PAGE, DOCUMENT = "/api/docs", "/api/v1/openapi.json"


class Elements(HTMLParser):
    """Collects every element with its attributes and the text that stands in it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, str] = {}
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.found:
            name = self.found[-1][0]
            self.texts[name] = self.texts.get(name, "") + data.strip()


@pytest.fixture(scope="module")
def page(site: RunningSite) -> Reply:
    return site.request("GET", PAGE)


@pytest.fixture(scope="module")
def elements(page: Reply) -> Elements:
    return Elements(page.body.decode())


@pytest.mark.parametrize(("path", "kind"), [(PAGE, "text/html; charset=utf-8"), (DOCUMENT, "application/json")])
def test_everybody_may_read_how_the_api_is_used(site: RunningSite, path: str, kind: str) -> None:
    reply = site.request("GET", path)
    assert (reply.status, reply.headers["Content-Type"]) == (200, kind)
    assert "Set-Cookie" not in reply.headers


def test_the_page_obeys_a_policy_that_forbids_everything_inline(page: Reply, elements: Elements) -> None:
    assert "unsafe" not in page.headers["Content-Security-Policy"]
    scripts = [attributes for tag, attributes in elements.found if tag == "script"]
    assert scripts
    assert all((script["src"] or "").startswith("/static/") for script in scripts)
    assert not elements.texts.get("script")
    assert "style" not in {tag for tag, _ in elements.found}
    names = {name for _, attributes in elements.found for name in attributes}
    assert not {name for name in names if name == "style" or name.startswith("on")}


def test_everything_the_page_loads_is_there(site: RunningSite, elements: Elements) -> None:
    sheets = {attributes["href"] for tag, attributes in elements.found if tag == "link"}
    loaded = sheets | {attributes["src"] for tag, attributes in elements.found if tag == "script"}
    assert {"/static/api-docs.js", "/static/swagger-ui/swagger-ui-bundle.js", "/static/swagger-ui/swagger-ui.css"} <= loaded
    for address in loaded:
        assert site.request("GET", str(address)).status == 200, address


def test_the_page_is_drawn_from_the_document(elements: Elements) -> None:
    (root,) = (attributes for _, attributes in elements.found if attributes.get("id") == "swagger-ui")
    assert root["data-url"] == DOCUMENT
    assert DOCUMENT in {attributes.get("href") for tag, attributes in elements.found if tag == "a"}


@pytest.mark.parametrize("path", [PAGE, DOCUMENT])
def test_the_document_can_only_be_read(site: RunningSite, path: str) -> None:
    reply = site.request("POST", path, b"{}")
    assert_problem(reply, 405, "method_not_allowed")
    assert set(reply.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}
