"""Every address with every verb, for everybody: what is on no list does not answer, and nobody gets further than they may."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import pytest

from tests.factories import make_picture
from tests.sampling import sample, sampled
from tests.security.cast import NOBODYS, Address, ask, grow_old, key_for_everything, key_for_nothing, person, predicted
from tests.serving import Reply, RunningSite
from tests.test_architecture import GUARDED, PUBLIC
from tests.web.visiting import Visitor, token_in

VERBS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "BREW", "get", "PoSt"]
# What only administrators see, by how it begins. A new page of theirs belongs here, or the walk says who gets in.
ADMINISTRATION = ("/people", "/admin", "/dashboard", "/models/<name>/versions/<version>/")
API_ADMINISTRATION = (
    "/api/v1/people",
    "/api/v1/audit-log",
    "/api/v1/models/<name>/versions/<version>/activate",
    "/api/v1/models/<name>/versions/<version>/rollback",
    "/api/v1/models/<name>/versions/<version>/shadow",
    "/metrics",
)
# What asks everybody for the password once a login is old.
FRESH = ("/account/second-factor",)
# And administrators, before what takes a while.
FRESH_TO_SEE = ("/models/<name>/versions/<version>/evidence",)
FRESH_TO_CHANGE = ("/account/email", "/account/delete", "/account/logins/<int:number>/end", "/account/logins/end-others")
# What strangers may where guests are welcome; everything else that is guarded needs a login there too.
GUESTS = ("/", "/history", "/predictions/", "/models")
OUT_OF_DATE = b"This form is out of date"

LOGIN, FORBIDDEN, CONFIRM, KEY, SCOPE, IN = "login", "403", "password again", "401", "scope", "in"
# kind -> what meets whom, in this order.
ROLES = ["stranger", "guest", "member", "owner", "old administrator", "administrator", "key without scope", "key"]
ROLES += ["administrator's key"]
EXPECTED = {
    "public": [IN, IN, IN, IN, IN, IN, IN, IN, IN],
    "account": [LOGIN, LOGIN, IN, IN, IN, IN, LOGIN, LOGIN, LOGIN],
    "account, freshly": [LOGIN, LOGIN, IN, IN, CONFIRM, IN, LOGIN, LOGIN, LOGIN],
    "administration, to see": [LOGIN, LOGIN, FORBIDDEN, FORBIDDEN, IN, IN, LOGIN, LOGIN, LOGIN],
    "administration, to change": [LOGIN, LOGIN, FORBIDDEN, FORBIDDEN, CONFIRM, IN, LOGIN, LOGIN, LOGIN],
    "API": [KEY, KEY, KEY, KEY, KEY, KEY, SCOPE, IN, IN],
    "API, administration": [KEY, KEY, KEY, KEY, KEY, KEY, SCOPE, SCOPE, IN],
}


@dataclass
class Role:
    """Somebody who asks; whoever was logged in logs in again where a request has ended that."""

    visitor: Visitor
    again: Callable[[], Visitor] | None = None
    key: str | None = None
    token: str = ""

    def ask(self, method: str, path: str) -> Reply:
        """Send a request as this role would, a form with its token."""
        if self.key is not None:
            return self.visitor.site.request(method, path, b"" if method == "POST" else None, key=self.key)
        if not self.token:
            self._come_in()
        form = f"csrf_token={self.token}".encode() if method == "POST" else None
        reply = ask(self.visitor, method, path, form, {"Content-Type": "application/x-www-form-urlencoded"})
        if method == "POST":
            self.token = ""  # it may have ended the login
        return reply

    def _come_in(self) -> None:
        page = "/login" if self.again is None else "/account"
        found = token_in(self.visitor.get(page))
        if found is None and self.again is not None:
            self.visitor = self.again()
            found = token_in(self.visitor.get(page))
        assert found is not None, page
        self.token = found


def predicted_by_key(site: RunningSite, key: str | None) -> str:
    """Have a small picture answered for a program, and give the identifier of the answer."""
    reply = site.request("POST", "/api/v1/predict", make_picture(), {"Content-Type": "image/png"}, key=key)
    return str(reply.json["id"])


@pytest.fixture(scope="module")
def cast(fort_itself: RunningSite) -> dict[str, Role]:
    """Give everybody who asks."""

    def member() -> Visitor:
        return person(fort_itself, "bob@example.org")

    def owner() -> Visitor:
        return person(fort_itself, "ada@example.org")

    def old() -> Visitor:
        return grow_old(person(fort_itself, "grace@example.org", admin=True))

    def administrator() -> Visitor:
        return person(fort_itself, "root@example.org", admin=True)

    # Not those who walk: among what they meet is the end of an account.
    person(fort_itself, "program@example.org")
    person(fort_itself, "robot@example.org", admin=True)
    guest = Visitor(fort_itself)
    guest.get("/login")
    logged_in = {"member": member, "owner": owner, "old administrator": old, "administrator": administrator}
    roles = {"stranger": Role(Visitor(fort_itself)), "guest": Role(guest)}
    roles |= {name: Role(come(), come) for name, come in logged_in.items()}
    roles["key without scope"] = Role(Visitor(fort_itself), key=key_for_nothing(fort_itself, "program@example.org"))
    roles["key"] = Role(Visitor(fort_itself), key=key_for_everything(fort_itself, "program@example.org"))
    roles["administrator's key"] = Role(Visitor(fort_itself), key=key_for_everything(fort_itself, "robot@example.org"))
    return roles


def kind_of(method: str, rule: str) -> str:
    if f"{method} {rule}" in PUBLIC:
        return "public"
    if rule.startswith(("/api/", "/metrics")):
        return "API, administration" if rule.startswith(API_ADMINISTRATION) else "API"
    if rule.startswith(ADMINISTRATION):
        seen = method in ("GET", "HEAD") and rule not in FRESH_TO_SEE
        return "administration, to see" if seen else "administration, to change"
    if rule.startswith(FRESH) or (method == "POST" and rule in FRESH_TO_CHANGE):
        return "account, freshly"
    return "account"


def met(reply: Reply) -> str:
    """Say in one word what somebody met."""
    location = reply.headers.get("Location", "")
    if reply.status == 302 and location.startswith("/login?next="):
        return LOGIN
    if reply.status == 303 and location.startswith("/verify"):
        return CONFIRM
    if reply.status == 403:
        return SCOPE if b"missing_scope" in reply.body else FORBIDDEN
    if reply.status == 401:
        return KEY
    return IN if reply.status < 500 else f"broken: {reply.status}"


def walked(everywhere: Iterable[Address]) -> list[tuple[str, Address]]:
    """Give every verb that an address is there for, a page's HEAD included."""
    return [(method, address) for address in everywhere for method in sorted(address.methods - {"OPTIONS"})]


