"""Forms and JSON of absurd shapes, on pages and on the API: refused, cheaply, by workers that go on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.api.asking import as_parts, send
from tests.factories import EIGHT
from tests.security.test_smuggling import DIGITS, assert_unharmed
from tests.serving import RunningSite
from tests.waiting import wait_until
from tests.web.visiting import Visitor, make_visitor

MULTIPART = "multipart/form-data; boundary="


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    """Give a running site with small limits."""
    limits = {"key_limit": "0", "max_file_mb": "1", "max_request_mb": "4"}
    with RunningSite(tmp_path_factory.mktemp("forms"), workers="2", **limits) as running:
        assert running.key
        wait_until(lambda: len(running.workers) == 2)
        yield running


@pytest.fixture(scope="module")
def ada(site: RunningSite) -> Visitor:
    return make_visitor(site)


def parts(number: int, content: bytes = b"x", says: str = 'name="field"') -> tuple[bytes, dict[str, str]]:
    return as_parts(*[(says, content)] * number)


ABSURD: dict[str, tuple[bytes, dict[str, str]]] = {
    "thousands of fields": parts(3000),
    "thousands of files": parts(3000, says='name="images"; filename="8.png"'),
    "a large field": parts(1, bytes(900_000)),
    "large fields": parts(8, bytes(400_000)),
    "a long name": parts(1, says=f'name="{"a" * 100_000}"'),
    "a long header of a part": parts(1, says=f'name="a"; x="{"y" * 500_000}"'),
    "thousands of headers of a part": parts(1, says='name="a"' + "\r\nX: y" * 20_000),
    "no end": (b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n' + bytes(100_000), {"Content-Type": f"{MULTIPART}x"}),
    "delimiters alone": (b"--x\r\n" * 100_000, {"Content-Type": f"{MULTIPART}x"}),
    "an empty boundary": (b"--\r\n\r\n", {"Content-Type": MULTIPART}),
    "no boundary": (b"--x\r\n\r\n", {"Content-Type": "multipart/form-data"}),
    "a long boundary": (b"--x\r\n\r\n", {"Content-Type": MULTIPART + "x" * 7000}),
    "a boundary of odd characters": (b"--x\r\n\r\n", {"Content-Type": f'{MULTIPART}"\\"(;\xe9"'}),
    "thousands of pairs": (b"a=b&" * 200_000, {"Content-Type": "application/x-www-form-urlencoded"}),
    "a large pair": (b"a=" + b"b" * 3_000_000, {"Content-Type": "application/x-www-form-urlencoded"}),
    "more than is taken": (bytes(5_000_000), {"Content-Type": "application/octet-stream"}),
    "no JSON": (b"{" * 1000, {"Content-Type": "application/json"}),
    "deep JSON": (b"[" * 1_000_000, {"Content-Type": "application/json"}),
    "wide JSON": (b"[" + b"{}," * 400_000 + b"{}]", {"Content-Type": "application/json"}),
    "a long text in JSON": (b'{"image": "' + b"A" * 1_390_000 + b'"}', {"Content-Type": "application/json"}),
    "more JSON than is taken": (b'{"image": "' + b"A" * 3_000_000 + b'"}', {"Content-Type": "application/json"}),
    "half a character in JSON": (b'{"image": "\\ud800"}', {"Content-Type": "application/json"}),
    "a number without an end": (b'{"image": ' + b"9" * 1_000_000 + b"}", {"Content-Type": "application/json"}),
}


@pytest.mark.parametrize("shape", ABSURD)
def test_the_api_refuses_it(site: RunningSite, shape: str) -> None:
    before, (body, headers) = site.workers, ABSURD[shape]
    reply = send(site, body, headers, DIGITS)
    assert 400 <= reply.status < 500, reply.body
    assert reply.headers["Content-Type"] == "application/problem+json"
    assert_unharmed(site, before)


@pytest.mark.parametrize("path", ["/", "/login", "/account/password"])
@pytest.mark.parametrize("shape", ABSURD)
def test_pages_bear_it(site: RunningSite, ada: Visitor, shape: str, path: str) -> None:
    before, (body, headers) = site.workers, ABSURD[shape]
    token = ada.token_of("/")
    cookies = "; ".join(f"{name}={value}" for name, value in ada.cookies.items())
    reply = site.request("POST", path, body, {**headers, "Cookie": cookies, "X-CSRFToken": token})
    # A form that lacks everything is shown again; nothing absurd is an error of ours.
    assert reply.status < 500, reply.body
    assert_unharmed(site, before)


@pytest.mark.parametrize("field", ["email", "password"])
def test_a_long_text_in_a_form_is_refused(site: RunningSite, field: str) -> None:
    before, visitor = site.workers, Visitor(site)
    fields = {"email": "ada@example.org", "password": "correct horse battery", field: "a" * 100_000 + "@example.org"}
    reply = visitor.submit("/login", fields)
    assert reply.status == 400
    assert b"A text in this form is longer than is taken." in reply.body
    assert_unharmed(site, before)


def test_as_many_photos_as_are_taken_come_in_one_form(site: RunningSite, ada: Visitor) -> None:
    reply = ada.classify(*[EIGHT.read_bytes()] * 10, model="digits")
    assert reply.status in (200, 303)
    eleven = ada.classify(*[EIGHT.read_bytes()] * 11, model="digits")
    assert 400 <= eleven.status < 500
