"""The way back in for whoever forgot a password, on the real site with letters in a folder."""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from email import message_from_bytes, policy
from pathlib import Path
from types import SimpleNamespace

import pytest
from itsdangerous import TimestampSigner, URLSafeTimedSerializer

from app.factory import create_app
from app.http import recovery
from tests.factories import make_services
from tests.serving import PASSWORD, Reply, RunningSite
from tests.web.reading import Page
from tests.web.visiting import Visitor, assert_redirect, forgiving, make_visitor

ADDRESS = "http://127.0.0.1:9"  # people would open it there; the letters lead to it whatever the request's Host says
NEW_PASSWORD = "quite another long phrase"
SENT = "If there is an account for that address, a link is on its way to it."
DEAD = "That link is used, too old or not whole. Ask for a new one here."


@pytest.fixture(scope="module")
def mailing_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    folder = tmp_path_factory.mktemp("mailing")
    settings = {"mail": str(folder / "letters"), "public_url": ADDRESS, "mail_from": "site@example.org"}
    with RunningSite(folder, workers="2", **settings) as running:
        yield running


@pytest.fixture
def site(mailing_site: RunningSite) -> Iterator[RunningSite]:
    with forgiving(mailing_site) as running:
        yield running


def letters(site: RunningSite, to: str) -> list[str]:
    """Give the texts of the letters to an address, in the order they were written."""
    found = [message_from_bytes(file.read_bytes(), policy=policy.default) for file in sorted(folder_of(site).glob("*.eml"))]
    return [f"{letter['Subject']}\n{letter.get_content()}" for letter in found if letter["To"] == to]


def folder_of(site: RunningSite) -> Path:
    return site.data.parent / "letters"


def wait_for_letters(site: RunningSite, to: str, count: int) -> list[str]:
    deadline = time.monotonic() + 10
    while len(found := letters(site, to)) < count:
        assert time.monotonic() < deadline, found
        time.sleep(0.05)
    return found


def ask(site: RunningSite, email: str, headers: dict[str, str] | None = None) -> Reply:
    return Visitor(site, headers).submit("/recover", {"email": email, "submit": "1"})


def link(site: RunningSite, email: str) -> str:
    """Have a link sent, and give its path."""
    time.sleep(1)  # links are dated by the second: one of the same second as a login counts as older
    count = len(letters(site, email))
    assert ask(site, email).status == 200
    text = wait_for_letters(site, email, count + 1)[-1]
    (address,) = re.findall(r"^http\S+$", text, re.MULTILINE)
    assert address.startswith(f"{ADDRESS}/recover/")
    return str(address).removeprefix(ADDRESS)


def choose(site: RunningSite, path: str, password: str = NEW_PASSWORD) -> Reply:
    return Visitor(site).submit(path, {"password": password, "password_confirm": password, "submit": "1"})


def test_an_account_that_was_imported_gets_its_first_password_by_a_link(site: RunningSite) -> None:
    email = "imported@example.org"
    done = site.run("import", "users", "--from", "-", given=f"email,roles\n{email},[]\n")
    assert (done.returncode, done.stderr) == (0, "1 account imported.\n")
    for password in ("", PASSWORD):
        assert Visitor(site).log_in(email, password).status == 200, "nobody comes in by it yet"
    assert_redirect(choose(site, link(site, email)), "/login")
    assert Visitor(site).log_in(email, NEW_PASSWORD).status == 302


def test_a_link_leads_to_a_new_password(site: RunningSite) -> None:
    email = "forgets@example.org"
    ada = make_visitor(site, email)
    path = link(site, email)
    assert "Choose a new password" in Page(Visitor(site).get(path)).words
    assert_redirect(choose(site, path), "/login")
    assert_redirect(ada.get("/account"), "/login?next=/account")
    assert Visitor(site).log_in(email, PASSWORD).status == 200
    assert Visitor(site).log_in(email, NEW_PASSWORD).status == 302
    assert "was changed with a link" in wait_for_letters(site, email, 2)[-1]


def test_the_login_page_leads_there(site: RunningSite) -> None:
    assert Page(Visitor(site).get("/login")).targets("/recover") == ["/recover"]


def test_the_same_is_said_of_every_address(site: RunningSite) -> None:
    email = "exists@example.org"
    make_visitor(site, email)
    known, unknown = ask(site, email), ask(site, "nobody@example.org")
    for reply in (known, unknown):
        assert (reply.status, SENT in Page(reply).words) == (200, True)
    assert Page(known).words.replace(email, "") == Page(unknown).words.replace("nobody@example.org", "")
    wait_for_letters(site, email, 1)
    assert letters(site, "nobody@example.org") == []


