"""Which version answers, changed by an administrator's key and by no other, and each time written down."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from app.composition import Services
from app.services.audit_log import Actor
from tests.api.asking import assert_documented, assert_problem, make_key, services_of
from tests.evidence import GREYS, publish_at
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
    assert reply.json == {"name": "shade", "active_version": second, "recorded": True, "replayed": 0, "flipped": 0}
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


LINE = "/api/v1/models/line/versions"


@pytest.fixture
def line(here: Services) -> list[str]:
    """Give versions of another model: the second differs from the first in no picture, the third in half of them."""
    return [publish_at(here.repository, at, GREYS, "line").manifest.version for at in (128, 130, 10)]


def test_what_flips_is_told_and_too_much_of_it_is_refused_until_it_is_confirmed(
    shop: RunningSite, here: Services, key: str, line: list[str]
) -> None:
    document = shop.request("GET", "/api/v1/openapi.json").json
    first, alike, other = line
    here.repository.activate("line", first)
    reply = shop.request("POST", f"{LINE}/{alike}/activate", key=key)
    assert (reply.json["active_version"], reply.json["replayed"], reply.json["flipped"]) == (alike, 4, 0)
    refused = [shop.request("POST", f"{LINE}/{other}/activate{query}", key=key) for query in ("", "?confirm_flips=false")]
    for reply in refused:
        assert_problem(reply, 409, "answers_flip")
        assert f"Version {other} answers 2 of 4 replayed pictures otherwise than version {alike}" in reply.json["detail"]
    assert here.repository.active_version("line") == alike
    confirmed = shop.request("POST", f"{LINE}/{other}/activate?confirm_flips=true", key=key)
    assert (confirmed.json["active_version"], confirmed.json["replayed"], confirmed.json["flipped"]) == (other, 4, 2)
    by = f"by key {'_'.join(key.split('_')[:2])}"
    told = f"version {other} in place of {alike}, 2 of 4 replayed pictures flipped, {by}"
    assert here.versions.deeds("line")[0].detail == told
    for reply in (*refused, confirmed):
        assert_documented(document, "post", "/api/v1/models/{name}/versions/{version}/activate", reply)
    back = shop.request("POST", f"{LINE}/{other}/rollback", key=key)
    assert (back.status, back.json["active_version"], back.json["replayed"]) == (200, alike, 0)


@pytest.mark.parametrize("query", ["?confirm_flips=", "?confirm_flips=maybe", "?confirm_flips=1&confirm_flips=1", "?yes=1"])
def test_a_confirmation_is_a_plain_yes_or_no(shop: RunningSite, here: Services, key: str, line: list[str], query: str) -> None:
    here.repository.activate("line", line[0])
    assert_problem(shop.request("POST", f"{LINE}/{line[1]}/activate{query}", key=key), 400, "invalid_request")
    assert here.repository.active_version("line") == line[0]
