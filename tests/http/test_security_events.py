"""Who logged in, who failed to and who was refused is in the log, and what they typed is not."""

from __future__ import annotations

from typing import Any

import pytest

from tests.http.test_logs import told_of
from tests.serving import EMAIL, PASSWORD, Reply, RunningSite
from tests.web.visiting import Visitor, forgiving, make_visitor


def told(site: RunningSite, reply: Reply, event: str) -> dict[str, Any]:
    """Give the one line of that name that was written while a request was answered."""
    (line,) = (line for line in told_of(site, reply) if line["event"] == event)
    assert line["address"] == "127.0.0.1"
    return line


def test_a_login_tells_whose_it_is_and_how_it_was_proven(site: RunningSite) -> None:
    make_visitor(site)
    line = told(site, Visitor(site).log_in(), "logged_in")
    assert (line["level"], line["how"]) == ("info", ["password"])
    assert isinstance(line["account"], int)


def test_a_wrong_password_tells_whose_account_it_was_for_and_not_what_was_typed(site: RunningSite) -> None:
    account = told(site, (visitor := make_visitor(site)).submit("/logout", page="/account"), "logged_out")["account"]
    with forgiving(site):
        line = told(site, visitor.log_in(password="open sesame, please"), "login_failed")
    assert (line["level"], line["account"], line["how"]) == ("warning", account, ["password"])
    assert "open sesame" not in site.log


def test_an_unknown_name_is_told_without_it(site: RunningSite) -> None:
    with forgiving(site):
        line = told(site, Visitor(site).log_in("the-password-in-the-wrong-field@example.org"), "login_failed")
    assert (line["account"], line["how"]) == (None, ["password"])
    assert "wrong-field" not in site.log


def test_too_many_failures_are_told_as_a_refusal(site: RunningSite) -> None:
    with forgiving(site):
        visitor = Visitor(site)
        for _ in range(10):
            visitor.log_in(password="not this one either")
        line = told(site, visitor.log_in(), "refused")
    assert (line["status"], line["code"]) == (429, "too_many_attempts")


def test_a_changed_password_is_told(site: RunningSite) -> None:
    ada = make_visitor(site, "told@example.org")
    new = "quite another long phrase"
    fields = {"password": PASSWORD, "new_password": new, "new_password_confirm": new, "submit": "1"}
    line = told(site, ada.submit("/account/password", fields), "password_changed")
    assert isinstance(line["account"], int)
    assert new not in site.log


@pytest.mark.parametrize(
    ("method", "path", "headers", "code"),
    [
        ("GET", "/api/v1/models", {}, "invalid_key"),
        ("POST", "/login", {}, "form_refused"),
        ("GET", "/login", {"Host": "elsewhere.example.org"}, "unknown_host"),
    ],
)
def test_a_refusal_is_told_with_its_code(site: RunningSite, method: str, path: str, headers: dict[str, str], code: str) -> None:
    line = told(site, site.request(method, path, headers=headers), "refused")
    assert (line["level"], line["code"], line["account"]) == ("warning", code, None)


def test_a_member_before_the_administrations_door_is_told(site: RunningSite) -> None:
    line = told(site, make_visitor(site).get("/people"), "refused")
    assert (line["status"], line["code"]) == (403, "forbidden")
    assert isinstance(line["account"], int)


def test_a_key_that_lacks_a_scope_is_told_by_its_public_part(site: RunningSite) -> None:
    made = site.run("keys", "create", "--user", EMAIL, "--name", "narrow", "--scope", "predict")
    key = made.stdout.strip()
    line = told(site, site.request("GET", "/api/v1/models", key=key), "refused")
    assert (line["code"], line["key"]) == ("missing_scope", key.split("_")[1])
    assert key not in site.log


def test_what_is_no_key_of_ours_is_not_written_down(site: RunningSite) -> None:
    line = told(site, site.request("GET", "/api/v1/models", key="a-password-in-the-wrong-place"), "refused")
    assert "key" not in line
    assert "wrong-place" not in site.log


def test_an_address_that_is_not_there_is_nobodys_attack(site: RunningSite) -> None:
    reply = site.request("GET", "/wp-login.php")
    assert [line["event"] for line in told_of(site, reply)] == ["request"]
