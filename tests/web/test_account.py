"""Logging in and out, the password, and the keys for programs."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from urllib.parse import unquote, urljoin, urlsplit

import pytest

from tests.serving import EMAIL, PASSWORD, Reply, RunningSite
from tests.web.reading import Page
from tests.web.visiting import Visitor, assert_redirect, forgiving, make_visitor

KEY = re.compile(r"vtr_[0-9a-f]{12}_[0-9a-f]{64}_[0-9a-f]{8}")
REFUSED = "That e-mail address and password do not go together."
ELSEWHERE = [
    "https://elsewhere.example/",
    "//elsewhere.example",
    "///elsewhere.example",
    "/%5Celsewhere.example",
    "%5C%5Celsewhere.example",
    "/%09/elsewhere.example",
    "%20//elsewhere.example",
    "https:elsewhere.example",
    "https://127.0.0.1@elsewhere.example/",
    "javascript:alert(1)",
]


def host_opened(site: RunningSite, location: str) -> str:
    """Give the host a browser opens: it drops tabs and line ends, and takes any row of slashes of both kinds for two."""
    read = re.sub(r"[\t\r\n]", "", location.strip()).replace("\\", "/")
    return urlsplit(urljoin(f"{site.url}/login", re.sub("^/{2,}", "//", read))).netloc


def told(reply: Reply, email: str) -> tuple[int, dict[str, str], bytes]:
    """Give all of an answer that does not differ from one request to the next."""
    headers = {name: value for name, value in reply.headers.items() if name not in ("Date", "X-Request-Id", "Set-Cookie")}
    return reply.status, headers, re.sub(rb'(?<=name="csrf_token" )[^>]*', b"", reply.body).replace(email.encode(), b"")


def change_password(visitor: Visitor, now: str, new: str, again: str) -> Reply:
    fields = {"password": now, "new_password": new, "new_password_confirm": again, "submit": "1"}
    return visitor.submit("/account/password", fields)


def make_key(visitor: Visitor, name: str, expires: str = "365") -> Reply:
    ticked = {"predict": "y", "models_read": "y"}
    return visitor.submit("/account/keys", {"name": name, "expires": expires, **ticked}, page="/account")


@pytest.mark.parametrize("path", ["/history", "/?model=digits"])
def test_login_leads_to_the_page_one_wanted_also_at_the_second_try(site: RunningSite, ada: Visitor, path: str) -> None:
    visitor = Visitor(site)
    address = visitor.get(path).headers["Location"]
    with forgiving(site):
        form = Page(visitor.log_in(password="not the password", path=address))
        assert REFUSED in form.words
        fields = {"email": EMAIL, "password": PASSWORD, "csrf_token": form.field("csrf_token"), "next": form.field("next")}
        assert_redirect(visitor.send(form.all("form")[0]["action"], fields), path)
    assert visitor.get(path).status == 200


@pytest.mark.parametrize("address", ELSEWHERE)
def test_login_never_leads_to_another_site(site: RunningSite, ada: Visitor, address: str) -> None:
    visitor = Visitor(site)
    fields = {"email": EMAIL, "password": PASSWORD, "next": unquote(address)}
    reply = visitor.submit(f"/login?next={address}", fields)
    assert reply.status == 302
    assert host_opened(site, reply.headers["Location"]) == urlsplit(site.url).netloc
    assert visitor.get("/account").status == 200


def test_an_unknown_address_and_a_wrong_password_get_the_very_same_page(site: RunningSite, ada: Visitor) -> None:
    unknown = "bob@example.org"
    with forgiving(site):
        of_wrong, of_unknown = (Visitor(site).log_in(email, "not the password") for email in (EMAIL, unknown))
    assert REFUSED in Page(of_wrong).words
    assert told(of_wrong, EMAIL) == told(of_unknown, unknown)


def test_only_a_form_logs_out(site: RunningSite) -> None:
    visitor = make_visitor(site)
    assert visitor.get("/logout").status == 405
    assert visitor.get("/account").status == 200
    assert_redirect(visitor.submit("/logout", page="/account"), "/login")
    assert_redirect(visitor.get("/account"), "/login?next=/account")


def test_a_form_from_before_logging_out_is_refused_after_it(site: RunningSite) -> None:
    visitor = make_visitor(site)
    token = visitor.token_of("/account")
    visitor.send("/logout", {"csrf_token": token})
    visitor.log_in()
    reply = visitor.send("/account/keys", {"name": "from an old page", "expires": "90", "csrf_token": token})
    assert reply.status == 400
    assert "This form is out of date." in Page(reply).words
    assert "from an old page" not in Page(visitor.get("/account")).words


def test_a_new_password_ends_the_other_sessions_and_the_old_password(site: RunningSite) -> None:
    email, new = "grace@example.org", "another long sentence"
    here, there = make_visitor(site, email), make_visitor(site, email)
    assert_redirect(change_password(here, PASSWORD, new, new), "/account")
    assert "Your password is changed." in Page(here.get("/account")).words
    assert_redirect(there.get("/account"), "/login?next=/account")
    with forgiving(site):
        assert REFUSED in Page(Visitor(site).log_in(email, PASSWORD)).words
    assert_redirect(Visitor(site).log_in(email, new), "/")


def test_a_wrong_form_says_why_and_does_not_change_the_password(ada: Visitor) -> None:
    new = "another long sentence"
    wrong = {
        "Invalid password": ("not the password", new, new),
        "Choose a password of 12 to 1024 characters.": (PASSWORD, "too short", "too short"),
        "That password is soon guessed.": (PASSWORD, "password123456", "password123456"),
        "Passwords do not match": (PASSWORD, new, f"{new}."),
    }
    for sentence, (now, first, second) in wrong.items():
        assert sentence in Page(change_password(ada, now, first, second)).words
    assert_redirect(Visitor(ada.site).log_in(), "/")


def test_guesses_of_whoever_is_logged_in_are_counted_too(site: RunningSite) -> None:
    email, new = "guessed@example.org", "another long sentence"
    with forgiving(site):
        ada = make_visitor(site, email)
        for _ in range(5):
            assert ada.submit("/verify", {"password": "not the password", "submit": "1"}).status == 200
            assert change_password(ada, "not the password", new, new).status == 200
        assert ada.submit("/verify", {"password": PASSWORD, "submit": "1"}).status == 429
        assert change_password(ada, PASSWORD, new, new).status == 429


def test_a_slip_in_the_new_password_is_no_guess(site: RunningSite) -> None:
    with forgiving(site):
        ada = make_visitor(site, "slips@example.org")
        for _ in range(11):
            assert change_password(ada, PASSWORD, "too short", "too short").status == 200
        assert_redirect(change_password(ada, PASSWORD, "another long sentence", "another long sentence"), "/account")


def test_a_new_key_is_shown_once_and_works(site: RunningSite, ada: Visitor) -> None:
    made = make_key(ada, "phone")
    (key,) = set(KEY.findall(Page(made).words))
    assert f"It is shown this once, so keep it somewhere safe now. {key} " in Page(made).words
    assert made.headers["Cache-Control"] == "no-store"
    assert f"curl -H 'Authorization: Bearer {key}' -F image=@cat.jpg {site.url}/api/v1/predict" in Page(made).words
    later = Page(ada.get("/account")).words
    assert f"phone {key[:17]}… may predict, models:read" in later
    assert key.split("_")[2] not in later
    assert site.request("GET", "/api/v1/models", key=key).status == 200


def test_a_revoked_key_is_refused(site: RunningSite, ada: Visitor) -> None:
    (key,) = set(KEY.findall(Page(make_key(ada, "lost phone")).words))
    address = f"/account/keys/{key.split('_')[1]}/revoke"
    assert Page(ada.get("/account")).all("form", action=address, method="post")
    assert_redirect(ada.submit(address, page="/account"), "/account")
    page = Page(ada.get("/account"))
    assert "The key is revoked." in page.words
    assert not page.all("form", action=address)
    assert site.request("GET", "/api/v1/models", key=key).status == 401


def test_nobody_revokes_the_key_of_another(site: RunningSite, ada: Visitor) -> None:
    (key,) = set(KEY.findall(Page(make_key(ada, "mine")).words))
    eve = make_visitor(site, "eve@example.org")
    address = f"/account/keys/{key.split('_')[1]}/revoke"
    assert_redirect(eve.submit(address, page="/account"), "/account")
    assert "The key is revoked." not in Page(eve.get("/account")).words
    assert site.request("GET", "/api/v1/models", key=key).status == 200


@pytest.mark.parametrize(
    ("name", "expires", "sentence"),
    [
        ("", "90", "Give the key a name."),
        ("  ", "90", "Give the key a name."),
        ("x" * 81, "90", "Field cannot be longer than 80 characters."),
        ("endless", "36501", "Not a valid choice."),
    ],
)
def test_a_form_that_makes_no_key_says_why(ada: Visitor, name: str, expires: str, sentence: str) -> None:
    make_key(ada, "the only one")
    before = ada.get("/account").body.count(b" may predict")
    reply = make_key(ada, name, expires)
    assert reply.status == 422
    assert sentence in Page(reply).words
    assert not KEY.search(Page(reply).words)
    assert ada.get("/account").body.count(b" may predict") == before > 0


@pytest.mark.parametrize(("expires", "days"), [("90", 90), ("365", 365)])
def test_a_key_lives_as_long_as_was_chosen(ada: Visitor, expires: str, days: int) -> None:
    times = Page(make_key(ada, f"for {days} days", expires)).all("time")
    made, ends = (datetime.fromisoformat(time["datetime"]) for time in times[:2])
    assert abs(ends - made - timedelta(days=days)) < timedelta(minutes=1)
    assert f"{ends:%-d %B %Y, %H:%M} UTC" in Page(ada.get("/account")).words


def test_a_key_without_an_end_says_so_and_its_name_is_only_text(ada: Visitor) -> None:
    page = Page(make_key(ada, "<b id=x>robot</b>", ""))
    assert re.search(
        r"<b id=x>robot</b> vtr_\w+_… may predict, models:read Made [^.]+\. Never used\. Does not expire\.", page.words
    )
    assert not page.all("b", id="x")
