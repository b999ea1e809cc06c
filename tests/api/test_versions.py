"""Which version answers, changed by an administrator's key and by no other, and each time written down."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from app.composition import Services
from app.services.audit_log import Actor
from tests.api.asking import assert_documented, assert_problem, make_key, services_of
from tests.factories import publish
from tests.serving import PASSWORD, Reply, RunningSite
from tests.web.visiting import Visitor

ROOT = "root@example.org"
SHADE = "/api/v1/models/shade/versions"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    """Give a site of two workers with an administrator."""
    with RunningSite(tmp_path_factory.mktemp("shop"), workers="2") as running:
        running.make_account(ROOT, PASSWORD, admin=True)
        yield running


@pytest.fixture
def here(shop: RunningSite) -> Iterator[Services]:
    """Give the services of that site, with a model of two versions, the first of which is active."""
    services = services_of(shop)
    for _ in range(2):
        publish(services.repository)
    yield services
    for version in services.repository.versions("shade"):
        if version != services.repository.active_version("shade"):
            services.repository.remove("shade", version)


@pytest.fixture
def key(here: Services) -> str:
    return make_key(here, ROOT, scopes=("models:write",))


def change(shop: RunningSite, key: str | None, version: str, deed: str, body: bytes | None = None) -> Reply:
    return shop.request("POST", f"{SHADE}/{version}/{deed}", body, key=key)


def two(here: Services) -> tuple[str, str]:
    """Give the active version and the one after it."""
    active = here.repository.active_version("shade")
    return active, next(version for version in here.repository.versions("shade") if version != active)


def test_a_version_is_activated_and_rolled_back_and_both_are_written_down(shop: RunningSite, here: Services, key: str) -> None:
    first, second = two(here)
    reply = change(shop, key, second, "activate")
    assert (reply.status, reply.headers["Cache-Control"]) == (200, "no-store")
    assert reply.json == {"name": "shade", "active_version": second, "recorded": True}
    assert here.repository.active_version("shade") == second
    assert change(shop, key, second, "rollback").json["active_version"] == first
    by = f"by key {'_'.join(key.split('_')[:2])}"
    back, forth = here.versions.deeds("shade")[:2]
    assert (back.actor, back.action, back.detail) == (ROOT, "rolled back", f"from version {second} to {first}, {by}")
    assert (forth.actor, forth.action, forth.detail) == (ROOT, "activated", f"version {second} in place of {first}, {by}")


def test_it_answers_as_documented(shop: RunningSite, here: Services, key: str) -> None:
    document = shop.request("GET", "/api/v1/openapi.json").json
    first, second = two(here)
    template = "/api/v1/models/{name}/versions/{version}"
    for deed, version in (("activate", second), ("rollback", second), ("activate", "99"), ("rollback", second)):
        reply = change(shop, key, version, deed)
        assert_documented(document, "post", f"{template}/{deed}", reply)
    assert here.repository.active_version("shade") == first


def test_what_is_not_there_and_what_is_not_active_stay_as_they_are(shop: RunningSite, here: Services, key: str) -> None:
    first, second = two(here)
    assert_problem(change(shop, key, "99", "activate"), 404, "model_not_found")
    assert_problem(shop.request("POST", "/api/v1/models/nothing/versions/1/rollback", key=key), 404, "model_not_found")
    assert_problem(change(shop, key, second, "rollback"), 400, "invalid_request")
    assert here.repository.active_version("shade") == first


@pytest.mark.parametrize("scopes", [("predict", "history:read", "models:read"), ("admin",)])
def test_a_key_without_the_scope_changes_nothing(shop: RunningSite, here: Services, scopes: tuple[str, ...]) -> None:
    first, second = two(here)
    for deed in ("activate", "rollback"):
        assert_problem(change(shop, make_key(here, ROOT, scopes=scopes), second, deed), 403, "missing_scope")
    assert here.repository.active_version("shade") == first


def test_a_cookie_changes_nothing(shop: RunningSite, here: Services) -> None:
    first, second = two(here)
    visitor = Visitor(shop)
    assert visitor.log_in(ROOT).status == 302
    token = visitor.token_of("/account")
    for deed in ("activate", "rollback"):
        assert_problem(visitor.send(f"{SHADE}/{second}/{deed}", {"csrf_token": token}), 401, "invalid_key")
    assert here.repository.active_version("shade") == first


def test_the_key_of_a_former_administrator_changes_nothing(shop: RunningSite, here: Services) -> None:
    first, second = two(here)
    former = here.accounts.create(f"former-{second}@example.org", PASSWORD, admin=True)
    key = make_key(here, f"former-{second}@example.org", scopes=("models:write", "models:read"))
    here.people.demote(former, Actor(ROOT, here.accounts.number_of(ROOT)))
    assert_problem(change(shop, key, second, "activate"), 403, "missing_scope")
    assert shop.request("GET", "/api/v1/models", key=key).status == 200
    assert here.repository.active_version("shade") == first


@pytest.mark.parametrize(("query", "body"), [("?force=1", None), ("", b"{}"), ("", b'{"version": "1"}')])
def test_nothing_else_may_come_with_it(shop: RunningSite, here: Services, key: str, query: str, body: bytes | None) -> None:
    first, second = two(here)
    for deed in ("activate", "rollback"):
        reply = shop.request("POST", f"{SHADE}/{second}/{deed}{query}", body, key=key)
        assert_problem(reply, 400, "invalid_request")
    assert here.repository.active_version("shade") == first
