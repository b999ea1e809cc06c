"""No page takes a form that another site or another session has sent; the API, where no cookie counts, needs no such token."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from tests.sampling import sample, sampled
from tests.security.cast import Address, ask, person, predicted
from tests.serving import PASSWORD, Reply, RunningSite
from tests.web.visiting import Visitor

UNSAFE = {"POST", "PUT", "PATCH", "DELETE"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
BOB = "bob@example.org"
# What a browser sends to the site behind its proxy from a page of the site.
HTTPS = {"Host": "photos.example.org", "X-Forwarded-Proto": "https", "X-Forwarded-For": "198.51.100.7"}
OWN = "https://photos.example.org/login"


def pages(everywhere: list[Address]) -> list[tuple[str, str]]:
    """Give every address of a page that changes something, with its verb."""
    return [
        (method, address.path())
        for address in everywhere
        for method in sorted(address.methods & UNSAFE)
        if not address.rule.startswith("/api/")
    ]


def refused(reply: Reply) -> bool:
    return reply.status in (400, 403)


def send(visitor: Visitor, method: str, path: str, fields: dict[str, str], headers: dict[str, str] | None = None) -> Reply:
    return ask(visitor, method, path, urlencode(fields).encode(), {**FORM, **(headers or {})})


def test_a_form_needs_the_token_of_its_own_session(fort: RunningSite, everywhere: list[Address]) -> None:
    admin, other = person(fort, "root@example.org", admin=True), person(fort, BOB)
    own, foreign, strangers = admin.token_of("/account"), other.token_of("/account"), Visitor(fort).token_of("/login")
    found = pages(everywhere)
    assert len(found) > 15
    for method, path in found:
        for token in (None, "", "x", foreign, strangers, own[:-1], own + "x", own.swapcase()):
            reply = send(admin, method, path, {} if token is None else {"csrf_token": token})
            assert refused(reply), (method, path, token, reply.status)
        # Neither where another site could write it, nor in a cookie.
        assert refused(send(admin, method, f"{path}?csrf_token={own}", {})), (method, path)
        both = "; ".join(f"{name}={value}" for name, value in {**admin.cookies, "csrf_token": own}.items())
        assert refused(send(admin, method, path, {"password": PASSWORD}, {"Cookie": both})), (method, path)
    assert admin.get("/account").status == 200


def test_a_stranger_gets_no_form_through_either(fort: RunningSite, everywhere: list[Address]) -> None:
    stranger, foreign = Visitor(fort), person(fort, BOB).token_of("/account")
    stranger.get("/login")
    for method, path in pages(everywhere):
        for token in (None, "x", foreign):
            reply = send(stranger, method, path, {} if token is None else {"csrf_token": token})
            to_login = reply.status == 302 and reply.headers["Location"].startswith("/login?next=")
            assert refused(reply) or to_login or reply.status == 404, (method, path, token, reply.status)


@sampled
@pytest.mark.parametrize("kind", ["text/plain", "application/json", "multipart/form-data; boundary=b", ""])
def test_no_other_media_type_goes_around_it(fort: RunningSite, everywhere: list[Address], kind: str) -> None:
    admin = person(fort, "root@example.org", admin=True)
    bodies = (b'{"csrf_token": "x"}', b"csrf_token=x&a=", b"--b--\r\n")
    for (method, path), body in sample([(page, body) for page in pages(everywhere) for body in bodies], 2):
        assert refused(ask(admin, method, path, body, {"Content-Type": kind})), (method, path)


def test_a_forged_form_has_changed_nothing(fort: RunningSite) -> None:
    ada = person(fort, "ada@example.org")
    prediction = predicted(ada)
    token = Visitor(fort).token_of("/login")
    for path in (f"/predictions/{prediction}/delete", "/account/logins/end-others", "/account/keys", "/logout"):
        assert refused(ada.send(path, {"csrf_token": token, "name": "forged", "expires": ""}))
    assert ada.get(f"/predictions/{prediction}").status == 200
    assert b"forged" not in ada.get("/account").body


def test_on_the_api_a_cookie_alone_is_nobody(fort: RunningSite, everywhere: list[Address]) -> None:
    admin = person(fort, "root@example.org", admin=True)
    token = admin.token_of("/account")
    guarded = [address for address in everywhere if address.rule.startswith("/api/v1/") and "openapi" not in address.rule]
    assert len(guarded) >= 4
    for address in guarded:
        for method in sorted(address.methods - {"OPTIONS"}):
            for headers in ({}, {"X-CSRFToken": token}, {"Origin": "https://evil.example"}, {"Authorization": "Basic YTpi"}):
                reply = ask(admin, method, address.path(), b"", headers)
                assert reply.status == 401, (method, address.rule)
                assert "Set-Cookie" not in reply.headers


def test_a_key_needs_no_token(fort: RunningSite) -> None:
    fort.make_account("keys@example.org")
    assert fort.request("GET", "/api/v1/models", key=fort.key).status == 200


@sampled
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Referer": "https://evil.example/"},
        {"Referer": "http://photos.example.org/login"},
        {"Referer": "https://photos.example.org.evil.example/"},
        {"Referer": "https://photos.example.org:444/"},
        {"Referer": "https://evil.example/?https://photos.example.org/login"},
    ],
)
def test_over_https_a_form_comes_from_a_page_of_ours(
    proxied: RunningSite, everywhere: list[Address], headers: dict[str, str]
) -> None:
    admin = Visitor(proxied, {**HTTPS, "Referer": OWN})
    person(proxied, BOB)  # so that there are two
    here = person(proxied, "root@example.org", admin=True)
    admin.cookies = dict(here.cookies)
    stranger = Visitor(proxied, HTTPS)
    tokens = {admin: admin.token_of("/account"), stranger: stranger.token_of("/login")}
    for visitor, token in tokens.items():
        visitor.headers = {**HTTPS}
        for method, path in sample(pages(everywhere), 3):
            reply = send(visitor, method, path, {"csrf_token": token}, headers)
            to_login = reply.status == 302 and "/login?next=" in reply.headers["Location"] and visitor is stranger
            assert refused(reply) or to_login, (method, path, reply.status)


def test_over_https_a_form_of_a_page_of_ours_is_taken(proxied: RunningSite) -> None:
    person(proxied, BOB)
    visitor = Visitor(proxied, {**HTTPS, "Referer": OWN})
    assert visitor.log_in(BOB).status == 302
    reply = visitor.submit("/account/keys", {"name": "mine", "predict": "y", "expires": "90"}, page="/account")
    assert (reply.status, b"mine" in reply.body) == (200, True)
