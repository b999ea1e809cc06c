"""One's own history by key: newest first, page by page, and nobody else's."""

from __future__ import annotations

from typing import Any

import pytest

from app.composition import Services
from app.services.recorder import Owner
from tests.api.asking import assert_documented, assert_problem, make_key, services_of
from tests.factories import EIGHT
from tests.serving import PASSWORD, Reply, RunningSite

HISTORY = "/api/v1/predictions"
READER = "reader-of-history@example.org"
DIGITS = "/api/v1/models/digits/predict"


@pytest.fixture(scope="module")
def here(site: RunningSite) -> Services:
    services = services_of(site)
    services.accounts.create(READER, PASSWORD)
    return services


@pytest.fixture(scope="module")
def made(site: RunningSite, here: Services) -> list[dict[str, Any]]:
    """Give what five pictures of a new account were answered, newest first."""
    key = make_key(here, READER)
    answers = [site.request("POST", DIGITS, EIGHT.read_bytes(), key=key).json for _ in range(5)]
    return answers[::-1]


@pytest.fixture(scope="module")
def key(here: Services) -> str:
    return make_key(here, READER, scopes=("history:read",))


def read(site: RunningSite, key: str, query: str = "") -> Reply:
    return site.request("GET", f"{HISTORY}{query}", key=key)


def identifiers(reply: Reply) -> list[str]:
    return [answer["id"] for answer in reply.json["predictions"]]


def test_the_history_is_listed_as_it_was_answered(site: RunningSite, made: list[dict[str, Any]], key: str) -> None:
    reply = read(site, key)
    assert (reply.status, reply.headers["Cache-Control"], reply.json["next"]) == (200, "no-store", None)
    assert identifiers(reply) == [answer["id"] for answer in made]
    for listed, answer in zip(reply.json["predictions"], made, strict=True):
        assert (listed["file_name"], listed["created_at"][-6:]) == (None, "+00:00")
        for name in ("label", "model", "image", "stored"):
            assert listed[name] == answer[name]
        for one, other in zip(listed["predictions"], answer["predictions"], strict=True):
            assert one["label"] == other["label"]
            assert one["probability"] == pytest.approx(other["probability"], abs=1e-9)


def test_it_is_paged_through_without_a_gap_or_a_repetition(site: RunningSite, made: list[dict[str, Any]], key: str) -> None:
    pages, query = [], "?limit=2"
    while True:
        reply = read(site, key, query)
        pages.append(identifiers(reply))
        if reply.json["next"] is None:
            break
        query = f"?limit=2&before={reply.json['next']}"
    assert [len(page) for page in pages] == [2, 2, 1]
    assert [name for page in pages for name in page] == [answer["id"] for answer in made]


def test_one_answer_is_what_the_list_has(site: RunningSite, made: list[dict[str, Any]], key: str) -> None:
    listed = read(site, key).json["predictions"][2]
    assert read(site, key, f"/{made[2]['id']}").json == listed


def test_another_persons_answers_are_not_there(site: RunningSite, here: Services, made: list[dict[str, Any]]) -> None:
    here.accounts.create("other-reader@example.org", PASSWORD)
    key = make_key(here, "other-reader@example.org", scopes=("history:read",))
    assert read(site, key).json == {"predictions": [], "next": None}
    assert_problem(read(site, key, f"/{made[0]['id']}"), 404, "prediction_not_found")
    assert_problem(read(site, key, "/nothing"), 404, "prediction_not_found")


def test_what_was_deleted_is_gone_and_leads_on_all_the_same(site: RunningSite, here: Services, key: str) -> None:
    predicting = make_key(here, READER)
    newest = site.request("POST", DIGITS, EIGHT.read_bytes(), key=predicting).json["id"]
    others = identifiers(read(site, key))[1:]
    here.history.delete(Owner(account=here.accounts.number_of(READER)), newest)
    assert identifiers(read(site, key, f"?before={newest}")) == identifiers(read(site, key)) == others


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=101", "limit=ten", "limit=", "before=yesterday", "before=", "page=2", "limit=2&limit=3", "Limit=2"],
)
def test_another_query_is_refused(site: RunningSite, key: str, query: str) -> None:
    reply = read(site, key, f"?{query}")
    assert_problem(reply, 400, "invalid_request")
    assert reply.json["detail"].startswith("The query may hold limit, from 1 to 100, and before,")


def test_one_answer_takes_no_query(site: RunningSite, made: list[dict[str, Any]], key: str) -> None:
    assert_problem(read(site, key, f"/{made[0]['id']}?top_k=1"), 400, "invalid_request")


def test_a_key_without_the_scope_reads_nothing(site: RunningSite, here: Services, made: list[dict[str, Any]]) -> None:
    usual = make_key(here, READER)
    for query in ("", f"/{made[0]['id']}"):
        assert_problem(read(site, usual, query), 403, "missing_scope")


def test_it_answers_as_documented(site: RunningSite, made: list[dict[str, Any]], key: str) -> None:
    document = site.request("GET", "/api/v1/openapi.json").json
    assert_documented(document, "get", HISTORY, read(site, key, "?limit=3"))
    for identifier in (made[0]["id"], "nothing"):
        assert_documented(document, "get", f"{HISTORY}/{{prediction_id}}", read(site, key, f"/{identifier}"))
    assert_documented(document, "get", HISTORY, read(site, key, "?limit=0"))
