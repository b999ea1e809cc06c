"""Who asks, and at which address: the people of a site and ways to name its every address."""

from __future__ import annotations

import json
import re
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from werkzeug.routing import Rule

from app.composition import Services
from app.factory import create_app
from app.services.accounts.api_keys import SCOPES
from tests.api.asking import make_key, services_of
from tests.factories import make_picture, make_settings
from tests.serving import Reply, RunningSite
from tests.web.visiting import Visitor, make_visitor

_LOGINS: dict[tuple[str, str], tuple[float, dict[str, str]]] = {}  # when somebody logged in, and what the browser was given
NOBODYS = "01K9Z3N2V6Q8R4T7W1X5Y0B3CD"
# What stands for a parameter of an address where nothing of that name need be there.
_FILLINGS = {
    "prediction_id": NOBODYS,
    "key_id": "0123456789ab",
    "name": "cats-vs-dogs",
    "version": "1",
    "filename": "nothing.css",
    "file": "nothing.png",
    "token": "no-such-token",
}
_PARAMETER = re.compile(r"<(?:(\w+)(?:\([^>]*\))?:)?(\w+)>")
_A_NUMBER = "9999999"


@dataclass(frozen=True)
class Address:
    """One rule of the site."""

    rule: str
    methods: frozenset[str]
    blueprint: str

    def path(self, values: Mapping[str, str] | None = None) -> str:
        """Give the address with every parameter filled."""
        given = {**_FILLINGS, **(values or {})}

        def fill(found: re.Match[str]) -> str:
            return given.get(found[2], _A_NUMBER if found[1] == "int" else "x")

        return _PARAMETER.sub(fill, self.rule)

    @property
    def parameters(self) -> list[tuple[str, str]]:
        """The kind and the name of each parameter."""
        return [(found[1] or "string", found[2]) for found in _PARAMETER.finditer(self.rule)]


def addresses(folder: Path) -> list[Address]:
    """Give every rule of a site with all its doors open; rules that differ in their methods only are one."""
    found: dict[str, tuple[set[str], str]] = {}
    for rule in _rules(create_app(make_settings(folder, mail="console"))):
        methods, _ = found.setdefault(rule.rule, (set(), rule.endpoint.rpartition(".")[0]))
        methods |= rule.methods or set()
    return [Address(rule, frozenset(methods), blueprint) for rule, (methods, blueprint) in sorted(found.items())]


def _rules(app: Flask) -> Iterator[Rule]:
    yield from app.url_map.iter_rules()


def person(site: RunningSite, email: str, *, admin: bool = False) -> Visitor:
    """Give somebody who is logged in, with an account made where there is none.

    A login of the last minute is used again while it lasts: to check a password takes a fifth of a second, on purpose.
    """
    visitor = Visitor(site)
    logged_in_at, cookies = _LOGINS.get((site.url, email), (0.0, {}))
    if time.monotonic() < logged_in_at + 60:
        visitor.cookies = dict(cookies)
        if visitor.get("/account").status == 200:
            return visitor
    visitor = newcomer(site, email, admin=admin)
    _LOGINS[site.url, email] = time.monotonic(), dict(visitor.cookies)
    return visitor


def newcomer(site: RunningSite, email: str, *, admin: bool = False) -> Visitor:
    """Give somebody who has just logged in, with an account made where there is none."""
    site.make_account(email, admin=admin)
    return make_visitor(site, email)


def key_of(site: RunningSite, email: str, **given: Any) -> str:
    """Give a new key of an account."""
    return make_key(services_of(site), email, **given)


def key_for_nothing(site: RunningSite, email: str) -> str:
    """Give a key that is good, and good for nothing."""
    return _key_for(site, email, ())


def key_for_everything(site: RunningSite, email: str) -> str:
    """Give a key that says of itself that it is good for all there is."""
    return _key_for(site, email, SCOPES)


def _key_for(site: RunningSite, email: str, scopes: tuple[str, ...]) -> str:
    key = key_of(site, email)
    with closing(sqlite3.connect(site.data / "vitrine.db", timeout=30)) as database, database:
        database.execute("UPDATE api_keys SET scopes = ? WHERE id = ?", [json.dumps(scopes), key.split("_")[1]])
    return key


def number_of(site: RunningSite, email: str) -> int:
    """Give the number of an account."""
    return services(site).accounts.number_of(email)


def services(site: RunningSite) -> Services:
    """Give the services over the data of a site."""
    return services_of(site)


def ask(
    visitor: Visitor,
    method: str,
    path: str,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> Reply:
    """Send a request of any method with a visitor's cookies, and keep none that come back."""
    cookies = "; ".join(f"{name}={value}" for name, value in visitor.cookies.items())
    sent = {**visitor.headers, **({"Cookie": cookies} if cookies else {}), **(headers or {})}
    return visitor.site.request(method, path, body, sent)


def predicted(visitor: Visitor, file_name: str = "cat.png") -> str:
    """Have a small picture answered, and give the identifier of the answer."""
    picture = make_picture((200, 120, 40), (64, 48))
    reply = visitor.submit("/", {"model": "cats-vs-dogs"}, [("images", file_name, picture)])
    assert reply.status == 303, reply.body
    return reply.headers["Location"].rpartition("/")[2]


def session_of(visitor: Visitor) -> dict[str, Any]:
    """Read what a visitor's cookie holds."""
    loaded: dict[str, Any] = _serializer(visitor.site).loads(visitor.cookies[cookie_name(visitor)])
    return loaded


def set_session(visitor: Visitor, session: Mapping[str, Any]) -> None:
    """Let a visitor's cookie hold something else, signed as the site signs it."""
    visitor.cookies[cookie_name(visitor)] = str(_serializer(visitor.site).dumps(dict(session)))


def cookie_name(visitor: Visitor) -> str:
    """Give the name of the one cookie of a visitor."""
    (name,) = visitor.cookies
    return name


def grow_old(visitor: Visitor) -> Visitor:
    """Let the password have been typed an hour ago."""
    session = session_of(visitor)
    set_session(visitor, {**session, "fs_paa": session["fs_paa"] - 3600})
    return visitor


def _serializer(site: RunningSite) -> Any:
    app = Flask("cookies")
    app.secret_key = (site.data / "secret_key").read_text(encoding="ascii").strip()
    return SecureCookieSessionInterface().get_signing_serializer(app)
