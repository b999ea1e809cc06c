"""What every deployment must be able to do: tell a photo's class to who is logged in, and to who has a key."""

from __future__ import annotations

import json
import re
from urllib.parse import urlsplit

from tests.api.asking import make_key, services_of
from tests.factories import CAT
from tests.serving import PASSWORD, RunningSite
from tests.web.reading import Page
from tests.web.visiting import Visitor

# What leads on by itself, and what is sent; a script is told addresses in data-... attributes.
_LEADING = {"href", "src", "data-url"}
_SENDING = {"action", "formaction"}


def log_in(site: RunningSite, prefix: str = "") -> Visitor:
    """Give somebody who has logged in with the usual account."""
    site.make_account(admin=True)
    visitor = Visitor(site, {"Referer": f"{site.url}/"})
    reply = visitor.log_in(path=f"{prefix}/login")
    assert reply.status in (302, 303), reply.body
    assert reply.headers["Location"] == f"{prefix}/"
    return visitor


def assert_classifies(site: RunningSite, prefix: str = "") -> None:
    """See that a cat is told, on the page behind the login and to a program with a key."""
    photo = CAT.read_bytes()
    visitor = log_in(site, prefix)
    sent = visitor.submit(f"{prefix}/", {"model": "cats-vs-dogs"}, [("images", "photo.jpg", photo)])
    assert sent.status == 303, sent.body
    assert sent.headers["Location"].startswith(f"{prefix}/predictions/")
    assert "This image is a Cat" in Page(visitor.get(sent.headers["Location"])).words
    told = site.predict(photo, f"{prefix}/api/v1/predict")
    assert told.status == 200, told.body
    assert told.json["label"] == "cat"
    assert site.request("POST", f"{prefix}/api/v1/predict", photo).status == 401


def assert_counts(site: RunningSite) -> None:
    """See that Prometheus is told of every picture, whichever process has answered it."""
    here = services_of(site)
    if not here.accounts.exists("counting@example.org"):
        here.accounts.create("counting@example.org", PASSWORD, admin=True)
    key = make_key(here, "counting@example.org", scopes=("predict", "metrics:read"))

    def answered() -> float:
        reply = site.request("GET", "/metrics", key=key)
        assert reply.status == 200, reply.body
        found = re.findall(rb'^vitrine_requests_total{kind="predict",method="POST",status="2xx"} (\S+)$', reply.body, re.M)
        return float(found[0]) if found else 0.0

    before = answered()
    for _ in range(12):
        assert site.request("POST", "/api/v1/predict", CAT.read_bytes(), key=key).status == 200
    assert answered() == before + 12


def assert_believes_the_proxy(site: RunningSite) -> None:
    """See that whoever logs in through a trusted proxy is known by the address that the proxy tells."""
    site.make_account(admin=True)
    visitor = Visitor(site, {"Referer": f"{site.url}/", "X-Forwarded-For": "192.0.2.77"})
    assert visitor.log_in().status in (302, 303)
    latest = json.loads(site.run("audit", "export", "--format", "json").stdout.splitlines()[0])
    assert latest["address"] == "192.0.2.77", latest


def assert_links_stay_inside(site: RunningSite, prefix: str) -> None:
    """Follow every link from the first page on: all are answered, and none leads out of the path."""
    visitor = log_in(site, prefix)
    waiting, seen = [f"{prefix}/"], set[str]()
    while waiting:
        address = waiting.pop()
        if address in seen:
            continue
        seen.add(address)
        reply = visitor.get(address)
        if reply.status in (302, 303, 308):
            assert _inside(reply.headers["Location"], prefix), (address, reply.headers["Location"])
            waiting.append(reply.headers["Location"])
            continue
        assert reply.status == 200, (address, reply.status)
        if reply.headers["Content-Type"].startswith("text/html"):
            page = Page(reply)
            found = _addresses(page, _LEADING)
            assert all(_inside(one, prefix) for one in found | _addresses(page, _SENDING)), (address, found)
            waiting += [urlsplit(one).path if one[0] != "?" else f"{urlsplit(address).path}{one}" for one in found]
    met = {re.sub(r"(?<=/)[0-9A-Z]{26}|[0-9a-f-]{36}", "ID", address) for address in seen}
    wanted = ("/account", "/history", "/models", "/people", "/api/docs", "/static/app.css", "/predictions/ID")
    assert {f"{prefix}{path}" for path in wanted} <= met


def _addresses(page: Page, attributes: set[str]) -> set[str]:
    """Give the addresses of this site that a page names."""
    named = {value for _, found in page.elements for name, value in found.items() if name in attributes}
    return {address for address in named if address and not re.match(r"[a-z]+:|#", address)}


def _inside(address: str, prefix: str) -> bool:
    return address == prefix or address.startswith((f"{prefix}/", "?"))
