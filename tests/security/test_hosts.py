"""The name under which a request comes gets into no link, no letter and no redirect."""

from __future__ import annotations

import re
import socket
import time
from email import message_from_bytes, policy

import pytest

from tests.security.cast import Address, person
from tests.serving import Reply, RunningSite
from tests.web.visiting import Visitor

EVIL = "evil.example"
POISON = {
    "X-Forwarded-Host": EVIL,
    "X-Forwarded-Server": EVIL,
    "X-Host": EVIL,
    "X-Original-URL": f"//{EVIL}/",
    "X-Rewrite-URL": f"//{EVIL}/",
    "X-Forwarded-Prefix": f"//{EVIL}",
    "X-Forwarded-Proto": "gopher",
    "X-Forwarded-Port": "666",
    "X-Forwarded-For": EVIL,
    "Forwarded": f"for={EVIL};host={EVIL};proto=https",
    "X-HTTP-Host-Override": EVIL,
    "Origin": f"https://{EVIL}",
    "Referer": f"https://{EVIL}/",
}
HTTPS = {"Host": "photos.example.org", "X-Forwarded-Proto": "https", "Referer": "https://photos.example.org/recover"}


def raw(site: RunningSite, request: str) -> tuple[int, str]:
    """Send exactly this, and give the status and the whole answer."""
    with socket.create_connection(("127.0.0.1", site.port), timeout=30) as connection:
        connection.sendall(request.encode("latin-1"))
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while piece := connection.recv(65_536):
            answer += piece
    text = answer.decode("latin-1")
    return int(text.split(" ", 2)[1]), text


def assert_not_poisoned(reply: Reply) -> None:
    assert EVIL not in str(reply.headers)
    assert EVIL.encode() not in reply.body


def letters(site: RunningSite, to: str) -> list[str]:
    folder = site.data.parent / "letters"
    found = [message_from_bytes(file.read_bytes(), policy=policy.default) for file in sorted(folder.glob("*.eml"))]
    return [str(letter.get_content()) for letter in found if letter["To"] == to]


def wait_for_letter(site: RunningSite, to: str) -> str:
    deadline = time.monotonic() + 20
    while not (found := letters(site, to)):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found[-1]


def hosts(letter: str) -> set[str]:
    """Give where the addresses in a letter lead; what ends a part of a sentence belongs to it."""
    return {address.rstrip(".,") for address in re.findall(r"https?://[^/\s]+", letter)}


def test_no_header_gets_into_any_answer(fort: RunningSite, everywhere: list[Address]) -> None:
    admin = person(fort, "root@example.org", admin=True)
    for address in everywhere:
        for visitor in (admin, Visitor(fort)):
            if "GET" in address.methods:
                assert_not_poisoned(visitor.get(address.path(), POISON))
    assert admin.get("/account").status == 200


@pytest.mark.parametrize(
    "host", [EVIL, f"127.0.0.1.{EVIL}", f"localhost@{EVIL}", f"127.0.0.1:80@{EVIL}", f"127.0.0.1#{EVIL}", f"127.0.0.1/{EVIL}"]
)
def test_under_another_name_no_page_answers(fort: RunningSite, everywhere: list[Address], host: str) -> None:
    for address in everywhere:
        if address.rule in ("/livez", "/readyz"):
            continue
        if address.rule == "/metrics":  # no page: it asks for a key, which no page of theirs can send
            assert fort.request("GET", "/metrics", headers={"Host": host}).status in (400, 401)
            continue
        for method in sorted(address.methods & {"GET", "POST"}):
            reply = fort.request(method, address.path(), b"" if method == "POST" else None, {"Host": host})
            assert reply.status in (400, 421), (method, address.rule)
            assert_not_poisoned(reply)


@pytest.mark.parametrize(
    "line",
    [
        f"GET http://{EVIL}/history HTTP/1.1\r\nHost: 127.0.0.1",
        f"GET http://{EVIL}/login HTTP/1.1\r\nHost: {EVIL}",
        f"GET //{EVIL}/history HTTP/1.1\r\nHost: 127.0.0.1",
        f"GET /history HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: {EVIL}",
        f"GET /history HTTP/1.1\r\nHost: {EVIL}\r\nHost: 127.0.0.1",
        f"GET /history HTTP/1.1\r\n Host: {EVIL}\r\nHost: 127.0.0.1",
        f"GET /history HTTP/1.1\r\nHost: 127.0.0.1,{EVIL}",
        f"GET /history HTTP/1.1\r\nHost: 127.0.0.1 {EVIL}",
        f"GET @{EVIL}/history HTTP/1.1\r\nHost: 127.0.0.1",
        f"GET /history HTTP/1.1\r\nHost : {EVIL}\r\nHost: 127.0.0.1",
        "GET /history HTTP/1.1",
        "GET /history HTTP/1.0",
        f"GET /history HTTP/1.0\r\nHost: {EVIL}",
    ],
)
def test_however_the_name_is_written_it_leads_nowhere(fort: RunningSite, line: str) -> None:
    status, answer = raw(fort, f"{line}\r\nConnection: close\r\n\r\n")
    assert status < 500
    for location in re.findall(r"(?im)^location: *(\S*)", answer):
        assert re.match(r"/(?![/\\])", location)
        assert EVIL not in location.partition("?")[0] or location.startswith(f"/{EVIL}/")
    assert not re.search(rf"""(?:href|src|action)=["'](?:\w+:)?//[^"']*{re.escape(EVIL)}""", answer)


def test_letters_lead_to_the_public_address_whatever_the_request_says(proxied: RunningSite) -> None:
    email = "poisoned@example.org"
    root = person(proxied, "root@example.org", admin=True)
    person(proxied, email)
    poison = {name: value for name, value in POISON.items() if name not in ("X-Forwarded-Proto", "X-Forwarded-Host", "Referer")}
    stranger = Visitor(proxied, {**HTTPS, **poison})
    assert stranger.submit("/recover", {"email": email, "submit": "1"}).status == 200
    letter = wait_for_letter(proxied, email)
    assert hosts(letter) == {"https://photos.example.org"}
    inviting = Visitor(proxied, {**HTTPS, **poison})
    inviting.cookies = dict(root.cookies)
    reply = inviting.submit("/people/invite", {"email": "invited@example.org"}, page="/people")
    assert reply.status == 200
    assert_not_poisoned(reply)
    assert hosts(wait_for_letter(proxied, "invited@example.org")) == {"https://photos.example.org"}


def test_a_proxy_that_passes_a_strange_name_on_is_refused(proxied: RunningSite) -> None:
    for name in (EVIL, f"photos.example.org.{EVIL}", f"photos.example.org, {EVIL}", f"{EVIL}:443"):
        reply = Visitor(proxied, {**HTTPS, "X-Forwarded-Host": name}).get("/login")
        assert reply.status in (400, 421), name
        assert_not_poisoned(reply)
