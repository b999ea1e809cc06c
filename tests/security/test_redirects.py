"""No address that a stranger writes leads off the site: each answer is judged by the browser's own reading of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Page

from tests.sampling import sample, sampled
from tests.security.cast import Address, ask, person
from tests.serving import PASSWORD, Reply, RunningSite
from tests.web.visiting import Visitor

EVIL = "evil.example"
# How many slashes, of which kind, browsers take for two.
_SLASHES = ["//", "///", "////", "\\\\", "\\/", "/\\", "\\\\\\", "/\\/", "/\\\\", "//\\", "\\//", "/////\\"]
_SCHEMES = [
    *("http:", "https:", "http:/", "https:/", "http://", "https://", "http:///", "https:///", "http:\\\\", "https:\\"),
    *("HTTPS://", "hTtP://", "ftp://", "ws://", "javascript:alert(1)//", "data:text/html,", "vbscript:", "blob:https://"),
    *("file://", "view-source:https://", "mailto:a@", "about:", "intent://", "https&colon;//", "https:\t//", "ht\ntp://"),
]
# What browsers take out, or take for nothing, before they read.
_BEFORE = [
    "\t",
    "\n",
    "\r",
    " ",
    "\x00",
    "\x01",
    "\x0b",
    "\x0c",
    "\x1f",
    "\x7f",
    "\xa0",
    "\u200b",
    "\u2028",
    "\ufeff",
    "\u3000",
]
_BETWEEN = ["\t", "\n", "\r", "\r\n", "\x00", "\x0c", "%09", "%0a", "%0d%0a", "%00", "%20", ".", "..", "./", ";", "%2e"]
_DISGUISED = r"""
/%2fevil.example /%5cevil.example %2f%2fevil.example %2f/evil.example /%252fevil.example %5c%5cevil.example
//evil%E3%80%82example //evil。example //evil．example //evil｡example //ⓔⓥⓘⓛ.example ／／evil.example ⁄⁄evil.example
//xn--vil-4nc.example //3221225985 //0xC0000201 //192.0.2.1 //[2001:db8::1] //evil.example:80
//{own}@evil.example http://{own}@evil.example //{own}%40evil.example //evil.example@{own} //{own}.evil.example
http://{own}.evil.example //{own}\@evil.example //evil.example\@{own} http://evil.example#@{own} //{own}%2eevil.example
//evil.example?{own} //evil.example/{own} http://{own}:80@evil.example http://evil.example\.{own} @evil.example
.evil.example :@evil.example /..//evil.example /.//evil.example /login/..//evil.example /%2e%2e//evil.example
?next=//evil.example /login?next=//evil.example #//evil.example /%0d%0aLocation:%20//evil.example
\evil.example http:\evil.example https:evil.example //;@evil.example ///;@evil.example
/redirect?url=https://evil.example //evil.example%2f.. <>//evil.example '//evil.example 0://evil.example
"""
VECTORS = list(
    dict.fromkeys(
        [
            *(f"{slashes}{EVIL}" for slashes in _SLASHES),
            *(f"{scheme}{EVIL}" for scheme in _SCHEMES),
            *(f"{before}//{EVIL}" for before in _BEFORE),
            *(f"/{between}/{EVIL}" for between in _BETWEEN),
            *_DISGUISED.split(),
            "/\nLocation: //evil.example",
            "/\t\\evil.example",
        ]
    )
)
# The few that stand for all, where each address of the site is asked.
SHORT = [
    "//evil.example",
    "/\\evil.example",
    "https:evil.example",
    "\t//evil.example",
    "/\t/evil.example",
    "http://{own}@evil.example",
]
NAMES = ["next", "url", "return_to", "redirect", "continue", "back"]


class Judge:
    """Reads addresses as Chromium does, on a page of the site."""

    def __init__(self, page: Page, site: RunningSite) -> None:
        self._page = page
        self._site = site

    @property
    def own(self) -> str:
        return f"127.0.0.1:{self._site.port}"

    def origins(self, locations: list[str]) -> list[str]:
        """Give where each address leads from a page of the site: an origin, or why it leads nowhere."""
        reading = (
            "([locations, base]) => locations.map(text => {"
            "try { const url = new URL(text, base);"
            "return url.protocol.startsWith('http') ? url.origin : url.protocol } catch { return 'nowhere' } })"
        )
        found: list[str] = self._page.evaluate(reading, [locations, f"{self._site.url}/login"])
        return found

    def assert_at_home(self, asked: dict[str, Reply]) -> None:
        """Check every answer that leads somewhere."""
        leading = {vector: reply.headers["Location"] for vector, reply in asked.items() if "Location" in reply.headers}
        origins = self.origins(list(leading.values()))
        away = {
            vector: where for (vector, where), origin in zip(leading.items(), origins, strict=True) if origin != self._site.url
        }
        assert not away
        assert {reply.status for reply in asked.values()} <= {200, 302, 303, 308, 400, 404, 405}


@pytest.fixture
def judge(browser: Browser, fort: RunningSite) -> Iterator[Judge]:
    page = browser.new_page()
    yield Judge(page, fort)
    page.close()


def written(judge: Judge, vectors: Sequence[str] = VECTORS) -> list[str]:
    return [vector.replace("{own}", judge.own) for vector in vectors]


def as_query(vector: str) -> str:
    return quote(vector.encode("utf-8", "surrogatepass"), safe="")


def test_the_list_is_long_and_most_of_it_would_lead_astray(judge: Judge) -> None:
    origins = judge.origins(written(judge))
    assert len(VECTORS) >= 120
    assert sum(origin not in (judge._site.url, "nowhere") for origin in origins) >= 60


@sampled
def test_a_login_leads_to_a_page_of_ours(fort: RunningSite, judge: Judge) -> None:
    person(fort, "ada@example.org")
    asked = {}
    for vector in written(judge, [*sample(VECTORS, 8), *SHORT]):  # each costs a hash
        visitor = Visitor(fort)
        fields = {"email": "ada@example.org", "password": PASSWORD, "next": vector}
        asked[vector] = visitor.submit(f"/login?next={as_query(vector)}", fields, page="/login")
        assert asked[vector].status == 302, vector
    judge.assert_at_home(asked)


@sampled
def test_a_password_typed_again_leads_to_a_page_of_ours(fort: RunningSite, judge: Judge) -> None:
    ada = person(fort, "ada@example.org")
    asked = {}
    for vector in written(judge, [*sample(VECTORS, 8), *SHORT]):  # each costs a hash, and it is the same reading as a login's
        asked[vector] = ada.submit(f"/verify?next={as_query(vector)}", {"password": PASSWORD}, page="/account")
    judge.assert_at_home(asked)
    assert sum(reply.status == 302 for reply in asked.values()) > len(asked) / 4  # of others the form is shown again


@sampled
@pytest.mark.parametrize("path", ["/login", "/logout", "/recover", "/history"])
@pytest.mark.parametrize("logged_in", [False, True])
def test_nothing_else_about_a_login_leads_away(fort: RunningSite, judge: Judge, path: str, logged_in: bool) -> None:
    visitor = person(fort, "ada@example.org") if logged_in else Visitor(fort)
    asked = {vector: visitor.get(f"{path}?next={as_query(vector)}") for vector in written(judge, sample(VECTORS, 3))}
    judge.assert_at_home(asked)


def test_a_logout_leads_to_a_page_of_ours(fort: RunningSite, judge: Judge) -> None:
    visitor, asked = Visitor(fort), {}
    for vector in written(judge):
        asked[vector] = visitor.submit(f"/logout?next={as_query(vector)}", {"next": vector}, page="/login")
    judge.assert_at_home(asked)


@sampled
def test_no_other_address_takes_such_a_parameter(fort: RunningSite, judge: Judge, everywhere: list[Address]) -> None:
    admin, asked = person(fort, "root@example.org", admin=True), {}
    token = admin.token_of("/account")
    others = [address for address in everywhere if address.rule not in ("/logout", "/account/logins/end-others")]
    tried = [(method, address) for address in others for method in sorted(address.methods & {"GET", "POST"})]
    short = written(judge, SHORT)
    for number, (method, address) in enumerate(tried):
        # Elsewhere than under `make test-hard` two of the six, and other two for the next address.
        for vector in sample(short[number % 3 :] + short[: number % 3], 3):
            values = "&".join(f"{name}={as_query(vector)}" for name in NAMES)
            form = f"{values}&csrf_token={token}".encode() if method == "POST" else None
            headers = {"Content-Type": "application/x-www-form-urlencoded", "Referer": f"http://{EVIL}/"}
            asked[f"{method} {address.rule} {vector}"] = ask(admin, method, f"{address.path()}?{values}", form, headers)
    judge.assert_at_home({what: reply for what, reply in asked.items() if "Location" in reply.headers})


_PATHS = r"""
//evil.example //evil.example/ ///evil.example/.. /\evil.example //evil.example/history /%2f/evil.example/
/models//evil.example/ //evil.example/%2e%2e /static//evil.example //evil.example/static/../history/
"""


@pytest.mark.parametrize("path", _PATHS.split())
def test_an_address_itself_is_no_way_out(fort: RunningSite, judge: Judge, path: str) -> None:
    ada = person(fort, "ada@example.org")
    judge.assert_at_home({path: ada.get(path), f"{path}/": ada.get(f"{path}/")})


@pytest.mark.parametrize("path", ["/history", "/models?a=b", "/account"])
def test_a_good_address_is_where_a_login_leads(fort: RunningSite, path: str) -> None:
    person(fort, "ada@example.org")
    visitor = Visitor(fort)
    reply = visitor.submit(f"/login?next={as_query(path)}", {"email": "ada@example.org", "password": PASSWORD})
    assert reply.headers["Location"] == path
