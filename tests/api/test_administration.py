"""The accounts and the audit log, for an administrator's key alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import delete

from app.composition import Services
from app.services.audit_log import Actor
from app.storage.tables import roles_of_users
from tests.api.asking import assert_documented, assert_problem, make_key, services_of
from tests.serving import PASSWORD, Reply, RunningSite
from tests.web.visiting import Visitor

ROOT = "root@example.org"
PEOPLE, DEEDS = "/api/v1/people", "/api/v1/audit-log"
NAMES = {PEOPLE: "people", DEEDS: "entries"}


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    """Give a site with an administrator, four accounts, and four deeds that are written down."""
    with RunningSite(tmp_path_factory.mktemp("office")) as running:
        running.make_account(ROOT, PASSWORD, admin=True)
        here = services_of(running)
        root = Actor(ROOT, here.accounts.number_of(ROOT))
        for number in range(4):
            here.people.disable(here.accounts.create(f"person{number}@example.org", PASSWORD), root)
        yield running


@pytest.fixture(scope="module")
def here(office: RunningSite) -> Services:
    return services_of(office)


@pytest.fixture(scope="module")
def key(here: Services) -> str:
    return make_key(here, ROOT, scopes=("admin",))


def read(office: RunningSite, key: str, path: str, query: str = "") -> Reply:
    return office.request("GET", f"{path}{query}", key=key)


def everything(office: RunningSite, key: str, path: str, limit: int) -> list[list[dict[str, Any]]]:
    """Give all pages of a list."""
    pages, query = [], f"?limit={limit}"
    while True:
        answer = read(office, key, path, query).json
        pages.append(answer[NAMES[path]])
        if answer["next"] is None:
            return pages
        query = f"?limit={limit}&before={answer['next']}"


def test_the_accounts_are_listed_with_what_they_may_do(office: RunningSite, key: str) -> None:
    reply = read(office, key, PEOPLE)
    assert (reply.status, reply.headers["Cache-Control"], reply.json["next"]) == (200, "no-store", None)
    *others, root = reply.json["people"]
    assert (root["email"], root["admin"], root["active"]) == (ROOT, True, True)
    assert [person["email"] for person in others] == [f"person{number}@example.org" for number in (3, 2, 1, 0)]
    assert {(person["admin"], person["active"], person["logged_in_at"]) for person in others} == {(False, False, None)}
    assert "password" not in reply.body.decode()


def test_the_deeds_are_listed_with_who_did_them(office: RunningSite, key: str) -> None:
    reply = read(office, key, DEEDS)
    assert (reply.status, reply.headers["Cache-Control"], reply.json["next"]) == (200, "no-store", None)
    newest = reply.json["entries"][0]
    assert (newest["actor"], newest["action"], newest["subject"]) == (ROOT, "disabled", "account:person3@example.org")
    assert [entry["action"] for entry in reply.json["entries"]] == ["disabled"] * 4 + ["made"]


@pytest.mark.parametrize("path", NAMES)
def test_a_list_is_paged_through_without_a_gap_or_a_repetition(office: RunningSite, key: str, path: str) -> None:
    (whole,) = everything(office, key, path, 100)
    pages = everything(office, key, path, 2)
    assert [len(page) for page in pages] == [2] * (len(whole) // 2) + [1] * (len(whole) % 2)
    assert [entry for page in pages for entry in page] == whole
    assert [entry["id"] for entry in whole] == sorted((entry["id"] for entry in whole), reverse=True)


@pytest.mark.parametrize("path", NAMES)
@pytest.mark.parametrize(
    "query", ["limit=0", "limit=101", "before=0", "before=1.5", "before=x", "before=99999999999", "q=ada", "limit=1&limit=2"]
)
def test_another_query_is_refused(office: RunningSite, key: str, path: str, query: str) -> None:
    reply = read(office, key, path, f"?{query}")
    assert_problem(reply, 400, "invalid_request")
    assert reply.json["detail"].startswith("The query may hold limit, from 1 to 100, and before, a whole number")


@pytest.mark.parametrize("path", NAMES)
def test_other_keys_and_cookies_read_nothing(office: RunningSite, here: Services, path: str) -> None:
    other = make_key(here, ROOT, scopes=("predict", "history:read", "models:read", "models:write"))
    assert_problem(read(office, other, path), 403, "missing_scope")
    visitor = Visitor(office)
    assert visitor.log_in(ROOT).status == 302
    assert_problem(visitor.get(path), 401, "invalid_key")


@pytest.mark.parametrize("path", NAMES)
def test_the_key_of_a_former_administrator_reads_nothing(office: RunningSite, here: Services, path: str) -> None:
    email = f"former{len(path)}@example.org"
    former = here.accounts.create(email, PASSWORD, admin=True)
    key = make_key(here, email, scopes=("admin",))
    with here.sessions.begin() as session:
        session.execute(delete(roles_of_users).where(roles_of_users.c.user_id == former))
    assert_problem(read(office, key, path), 403, "missing_scope")


@pytest.mark.parametrize("path", NAMES)
def test_it_answers_as_documented(office: RunningSite, key: str, path: str) -> None:
    document = office.request("GET", "/api/v1/openapi.json").json
    for query in ("?limit=1", "?limit=0"):
        assert_documented(document, "get", path, read(office, key, path, query))
