"""Cookies, forged forms, and what a cookie or a key is no good for."""

from __future__ import annotations

import base64
import hashlib

import pytest
from itsdangerous import TimestampSigner, URLSafeTimedSerializer

from tests.factories import CAT
from tests.serving import EMAIL, PASSWORD, RunningSite
from tests.web.visiting import Visitor, assert_redirect, make_visitor

POSTS = [
    "/",
    "/login",
    "/logout",
    "/verify",
    "/account/password",
    "/account/email",
    "/account/email/some-token",
    "/account/delete",
    "/account/keys",
    "/account/keys/0123456789ab/revoke",
    "/account/logins/1/end",
    "/account/logins/end-others",
    "/account/identities/1/unlink",
    "/login/oidc",
    "/account/second-factor/app",
    "/account/second-factor/app/remove",
    "/account/second-factor/codes",
    "/account/second-factor/passkeys",
    "/account/second-factor/passkeys/1/remove",
    "/login/passkey",
    "/login/second-step",
    "/login/second-step/passkey",
    "/people/1/second-factor-off",
    "/predictions/01K9Z3N2V6Q8R4T7W1X5Y0B3CD/delete",
    "/register",
    "/setup/some-token",
    "/administration/keys/0123456789ab/revoke",
    "/administration/models/import",
    "/administration/models/import/some-token",
    "/administration/models/import/some-token/discard",
    "/models/digits/versions/1/shadow",
    "/models/digits/versions/1/shadow/end",
]


class YesterdaysSigner(TimestampSigner):
    """Signs as if it were a day ago."""

    def get_timestamp(self) -> int:
        return super().get_timestamp() - 86_400


def flags(line: str) -> tuple[str, set[str]]:
    """Give the name of a cookie and its flags."""
    first, *rest = line.split("; ")
    return first.partition("=")[0], {flag for flag in rest if not flag.startswith(("Expires=", "Max-Age="))}


def log_in_to_stay(site: RunningSite) -> dict[str, set[str]]:
    make_visitor(site)
    visitor = Visitor(site)
    assert visitor.submit("/login", {"email": EMAIL, "password": PASSWORD, "remember": "y"}).status == 302
    return dict(map(flags, visitor.set_cookies))


def test_cookies_are_kept_from_scripts_and_other_sites(site: RunningSite) -> None:
    expected = {"HttpOnly", "Path=/", "SameSite=Lax"}
    assert log_in_to_stay(site) == {"vitrine": expected}


def test_over_https_cookies_are_bound_to_this_host_and_to_tls(https_site: RunningSite) -> None:
    expected = {"HttpOnly", "Path=/", "SameSite=Lax", "Secure"}
    assert log_in_to_stay(https_site) == {"__Host-vitrine": expected}


@pytest.mark.parametrize("path", POSTS)
def test_a_form_without_its_token_is_refused(site: RunningSite, path: str) -> None:
    visitor = make_visitor(site)
    reply = visitor.send(path)
    assert reply.status == 400
    assert b"This form is out of date. Load the page again and send it once more." in reply.body
    assert visitor.get("/account").status == 200


def test_the_token_of_somebody_else_is_refused(site: RunningSite) -> None:
    ada, stranger = make_visitor(site), Visitor(site)
    token = stranger.token_of("/login")
    assert ada.send("/account/keys", {"name": "forged", "expires": "90", "csrf_token": token}).status == 400
    assert b"forged" not in ada.get("/account").body


def test_a_cookie_is_no_good_on_the_api(site: RunningSite) -> None:
    ada = make_visitor(site)
    token = {"X-CSRFToken": ada.token_of("/account")}
    for reply in (ada.get("/api/v1/models"), ada.send("/api/v1/predict", {}, [("image", "a.jpg", b"a")], headers=token)):
        assert (reply.status, reply.json["code"]) == (401, "invalid_key")


@pytest.mark.parametrize("path", ["/", "/history", "/account", "/account/password"])
def test_a_key_or_a_password_in_a_header_is_no_good_on_pages(site: RunningSite, path: str) -> None:
    key, password = site.key, base64.b64encode(f"{EMAIL}:{PASSWORD}".encode()).decode()
    headers = [{"Authorization": f"Bearer {key}"}, {"Authorization": f"Basic {password}"}, {"Authentication-Token": key}]
    for header in headers:
        assert_redirect(site.request("GET", path, headers=header), f"/login?next={path}")
    assert site.request("GET", f"{path}?auth_token={key}").status == 302


def test_a_form_stays_good_as_long_as_its_session(site: RunningSite) -> None:
    ada = make_visitor(site)
    secret = (site.data / "secret_key").read_text(encoding="ascii").strip()
    value = URLSafeTimedSerializer(secret, salt="wtf-csrf-token").loads(ada.token_of("/account"))
    old = str(URLSafeTimedSerializer(secret, salt="wtf-csrf-token", signer=YesterdaysSigner).dumps(value))
    reply = ada.send("/account/keys", {"name": "after lunch", "predict": "y", "expires": "90", "csrf_token": old})
    assert reply.status == 200
    assert b"after lunch" in reply.body


def test_our_script_is_told_in_words_that_its_session_has_ended(site: RunningSite) -> None:
    reply = Visitor(site).send("/", {}, [("images", "cat.jpg", CAT.read_bytes())], headers={"Accept": "application/json"})
    assert (reply.status, reply.headers["Content-Type"]) == (401, "application/problem+json")
    assert reply.json["detail"] == "You are no longer logged in. Load the page again."


def test_cookies_forms_and_links_are_signed_with_sha_256(site: RunningSite) -> None:
    secret = (site.data / "secret_key").read_text(encoding="ascii").strip()
    ada = make_visitor(site)
    cookie, token = ada.cookies["vitrine"], ada.token_of("/account")
    for salt, derivation, signed in (("cookie-session", "hmac", cookie), ("wtf-csrf-token", None, token)):
        for digest, good in ((hashlib.sha256, True), (hashlib.sha1, False)):
            signer = TimestampSigner(secret, salt=salt, key_derivation=derivation, digest_method=digest)
            assert signer.validate(signed) == good, (salt, digest)


def test_logging_out_clears_what_the_browser_keeps(site: RunningSite) -> None:
    reply = make_visitor(site).submit("/logout", page="/account")
    assert reply.headers["Clear-Site-Data"] == '"cache", "storage"'
