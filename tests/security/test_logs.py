"""Whatever is sent, the log tells no secret, and each event is one line."""

from __future__ import annotations

import json
import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.http.test_logs import events
from tests.security.cast import Address, ask, key_of, person
from tests.serving import PASSWORD, RunningSite
from tests.web.visiting import Visitor, forgiving

ADA = "ada@example.org"
SECRET = "Zq7mV2xT9"  # in every word that a test sends and nobody should find again
# What ends a line somewhere, moves a terminal's cursor, or breaks a parser.
_ENDS = ["\n", "\r", "\r\n", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029", "\x00", "\x1b[2J", "\x1b]0;owned\x07", "\x7f"]
_WORDS = ['"', "\\", '"}\n{"event": "forged"}', "{{7*7}}", "%n%s", "${jndi:ldap://127.0.0.1/a}", "\ufffe", "\U0001f4a9", "é"]
HOSTILE = [*_ENDS, *_WORDS, "\x9b31m"]


@pytest.fixture(scope="module")
def chatty_itself(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    """Give a site of its own, whose log is read to the end."""
    folder = tmp_path_factory.mktemp("logs")
    with RunningSite(folder, workers="1", mail=str(folder / "letters"), log_format="json", visitor_limit="0") as running:
        yield running


@pytest.fixture
def chatty(chatty_itself: RunningSite) -> Iterator[RunningSite]:
    with forgiving(chatty_itself) as running:
        yield running


def written(site: RunningSite) -> str:
    """Give the log, once what was sent last has been written."""
    reply = site.request("GET", "/livez")
    deadline = time.monotonic() + 10
    while reply.headers["X-Request-Id"] not in site.log:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return site.log


def links(site: RunningSite) -> list[str]:
    """Give the tokens of every link in the letters."""
    text = "".join(file.read_text(encoding="utf-8") for file in (site.data.parent / "letters").glob("*.eml"))
    return re.findall(r"/(?:recover|invitation)/([\w.-]{20,})", text)


def test_no_secret_of_a_good_visit_is_in_the_log(chatty: RunningSite) -> None:
    root = person(chatty, "root@example.org", admin=True)
    ada = person(chatty, ADA)
    key = key_of(chatty, ADA)
    assert chatty.request("GET", "/api/v1/models", key=key).status == 200
    assert root.submit("/people/invite", {"email": "new@example.org"}, page="/people").status == 200
    assert Visitor(chatty).submit("/recover", {"email": ADA, "submit": "1"}).status == 200
    deadline = time.monotonic() + 10
    while len(tokens := links(chatty)) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    pages = [
        ada.get("/account/password"),
        *(Visitor(chatty).get(f"/{door}/{token}") for token in tokens for door in ("recover", "invitation")),
    ]
    assert {reply.status for reply in pages} <= {200, 302, 303, 404}
    log = written(chatty)
    secrets = [
        PASSWORD,
        key,
        key.split("_")[2],
        *tokens,
        *ada.cookies.values(),
        *root.cookies.values(),
        ada.token_of("/account"),
    ]
    secrets += [(chatty.data / "secret_key").read_text(encoding="ascii").strip()]
    for secret in secrets:
        assert secret not in log, f"{secret[:6]}… is in the log"


def test_no_secret_of_a_bad_one_is_either(chatty: RunningSite, everywhere: list[Address]) -> None:
    """Passwords, keys, tokens and cookies that are wrong, in every place where one could be, at every address."""
    values = {
        "Authorization": f"Bearer vtr_{SECRET}",
        "Proxy-Authorization": f"Basic {SECRET}",
        "Authentication-Token": SECRET,
        "Cookie": f"vitrine={SECRET}; session={SECRET}",
        "Idempotency-Key": f"{SECRET} é",
        "X-Api-Key": SECRET,
        "X-CSRFToken": SECRET,
    }
    form = f"email={ADA}&password={SECRET}&new_password={SECRET}&code={SECRET}&csrf_token={SECRET}".encode()
    admin = person(chatty, "root@example.org", admin=True)
    for address in everywhere:
        if address.rule.startswith("/account/logins"):
            continue
        path = address.path({"token": SECRET, "key_id": "0123456789ab"})
        for method in sorted(address.methods & {"GET", "POST"}):
            body = form if method == "POST" else None
            headers = {**values, "Content-Type": "application/x-www-form-urlencoded"}
            ask(Visitor(chatty), method, f"{path}?password={SECRET}&auth_token={SECRET}&token={SECRET}", body, headers)
            ask(admin, method, f"{path}?key={SECRET}", body, {"Content-Type": "application/x-www-form-urlencoded"})
    for method in ("PUT", "BREW"):
        ask(Visitor(chatty), method, f"/login?password={SECRET}", form, values)
    assert SECRET not in written(chatty)


def test_each_event_is_one_line_whatever_is_sent(chatty: RunningSite) -> None:
    ada = person(chatty, ADA)
    token = ada.token_of("/account")
    for number, piece in enumerate(HOSTILE):
        text = f"begin{piece}end{number}"
        quoted = quote(text.encode("utf-8", "surrogatepass"), safe="")
        headers = {"User-Agent": quoted, "X-Request-Id": quoted, "X-Forwarded-For": quoted, "Referer": f"http://{quoted}/"}
        chatty.request("GET", f"/{quoted}?{quoted}", headers=headers)
        chatty.request("GET", f"/recover/{quoted}", headers={"Authorization": f"Bearer {quoted}"})
        Visitor(chatty).submit("/login", {"email": f"{text}@example.org", "password": text})
        ada.send("/", {"csrf_token": token, "model": text}, [("images", quoted, text.encode("utf-8", "surrogatepass"))])
        ada.send("/account/keys", {"csrf_token": token, "name": text, "expires": text})
        raw(chatty, f"GET /{text} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        raw(chatty, f"GET / HTTP/1.1\r\nHost: localhost\r\nBad{text}: {text}\r\nConnection: close\r\n\r\n")
    written(chatty)
    found = events(chatty)
    assert {str(event["event"]) for event in found} >= {"request"}
    assert not [event for event in found if event["event"] == "forged" or event.get("level") == "critical"]
    assert not [event for event in found if event.get("status", 0) >= 500]
    for line in chatty.log.splitlines():
        if line.startswith("{"):
            assert re.fullmatch(r"[\x20-\x7e]+", line), "a line is printable"
            json.loads(line)


def raw(site: RunningSite, request: str) -> None:
    """Send exactly this, and read what comes back, if anything does."""
    with socket.create_connection(("127.0.0.1", site.port), timeout=30) as connection:
        connection.sendall(request.encode("utf-8", "surrogatepass"))
        connection.shutdown(socket.SHUT_WR)
        try:
            while connection.recv(65_536):
                pass
        except ConnectionError:
            pass


def test_the_data_folder_holds_no_secret_that_can_be_read_back(chatty: RunningSite) -> None:
    """Of passwords, keys, logins and links the database keeps what cannot be turned back."""
    ada = person(chatty, ADA)
    key = key_of(chatty, ADA)
    kept = b"".join(file.read_bytes() for file in Path(chatty.data).rglob("*") if file.is_file() and file.suffix != ".lock")
    for secret in (PASSWORD, key, key.split("_")[2], *links(chatty)):
        assert secret.encode() not in kept
    assert ada.get("/account").status == 200
