"""Shadows by key: an administrator's begins and ends them and reads how they agree, and no other does."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from app.composition import Services
from app.factory import create_app
from app.inference.pointer import Shadow
from app.services.shadow_answers import ShadowAnswer, ShadowAnswers
from tests.api.asking import ask, assert_documented, assert_problem, make_key
from tests.factories import make_services, publish
from tests.serving import PASSWORD

ROOT = "root@example.org"
TEMPLATE = "/api/v1/models/{name}/versions/{version}/shadow"
SECOND = "/api/v1/models/shade/versions/2/shadow"


@pytest.fixture
def services(tmp_path: Path) -> Services:
    """Give services over a model of three versions, the first active, and an administrator."""
    services = make_services(tmp_path, models=tmp_path / "shipped")
    for _ in range(3):
        publish(services.repository)
    services.accounts.create(ROOT, PASSWORD, admin=True)
    return services


@pytest.fixture
def client(services: Services) -> FlaskClient:
    return create_app(services.settings).test_client()


@pytest.fixture
def key(services: Services) -> str:
    return make_key(services, ROOT, scopes=("models:read", "models:write"))


@pytest.fixture
def document(client: FlaskClient) -> dict[str, Any]:
    found: dict[str, Any] = ask(client, "GET", "/api/v1/openapi.json").json
    return found


def test_a_shadow_is_begun_told_and_ended_and_both_are_written_down(client: FlaskClient, services: Services, key: str) -> None:
    reply = ask(client, "POST", f"{SECOND}?share=0.125", key=key)
    assert (reply.status, reply.headers["Cache-Control"]) == (200, "no-store")
    assert reply.json == {"name": "shade", "shadow": {"version": "2", "share": 0.125}, "recorded": True}
    assert services.shadows.state("shade") == Shadow("2", 0.125)
    assert ask(client, "GET", "/api/v1/models", key=key).json["models"][0]["shadow"] == {"version": "2", "share": 0.125}
    assert ask(client, "DELETE", SECOND, key=key).json == {"name": "shade", "shadow": None, "recorded": True}
    assert services.shadows.state("shade") is None
    assert ask(client, "GET", "/api/v1/models", key=key).json["models"][0]["shadow"] is None
    by = f"by key {'_'.join(key.split('_')[:2])}"
    ended, begun = services.versions.deeds("shade")
    assert (ended.actor, ended.action, ended.detail) == (ROOT, "shadow ended", f"version 2, {by}")
    assert (begun.actor, begun.action, begun.detail) == (
        ROOT,
        "shadow begun",
        f"version 2, on 12.5 % of the pictures, {by}",
    )


def test_without_a_share_it_is_every_picture(client: FlaskClient, services: Services, key: str) -> None:
    assert ask(client, "POST", SECOND, key=key).json["shadow"]["share"] == 1
    assert services.shadows.state("shade") == Shadow("2", 1.0)


def test_how_it_agrees_is_told_in_figures(client: FlaskClient, services: Services, key: str) -> None:
    both = ShadowAnswer("shade", "2", "1", None, "light", 0.75, datetime.now(UTC), "light", 0.5, 0.25, 8.0, 3)
    other = ShadowAnswer("shade", "2", "1", None, "light", 0.75, datetime.now(UTC), "dark", 0.5, 0.25, 8.0)
    ShadowAnswers(sessions=services.sessions).record([both, both, other])
    told = {
        "name": "shade",
        "version": "2",
        "active_version": "1",
        "share": None,
        "answered": 3,
        "same": 2,
        "failed": 0,
        "passed_over": 6,
        "mean_difference": 0.25,
        "mean_ms": 8.0,
        "differing": [{"active": "light", "shadow": "dark", "count": 1}],
    }
    assert ask(client, "GET", SECOND, key=key).json == told
    services.repository.begin_shadow("shade", "2", 0.5)
    assert ask(client, "GET", SECOND, key=key).json == {**told, "share": 0.5}


def test_it_answers_as_documented(client: FlaskClient, key: str, document: dict[str, Any]) -> None:
    asked = [("POST", SECOND), ("GET", SECOND), ("DELETE", SECOND), ("DELETE", SECOND)]
    asked += [(method, SECOND.replace("/2/", "/9/")) for method in ("GET", "POST")]
    replies = [ask(client, method, path, key=key) for method, path in asked]
    assert [reply.status for reply in replies] == [200, 200, 200, 400, 404, 404]
    for (method, _), reply in zip(asked, replies, strict=True):
        assert_documented(document, method.lower(), TEMPLATE, reply)
    (query,) = document["paths"][TEMPLATE]["post"]["parameters"][-1:]
    assert (query["name"], query["in"]) == ("share", "query")


@pytest.mark.parametrize("query", ["share=0", "share=1.01", "share=ten", "share=nan", "share=1&share=1", "share=1&more=1"])
def test_what_is_no_share_is_refused(client: FlaskClient, services: Services, key: str, query: str) -> None:
    reply = ask(client, "POST", f"{SECOND}?{query}", key=key)
    assert_problem(reply, 400, "invalid_request")
    assert reply.json["detail"] == "The query may hold share, more than 0 and at most 1, and nothing else."
    assert services.shadows.state("shade") is None


def test_nothing_else_may_come_with_it(client: FlaskClient, services: Services, key: str) -> None:
    for method, path, body in (("POST", SECOND, b"{}"), ("DELETE", SECOND, b"{}"), ("DELETE", f"{SECOND}?x=1", b"")):
        assert_problem(ask(client, method, path, body, key=key), 400, "invalid_request")
    assert_problem(ask(client, "GET", f"{SECOND}?x=1", key=key), 400, "invalid_request")
    assert services.shadows.state("shade") is None


def test_what_cannot_be_is_refused(client: FlaskClient, services: Services, key: str) -> None:
    assert_problem(ask(client, "POST", SECOND.replace("/2/", "/1/"), key=key), 400, "invalid_request")
    services.repository.begin_shadow("shade", "2", 1)
    assert_problem(ask(client, "DELETE", SECOND.replace("/2/", "/3/"), key=key), 400, "invalid_request")
    assert_problem(ask(client, "DELETE", "/api/v1/models/nothing/versions/1/shadow", key=key), 404, "model_not_found")
    assert services.shadows.state("shade") == Shadow("2", 1.0)


@pytest.mark.parametrize("scopes", [("predict", "history:read", "models:read"), ("admin",)])
def test_a_key_without_the_scope_neither_changes_nor_reads_it(
    client: FlaskClient, services: Services, scopes: tuple[str, ...]
) -> None:
    key = make_key(services, ROOT, scopes=scopes)
    for method in ("GET", "POST", "DELETE"):
        assert_problem(ask(client, method, SECOND, key=key), 403, "missing_scope")
    assert services.shadows.state("shade") is None
