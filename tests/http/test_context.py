"""What a request may ask for: the services, whoever asks, and the name that it bears in the log."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask import Flask, session
from flask_login import login_user
from sqlalchemy.orm import Session

from app.composition import Services
from app.factory import create_app
from app.http import context
from app.services.recorder import Owner
from app.storage.tables import User
from tests.factories import make_services
from tests.serving import EMAIL, PASSWORD


@pytest.fixture
def made(tmp_path: Path) -> Services:
    return make_services(tmp_path, models=tmp_path / "shipped")


@pytest.fixture
def app(made: Services) -> Flask:
    return create_app(made.settings)


def user(made: Services) -> User:
    """Give an account as the login finds it."""
    number = made.accounts.create(EMAIL, PASSWORD)
    with Session(made.engine, expire_on_commit=False) as opened:
        found = opened.get(User, number)
        assert found is not None
        assert found.roles == []
        return found


def test_every_request_finds_the_services_of_its_own_application(app: Flask, tmp_path: Path) -> None:
    other = make_services(tmp_path / "other")
    context.attach(second := Flask("second"), other)
    with app.test_request_context():
        assert context.services() is app.extensions["vitrine"] is not other
        with second.test_request_context():
            assert context.services() is other
        assert context.services() is app.extensions["vitrine"]


def test_nobody_is_logged_in_by_coming(app: Flask) -> None:
    with app.test_request_context():
        assert context.visitor() is None


def test_what_an_account_predicts_is_its_own(app: Flask, made: Services) -> None:
    ada = user(made)
    with app.test_request_context():
        login_user(ada)
        visitor = context.visitor()
        assert visitor is not None
        assert (visitor.id, visitor.email) == (ada.id, EMAIL)
        assert context.page_owner() == Owner(account=ada.id)
        assert "guest" not in session


def test_a_guest_is_one_owner_for_as_long_as_the_session_lasts(app: Flask) -> None:
    with app.test_request_context():
        owner = context.page_owner()
        assert context.page_owner() == owner
        assert owner.account is None
        assert re.fullmatch("[0-9a-f]{32}", str(owner.guest))
        remembered = session["guest"]
    with app.test_request_context():
        session["guest"] = remembered
        assert context.page_owner() == owner
    with app.test_request_context():
        assert context.page_owner() != owner


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        ("application/json", True),
        ("application/json, text/plain;q=0.5", True),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", False),
        ("text/html, application/json;q=0.9", False),
        ("*/*", False),
        ("", False),
    ],
)
def test_json_is_given_to_whoever_likes_it_best(app: Flask, accept: str, wanted: bool) -> None:
    with app.test_request_context(headers={"Accept": accept}):
        assert context.wants_json() is wanted


def test_a_request_bears_one_identifier_of_our_own_making(app: Flask) -> None:
    app.add_url_rule("/identifier", view_func=context.request_id)
    seen = set()
    for _ in range(3):
        answer = app.test_client().get("/identifier", headers={"X-Request-Id": "forged"})
        assert answer.headers.getlist("X-Request-Id") == [answer.text]
        seen.add(answer.text)
    assert len(seen) == 3
    assert all(re.fullmatch("[0-9a-f]{16}", identifier) for identifier in seen)