def test_an_answer_waits_for_an_even_moment_whoever_asks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = make_services(tmp_path, mail=str(tmp_path / "letters"))
    here.accounts.create("exists@example.org", PASSWORD)
    client = create_app(here.settings).test_client()
    token = re.findall(r'name="csrf_token"[^>]*value="([^"]+)"', client.get("/recover").text)[0]
    asleep: list[float] = []
    for email in ("exists@example.org", "nobody@example.org"):
        monkeypatch.setattr(recovery, "time", SimpleNamespace(monotonic=iter((10.0, 10.29)).__next__, sleep=asleep.append))
        assert client.post("/recover", data={"email": email, "submit": "1", "csrf_token": token}).status_code == 200
    assert asleep == pytest.approx([0.11, 0.11])


def test_a_link_is_good_once(site: RunningSite) -> None:
    email = "once@example.org"
    make_visitor(site, email)
    path = link(site, email)
    assert_redirect(choose(site, path), "/login")
    again = Visitor(site)
    assert_redirect(again.get(path), "/recover")
    assert DEAD in Page(again.get("/recover")).words


def test_a_link_dies_when_its_account_logs_in(site: RunningSite) -> None:
    email = "remembers@example.org"
    make_visitor(site, email)
    path = link(site, email)
    assert Visitor(site).log_in(email).status == 302
    assert_redirect(Visitor(site).get(path), "/recover")
    assert Visitor(site).log_in(email).status == 302


def test_a_link_dies_when_the_password_is_changed(site: RunningSite) -> None:
    email = "changes@example.org"
    ada = make_visitor(site, email)
    path = link(site, email)
    fields = {"password": PASSWORD, "new_password": NEW_PASSWORD, "new_password_confirm": NEW_PASSWORD, "submit": "1"}
    assert_redirect(ada.submit("/account/password", fields), "/account")
    assert_redirect(Visitor(site).get(path), "/recover")
    assert "was changed" in wait_for_letters(site, email, 2)[-1]


@pytest.mark.parametrize("token", ["x", "a.b.c", "%00", "é"])
def test_a_link_that_is_none_leads_to_the_form(site: RunningSite, token: str) -> None:
    assert_redirect(Visitor(site).get(f"/recover/{token.encode().hex() if token == 'é' else token}"), "/recover")


def test_a_password_that_is_soon_guessed_leaves_the_link_good(site: RunningSite) -> None:
    email = "guessed.by.anybody@example.org"
    make_visitor(site, email)
    path = link(site, email)
    for password, sentence in {
        "short": "Choose a password of 12 to 1024 characters.",
        "password123456": "That password is soon guessed.",
        email: "Choose a password that is not your e-mail address.",
    }.items():
        reply = choose(site, path, password)
        assert (reply.status, sentence in Page(reply).words) == (200, True)
    assert_redirect(choose(site, path), "/login")


def test_no_host_of_a_stranger_gets_into_a_letter(site: RunningSite) -> None:
    email = "poisoned@example.org"
    make_visitor(site, email)
    assert Visitor(site, {"Host": "evil.example"}).get("/recover").status == 421
    assert ask(site, email, {"Host": "127.9.9.9:666", "X-Forwarded-Host": "evil.example"}).status == 200
    (text,) = wait_for_letters(site, email, 1)
    assert "evil.example" not in text
    assert "127.9.9.9" not in text


def test_an_account_gets_five_links_an_hour_and_nobody_learns_of_it(site: RunningSite) -> None:
    email = "flooded@example.org"
    make_visitor(site, email)
    for name in (email, "unknown@example.org"):
        assert [ask(site, name).status for _ in range(6)] == [200] * 5 + [429]
    assert len(wait_for_letters(site, email, 5)) == 5


def test_an_address_asks_for_twenty_links_an_hour(site: RunningSite) -> None:
    statuses = [ask(site, f"number-{number}@example.org").status for number in range(21)]
    assert statuses == [200] * 20 + [429]


def test_without_a_carrier_there_is_no_such_way(https_site: RunningSite) -> None:
    visitor = Visitor(https_site)
    assert visitor.get("/recover").status == 404
    assert "/recover" not in visitor.get("/login").body.decode()


@pytest.mark.parametrize(("minutes", "good"), [(59, True), (61, False)])
def test_a_link_is_good_for_an_hour(site: RunningSite, minutes: int, good: bool) -> None:
    email = f"{minutes}-minutes@example.org"
    make_visitor(site, email)
    path = link(site, email)
    with closing(sqlite3.connect(site.data / "vitrine.db", timeout=30)) as database, database:
        database.execute("UPDATE users SET logged_in_at = NULL WHERE email = ?", [email])  # a link dies at a login, too
    secret = (site.data / "secret_key").read_text(encoding="ascii").strip()
    token = URLSafeTimedSerializer(secret, salt="reset-salt").loads(path.rpartition("/")[2])
    older = type("Older", (TimestampSigner,), {"get_timestamp": lambda _: int(time.time()) - minutes * 60})
    reply = Visitor(site).get(f"/recover/{URLSafeTimedSerializer(secret, salt='reset-salt', signer=older).dumps(token)}")
    if good:
        assert "New password" in Page(reply).words
    else:
        assert_redirect(reply, "/recover")
