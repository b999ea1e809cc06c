"""Whom a key speaks for: sent in one place only, good for its scopes, and told nothing where it is no good."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from app.composition import Services
from app.errors import PredictionNotFound
from app.services.recorder import Owner
from app.storage.tables import ApiKey, User
from tests.api.asking import assert_problem, make_key, services_of
from tests.factories import EIGHT, make_services
from tests.serving import EMAIL, PASSWORD, Reply, RunningSite

MODELS = "/api/v1/models"
DIGITS = "/api/v1/models/digits/predict"


@pytest.fixture(scope="module")
def here(site: RunningSite) -> Services:
    assert site.key  # there is an account from now on
    return services_of(site)


@pytest.fixture(scope="module")
def eve(here: Services) -> int:
    """Give a second account of the site."""
    return here.accounts.create("eve-of-access@example.org", PASSWORD)


def list_models(site: RunningSite, authorization: str) -> Reply:
    return site.request("GET", MODELS, headers={"Authorization": authorization})


def change(here: Services, table: type[ApiKey] | type[User], number: str | int, **values: Any) -> None:
    with Session(here.engine) as session, session.begin():
        session.execute(update(table).where(table.id == number).values(**values))


def keys_that_were_good(here: Services, elsewhere: Services, eve: int) -> list[str]:
    """Give an expired key, a revoked one, one whose account is disabled, and one of another site."""
    expired, revoked, disabled = make_key(here), make_key(here), here.api_keys.create(eve, "tests")
    change(here, ApiKey, expired.split("_")[1], expires_at=datetime.now(UTC) - timedelta(seconds=1))
    assert here.api_keys.revoke(here.accounts.number_of(EMAIL), revoked.split("_")[1])
    change(here, User, eve, active=False)
    elsewhere.accounts.create(EMAIL, PASSWORD)
    return [expired, revoked, disabled, make_key(elsewhere)]


@pytest.mark.parametrize("kind", ["Bearer", "bearer", "BEARER"])
def test_a_key_is_a_bearer_token_in_any_case_of_the_word(site: RunningSite, here: Services, kind: str) -> None:
    assert list_models(site, f"{kind} {make_key(here)}").status == 200


def test_a_key_is_good_in_the_authorization_header_only(site: RunningSite) -> None:
    key = site.key
    elsewhere: list[tuple[str, dict[str, str]]] = [
        (f"?key={key}", {}),
        (f"?api_key={key}", {}),
        (f"?access_token={key}", {}),
        ("", {"X-API-Key": key}),
        ("", {"Authentication-Token": key}),
        ("", {"Cookie": f"vitrine={key}; key={key}; Authorization=Bearer {key}"}),
        ("", {"Authorization": key}),
        ("", {"Authorization": f"Token {key}"}),
        ("", {"Authorization": f"Basic {base64.b64encode(f'{key}:'.encode()).decode()}"}),
    ]
    for query, headers in elsewhere:
        assert_problem(site.request("GET", MODELS + query, headers=headers), 401, "invalid_key")
    body, form = f"access_token={key}".encode(), {"Content-Type": "application/x-www-form-urlencoded"}
    assert_problem(site.request("POST", DIGITS, body, form), 401, "invalid_key")


def test_expired_revoked_disabled_and_foreign_keys_look_the_same(
    site: RunningSite, here: Services, eve: int, tmp_path: Path
) -> None:
    told = set()
    for key in keys_that_were_good(here, make_services(tmp_path), eve):
        reply = list_models(site, f"Bearer {key}")
        assert_problem(reply, 401, "invalid_key")
        assert reply.headers["WWW-Authenticate"] == "Bearer"
        assert key.split("_")[2] not in reply.body.decode() + site.log
        told.add(reply.json["detail"])
    assert told == {"The API key is missing, unknown, expired or revoked."}


def test_without_a_key_nobody_learns_what_is_served(site: RunningSite) -> None:
    told = set()
    for path in (DIGITS, "/api/v1/models/nothing/predict", "/api/v1/models/digits/versions/9/predict", f"{DIGITS}?what=1"):
        reply = site.request("POST", path, b"no picture")
        assert_problem(reply, 401, "invalid_key")
        told.add(reply.json["detail"])
    assert told == {"Send an API key: Authorization: Bearer vtr_..."}


def test_a_key_that_may_predict_may_not_therefore_list_models(site: RunningSite, here: Services) -> None:
    key = make_key(here, scopes=("predict",))
    reply = site.request("GET", MODELS, key=key)
    assert_problem(reply, 403, "missing_scope")
    assert reply.json["detail"] == "This key does not have the scope 'models:read'."
    assert "WWW-Authenticate" not in reply.headers
    assert site.request("POST", DIGITS, EIGHT.read_bytes(), key=key).json["label"] == "8"


def test_an_answer_belongs_to_the_owner_of_the_key(site: RunningSite, here: Services) -> None:
    ada, bob = here.accounts.number_of(EMAIL), here.accounts.create("bob-of-access@example.org", PASSWORD)
    answer = site.request("POST", DIGITS, EIGHT.read_bytes(), key=here.api_keys.create(bob, "tests")).json
    item = here.history.get(Owner(account=bob), answer["id"])
    assert [score.label for score in item.prediction.scores] == [p["label"] for p in answer["predictions"]]
    with pytest.raises(PredictionNotFound):
        here.history.get(Owner(account=ada), answer["id"])