def test_every_verb_of_every_address_is_on_a_list(everywhere: list[Address]) -> None:
    listed = PUBLIC | GUARDED
    for address in everywhere:
        told = {method for method in address.methods if f"{method} {address.rule}" in listed}
        shadows = {"OPTIONS"} | ({"HEAD"} if "GET" in told else set())
        assert address.methods == told | shadows, f"{address.rule}: list it in tests/test_architecture.py"


@pytest.mark.parametrize("role", ROLES)
def test_nobody_gets_further_than_they_may(
    fort: RunningSite, cast: dict[str, Role], everywhere: list[Address], role: str
) -> None:
    wrong = []
    for method, address in walked(everywhere):
        listed = "GET" if method == "HEAD" else method
        kind = kind_of(listed, address.rule)
        reply = cast[role].ask(method, address.path())
        expected, found = EXPECTED[kind][ROLES.index(role)], met(reply)
        if method == "HEAD" and expected == SCOPE:
            expected = FORBIDDEN  # without a body to say why
        if found != expected or (OUT_OF_DATE in reply.body and cast[role].key is None):
            wrong.append(f"{method} {address.rule} ({kind}) for {role}: {found}, not {expected}; {reply.status}")
    assert not wrong, "\n".join(["A new page that is not for every account is to be listed at the head of this file.", *wrong])


