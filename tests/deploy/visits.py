"""What every deployment must be able to do: tell a photo's class to who is logged in, and to who has a key."""

from __future__ import annotations

import json
import re

from tests.api.asking import make_key, services_of
from tests.factories import CAT
from tests.serving import PASSWORD, RunningSite
from tests.web.reading import Page
from tests.web.visiting import Visitor


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
