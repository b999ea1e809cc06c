"""Who was refused is in the log, and what they typed is not."""

from __future__ import annotations

from typing import Any

import pytest

from tests.http.test_logs import told_of
from tests.serving import EMAIL, Reply, RunningSite
from tests.web.visiting import Visitor, forgiving, make_visitor


def refusal(site: RunningSite, reply: Reply) -> dict[str, Any]:
    """Give the one line that says so of a request that was refused."""
    (line,) = (line for line in told_of(site, reply) if line["event"] == "refused")
    assert line["address"] == "127.0.0.1"
    return line


def test_too_many_failures_are_told_as_a_refusal(site: RunningSite) -> None:
    with forgiving(site):
        visitor = Visitor(site)
        for _ in range(10):
            visitor.log_in(password="not this one either")
        line = refusal(site, visitor.log_in())
    assert (line["status"], line["code"]) == (429, "too_many_attempts")


@pytest.mark.parametrize(
    ("method", "path", "headers", "code"),
    [
        ("GET", "/api/v1/models", {}, "invalid_key"),
        ("POST", "/login", {}, "form_refused"),
        ("GET", "/login", {"Host": "elsewhere.example.org"}, "unknown_host"),
    ],
)
def test_a_refusal_is_told_with_its_code(site: RunningSite, method: str, path: str, headers: dict[str, str], code: str) -> None:
    line = refusal(site, site.request(method, path, headers=headers))
    assert (line["level"], line["code"], line["account"]) == ("warning", code, None)


def test_a_member_before_the_administrations_door_is_told(site: RunningSite) -> None:
    line = refusal(site, make_visitor(site).get("/people"))
    assert (line["status"], line["code"]) == (403, "forbidden")
    assert isinstance(line["account"], int)


def test_a_key_that_lacks_a_scope_is_told_by_its_public_part(site: RunningSite) -> None:
    made = site.run("keys", "create", "--user", EMAIL, "--name", "narrow", "--scope", "predict")
    key = made.stdout.strip()
    line = refusal(site, site.request("GET", "/api/v1/models", key=key))
    assert (line["code"], line["key"]) == ("missing_scope", key.split("_")[1])
    assert key not in site.log


def test_what_is_no_key_of_ours_is_not_written_down(site: RunningSite) -> None:
    line = refusal(site, site.request("GET", "/api/v1/models", key="a-password-in-the-wrong-place"))
    assert "key" not in line
    assert "wrong-place" not in site.log


def test_an_address_that_is_not_there_is_nobodys_attack(site: RunningSite) -> None:
    reply = site.request("GET", "/wp-login.php")
    assert [line["event"] for line in told_of(site, reply)] == ["request"]