@sampled
@pytest.mark.parametrize("role", ["stranger", "administrator", "key"])
def test_no_other_verb_answers(fort: RunningSite, cast: dict[str, Role], everywhere: list[Address], role: str) -> None:
    asked = [(verb, address) for address in everywhere for verb in VERBS if verb not in address.methods]
    for verb, address in sample(asked, 4):
        reply = cast[role].ask(verb, address.path())
        assert reply.status in (400, 405, 501), (verb, address.rule, reply.status)
        if reply.status == 405:
            assert set(reply.headers["Allow"].split(", ")) == address.methods, (verb, address.rule)


@pytest.mark.parametrize("role", ROLES)
def test_options_tell_the_verbs_and_nothing_else(
    fort: RunningSite, cast: dict[str, Role], everywhere: list[Address], role: str
) -> None:
    for address in everywhere:
        reply = cast[role].ask("OPTIONS", address.path())
        found = met(reply)
        assert reply.body == b"" or found in (LOGIN, FORBIDDEN, CONFIRM), address.rule
        if found == IN:
            assert set(reply.headers["Allow"].split(", ")) == address.methods
        assert "Access-Control-Allow-Origin" not in reply.headers


@pytest.mark.parametrize("role", ["stranger", "administrator"])
def test_head_meets_what_get_meets(fort: RunningSite, cast: dict[str, Role], everywhere: list[Address], role: str) -> None:
    for address in everywhere:
        if "HEAD" in address.methods:
            head, get = (cast[role].ask(method, address.path()) for method in ("HEAD", "GET"))
            assert (head.status, head.body) == (get.status, b""), address.rule


def test_no_header_turns_one_verb_into_another(fort: RunningSite, cast: dict[str, Role], everywhere: list[Address]) -> None:
    names = ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override")
    admin = cast["administrator"].visitor
    for address in everywhere:
        if "GET" not in address.methods:
            reply = ask(admin, "GET", f"{address.path()}?_method=POST", None, dict.fromkeys(names, "POST"))
            assert reply.status == 405, address.rule


def test_an_object_is_its_owners_and_nobody_elses(fort: RunningSite, cast: dict[str, Role], everywhere: list[Address]) -> None:
    """Whoever may come in at all finds nothing at the address of somebody else's prediction, as at one that never was."""
    for method, address in walked(everywhere):
        if "<prediction_id>" not in address.rule:
            continue
        path = address.path({"prediction_id": predicted(cast["owner"].visitor)})
        api = address.rule.startswith("/api/")
        if api:
            path = address.path({"prediction_id": predicted_by_key(fort, cast["key"].key)})
        for role in ("administrator's key",) if api else ("member", "old administrator", "administrator"):
            assert cast[role].ask(method, path).status == 404, (role, method, address.rule)
        owner = cast["key"] if api else cast["owner"]
        assert owner.ask(method, address.path({"prediction_id": NOBODYS})).status == 404
        assert owner.ask(method, path).status in (200, 303), (method, address.rule)


def test_where_guests_are_welcome_they_get_as_far_as_they_may(open_site: RunningSite, everywhere: list[Address]) -> None:
    guest = Visitor(open_site)
    token = guest.token_of("/login")
    for method, address in walked(everywhere):
        kind = kind_of("GET" if method == "HEAD" else method, address.rule)
        form = f"csrf_token={token}".encode() if method == "POST" else None
        found = met(ask(guest, method, address.path(), form, {"Content-Type": "application/x-www-form-urlencoded"}))
        begins = address.rule == "/" or address.rule.startswith(GUESTS[1:])
        welcome = kind == "account" and begins
        expected = KEY if kind.startswith("API") else IN if kind == "public" or welcome else LOGIN
        assert found == expected, (method, address.rule)
