"""Logins, failed ones, logouts and new passwords are written down with where from, and what was typed by mistake is not."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.serving import PASSWORD, RunningSite
from tests.web.visiting import Visitor, forgiving, make_visitor

NEW_PASSWORD = "quite another long phrase"
HERE = "127.0.0.1"


def written(site: RunningSite, email: str) -> list[tuple[str, str, str | None]]:
    """Give by whom, what and from where was done to an account on a page, in its order."""
    with closing(sqlite3.connect(site.data / "vitrine.db", timeout=30)) as database:
        return database.execute(
            "SELECT actor, action, address FROM audit_log WHERE subject = ? AND action <> 'made' ORDER BY id",
            [f"account:{email}"],
        ).fetchall()


def told(site: RunningSite) -> list[dict[str, str]]:
    """Give the lines of the log that tell of a deed."""
    events = [json.loads(line) for line in site.log.splitlines() if line.startswith("{")]
    return [event for event in events if event["event"] == "deed"]


def test_who_logs_in_and_out_is_written_down(site: RunningSite) -> None:
    email = "comes@example.org"
    visitor = make_visitor(site, email)
    visitor.submit("/logout", page="/account")
    assert written(site, email) == [(email, "logged in", HERE), (email, "logged out", HERE)]
    assert [(event["action"], event["address"]) for event in told(site) if event["actor"] == email] == [
        ("logged in", HERE),
        ("logged out", HERE),
    ]


def test_a_failed_login_is_written_down_beside_the_account_that_it_was_for(site: RunningSite) -> None:
    email = "guarded@example.org"
    site.make_account(email)
    with forgiving(site):
        Visitor(site).log_in(email.upper(), "not the password at all")
    assert written(site, email) == [("somebody", "login failed", HERE)]
    assert "not the password at all" not in site.log


@pytest.mark.parametrize("typed", ["nobody@example.org", "hunter2 is my password"])
def test_what_was_typed_is_kept_only_where_it_is_an_accounts_address(site: RunningSite, typed: str) -> None:
    before = len(written(site, "somebody"))
    with forgiving(site):
        Visitor(site).log_in(typed, "a password of theirs")
    assert written(site, "somebody")[before:] == [("somebody", "login failed", HERE)]
    for secret in (typed, "a password of theirs"):
        assert secret not in site.log
        with closing(sqlite3.connect(site.data / "vitrine.db", timeout=30)) as database:
            assert secret not in str(database.execute("SELECT * FROM audit_log").fetchall())


@pytest.mark.parametrize("page", ["/verify", "/account/password"])
def test_a_wrong_password_of_whoever_is_logged_in_is_written_down_too(site: RunningSite, page: str) -> None:
    email = f"left-open-at{page.replace('/', '-')}@example.org"
    visitor = make_visitor(site, email)
    with forgiving(site):
        new = {"new_password": NEW_PASSWORD, "new_password_confirm": NEW_PASSWORD}
        visitor.submit(page, {"password": "not the password at all", "submit": "1", **new})
    assert written(site, email)[-1] == ("somebody", "login failed", HERE)


def test_attempts_beyond_the_limit_are_not_written_down(site: RunningSite) -> None:
    email = "attacked@example.org"
    site.make_account(email)
    with forgiving(site):
        statuses = [Visitor(site).log_in(email, "wrong").status for _ in range(13)]
    assert statuses.count(429) == 3
    assert len(written(site, email)) == 10


def test_a_new_password_and_the_end_of_other_logins_are_written_down(site: RunningSite) -> None:
    email = "renews@example.org"
    visitor = make_visitor(site, email)
    fields = {"password": PASSWORD, "new_password": NEW_PASSWORD, "new_password_confirm": NEW_PASSWORD, "submit": "1"}
    visitor.submit("/account/password", fields)
    visitor.submit("/account/logins/end-others", page="/account")
    assert [action for _, action, _ in written(site, email)] == ["logged in", "password changed", "logged out"]
    assert NEW_PASSWORD not in site.log


def test_who_makes_the_first_account_and_who_asks_for_a_link_is_written_down(tmp_path: Path) -> None:
    email = "first@example.org"
    with RunningSite(tmp_path, workers="1", mail="console") as site:
        link = site.setup_link.removeprefix(site.url)
        root = Visitor(site)
        root.submit(link, {"email": email, "password": PASSWORD, "password_confirm": PASSWORD})
        page = root.submit("/people/invite", {"email": "ada@example.org"}, page="/people").body.decode()
        invitation = re.findall(r'id="key-text">http://[^/]+(/invitation/[^<]+)<', page)[0]
        Visitor(site).submit(invitation, {"password": PASSWORD, "password_confirm": PASSWORD})
        for typed in (email, "nobody@example.org"):
            Visitor(site).submit("/recover", {"email": typed})
        assert written(site, email) == [
            (email, "joined", HERE),
            (email, "logged in", HERE),
            ("somebody", "recovery asked", HERE),
        ]
        ada = "ada@example.org"
        assert written(site, ada) == [(email, "invited", HERE), (ada, "joined", HERE), (ada, "logged in", HERE)]
        assert written(site, "somebody") == [("somebody", "recovery asked", HERE)]
