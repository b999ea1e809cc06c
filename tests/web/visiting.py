"""A visitor of the pages without a screen: keeps cookies, sends forms with their token, follows nothing by itself."""

from __future__ import annotations

import json
import re
import secrets
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode

from flask import Flask
from flask.sessions import SecureCookieSessionInterface

from tests.serving import EMAIL, PASSWORD, Reply, RunningSite

_TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')


class Visitor:
    """One browser session; `headers` go with every request."""

    def __init__(self, site: RunningSite, headers: Mapping[str, str] | None = None) -> None:
        self.site = site
        self.cookies: dict[str, str] = {}
        self.set_cookies: list[str] = []
        self.headers = dict(headers or {})

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> Reply:
        """Open a page."""
        return self._request("GET", path, None, headers or {})

    def submit(
        self,
        path: str,
        fields: Mapping[str, str] | None = None,
        files: Sequence[tuple[str, str, bytes]] = (),
        *,
        page: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """Send the form for `path` that stands on `page` (by default on the page of that address), token included."""
        token = self.token_of(page or path)
        return self.send(path, {**(fields or {}), "csrf_token": token}, files, headers=headers)

    def send(
        self,
        path: str,
        fields: Mapping[str, str] | None = None,
        files: Sequence[tuple[str, str, bytes]] = (),
        *,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """Send exactly these fields and files, (field, file name, content) each."""
        if files:
            body, kind = _multipart(fields or {}, files)
        else:
            body, kind = urlencode(fields or {}).encode(), "application/x-www-form-urlencoded"
        return self._request("POST", path, body, {"Content-Type": kind, **(headers or {})})

    def token_of(self, page: str) -> str:
        """Give the token of the forms on a page."""
        reply = self.get(page)
        found = token_in(reply)
        assert found is not None, f"{page} answered {reply.status} without a form"
        return found

    def log_in(self, email: str = EMAIL, password: str = PASSWORD, path: str = "/login") -> Reply:
        """Fill the login form."""
        return self.submit(path, {"email": email, "password": password, "submit": "1"})

    def classify(self, *photos: bytes, model: str = "cats-vs-dogs", headers: Mapping[str, str] | None = None) -> Reply:
        """Send photos from the first page."""
        files = [("images", f"photo-{number}.jpg", photo) for number, photo in enumerate(photos, 1)]
        return self.submit("/", {"model": model}, files, headers=headers)

    def _request(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Reply:
        sent = {**self.headers, **headers}
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        connection = self.site.connect()
        try:
            connection.request(method, path, body, sent)
            answer = connection.getresponse()
            self._keep(answer.headers.get_all("Set-Cookie", []))
            return Reply(answer.status, dict(answer.headers), answer.read())
        finally:
            connection.close()

    def _keep(self, lines: list[str]) -> None:
        self.set_cookies = lines or self.set_cookies
        for line in lines:
            for name, morsel in SimpleCookie(line).items():
                if morsel["max-age"] == "0" or not morsel.value:
                    self.cookies.pop(name, None)
                else:
                    self.cookies[name] = morsel.value


def token_in(reply: Reply) -> str | None:
    """Give the token of the forms on a page that came, or None where there is no form."""
    found = _TOKEN.search(reply.body.decode())
    return found[1] if found else None


def make_visitor(site: RunningSite, email: str = EMAIL, password: str = PASSWORD) -> Visitor:
    """Give a visitor who has just logged in, with an account made where there is none."""
    site.make_account(email, password)
    visitor = Visitor(site)
    assert visitor.log_in(email, password).status in (302, 303)
    return visitor


@contextmanager
def forgiving(site: RunningSite) -> Iterator[RunningSite]:
    """Let a test fail to log in as often as it likes on a site that others use too: it is forgotten before and after."""
    _forget_attempts(site)
    yield site
    _forget_attempts(site)


def grow_old(visitor: Visitor, minutes: float) -> None:
    """Let the password have been typed so much longer ago."""
    app = Flask("cookies")
    app.secret_key = (visitor.site.data / "secret_key").read_text(encoding="ascii").strip()
    serializer = SecureCookieSessionInterface().get_signing_serializer(app)
    assert serializer is not None
    session: dict[str, Any] = serializer.loads(visitor.cookies["vitrine"])
    visitor.cookies["vitrine"] = str(serializer.dumps({**session, "fs_paa": session["fs_paa"] - minutes * 60}))


def stored_scores(site: RunningSite, prediction_id: str) -> dict[str, float]:
    """Give the exact probabilities of a stored prediction."""
    with closing(sqlite3.connect(site.data / "vitrine.db", timeout=30)) as database:
        rows = database.execute("SELECT scores FROM predictions WHERE id = ?", [prediction_id]).fetchall()
    assert len(rows) == 1
    return dict(json.loads(rows[0][0]))


def assert_redirect(reply: Reply, path: str) -> None:
    assert reply.status in (302, 303), reply.body
    assert reply.headers["Location"] == path


def _forget_attempts(site: RunningSite) -> None:
    with closing(sqlite3.connect(site.data / "vitrine.db", timeout=30)) as database, database:
        database.execute("DELETE FROM attempts")


def _multipart(fields: Mapping[str, str], files: Sequence[tuple[str, str, bytes]]) -> tuple[bytes, str]:
    boundary = secrets.token_hex(16)
    parts = [(f'name="{name}"', value.encode()) for name, value in fields.items()]
    parts += [(f'name="{field}"; filename="{name}"', content) for field, name, content in files]
    body = b"".join(
        f"--{boundary}\r\nContent-Disposition: form-data; {words}\r\n\r\n".encode() + content + b"\r\n"
        for words, content in parts
    )
    return body + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"
