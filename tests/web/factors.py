"""An app that tells codes, as tests hold one, and what they do with it on a site."""

from __future__ import annotations

import re
import sqlite3
import time
from contextlib import closing

from itsdangerous import URLSafeTimedSerializer
from passlib.totp import TOTP

from tests.serving import Reply, RunningSite
from tests.web.reading import Page
from tests.web.visiting import Visitor

FACTORS = "/account/second-factor"
STEP = "/login/second-step"


class Phone:
    """Knows a secret, and tells its codes; each is good once, so the next one is that of half a minute later."""

    def __init__(self, secret: str) -> None:
        self.secret = "".join(secret.split())

    @property
    def code(self) -> str:
        """The code now."""
        return str(TOTP(key=self.secret).generate().token)

    @property
    def next(self) -> str:
        """The code of half a minute later, which a site that lets clocks be so far off takes now."""
        return str(TOTP(key=self.secret).generate(time.time() + 30).token)

    @property
    def wrong(self) -> str:
        """A code that is none of those around now."""
        good = {TOTP(key=self.secret).generate(time.time() + 30 * step).token for step in range(-3, 4)}
        return next(code for code in map("{:06}".format, range(1000)) if code not in good)


def offered(visitor: Visitor) -> tuple[Phone, dict[str, str]]:
    """Open the page that shows a secret, and give a phone that has it with the fields of the form."""
    page = Page(visitor.get(f"{FACTORS}/app"))
    (address,) = page.targets("otpauth:")
    (secret,) = re.findall(r"secret=([A-Z2-7]+)", address)
    return Phone(secret), {"sealed": page.field("sealed"), "csrf_token": page.field("csrf_token")}


def set_up(visitor: Visitor) -> tuple[Phone, list[str]]:
    """Set up an app; give it, and the recovery codes that were shown."""
    phone, fields = offered(visitor)
    reply = visitor.send(f"{FACTORS}/app", {**fields, "code": phone.code})
    assert reply.status == 200, reply.body
    return phone, codes_on(reply)


def codes_on(reply: Reply) -> list[str]:
    """Give the recovery codes that a page shows."""
    (text,) = re.findall(r'id="codes-text">([^<]+)<', reply.body.decode())
    return str(text).split()


def half_in(site: RunningSite, email: str, path: str = "/login") -> Visitor:
    """Give a visitor who has typed the password, and no more."""
    visitor = Visitor(site)
    reply = visitor.log_in(email, path=path)
    assert (reply.status, reply.headers["Location"]) == (303, STEP)
    return visitor


def deeds_of(site: RunningSite, email: str) -> list[tuple[str, str]]:
    """Give who did what to an account, oldest first, but for making it and logging in."""
    with closing(sqlite3.connect(site.data / "vitrine.db", timeout=30)) as database:
        rows = database.execute("SELECT actor, action FROM audit_log WHERE subject = ? ORDER BY id", [f"account:{email}"])
        deeds = [(str(actor), str(action)) for actor, action in rows.fetchall()]
    return [deed for deed in deeds if deed[1] not in ("made", "logged in", "logged out")]


def run_sql(site: RunningSite, statement: str, *values: object) -> list[tuple[object, ...]]:
    """Ask or change the site's database directly."""
    with closing(sqlite3.connect(site.data / "vitrine.db", timeout=30)) as database, database:
        return database.execute(statement, values).fetchall()


def age(visitor: Visitor, minutes: int) -> None:
    """Let the login of a visitor, or half of one, be so much older."""
    visitor.cookies["vitrine"] = aged(visitor.site, visitor.cookies["vitrine"], minutes)


def aged(site: RunningSite, cookie: str, minutes: int) -> str:
    """Give a session's cookie in which everything happened so much earlier."""
    secret = (site.data / "secret_key").read_text(encoding="ascii").strip()
    how = {"key_derivation": "hmac", "digest_method": "sha256"}
    serializer = URLSafeTimedSerializer(secret, salt="cookie-session", signer_kwargs=how)
    session = serializer.loads(cookie)
    if "fs_paa" in session:
        session["fs_paa"] -= minutes * 60
    if "half_login" in session:
        session["half_login"]["at"] -= minutes * 60
    return str(serializer.dumps(session))


def assert_nobody(visitor: Visitor) -> None:
    """Find that a visitor is let in nowhere."""
    for path in ("/", "/history", "/account", "/account/password", FACTORS, f"{FACTORS}/app", "/verify"):
        reply = visitor.get(path)
        assert reply.status == 302, path
        assert reply.headers["Location"].startswith("/login"), path
