"""Where the accounts library asks whether a login needs more: whatever door it comes by, the second step is asked for."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask, session
from passlib.totp import TOTP

from app.config import Settings
from app.factory import create_app
from app.http.context import services
from app.services.audit_log import Actor
from app.storage.tables import User
from tests.factories import make_services, make_settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return make_settings(tmp_path)


@pytest.fixture
def app(settings: Settings, tmp_path: Path) -> Flask:
    make_services(tmp_path).accounts.create("ada@example.org", "correct horse battery")
    return create_app(settings)


def enter(app: Flask, via: str, next_page: str | None, *, factor: bool = True) -> tuple[str | None, str | None]:
    """Come by a door at an address with a next page of its own; give where it leads, and what page is kept for later."""
    with app.test_request_context("/login?next=/from-the-address"):
        here = services()
        number = here.accounts.number_of("ada@example.org")
        actor = Actor("ada@example.org", number)
        if factor:
            offer = here.authenticators.offer(actor)
            here.authenticators.turn_on(actor, offer.sealed, TOTP(key=offer.secret).generate().token)
        with here.sessions() as database:
            user = database.get(User, number)
        plugins = app.extensions["security"].two_factor_plugins
        response = plugins.tf_enter(user, False, via, next_loc=next_page)
        assert ("half_login" in session) == (response is not None)
        return (None, None) if response is None else (response.location, session["half_login"]["next"])


@pytest.mark.parametrize("via", ["password", "oauth", "reset", "webauthn"])
def test_no_door_leads_around_it(app: Flask, via: str) -> None:
    assert enter(app, via, None)[0] == "/login/second-step"


def test_the_next_page_is_kept_from_wherever_it_was_told(app: Flask) -> None:
    assert enter(app, "password", "/login")[1] == "/from-the-address"
    assert enter(app, "oauth", "/history")[1] == "/history"
    assert enter(app, "oauth", None)[1] == ""
    assert enter(app, "oauth", "/" + "x" * 1000)[1] == ""


def test_whoever_has_none_goes_on(app: Flask) -> None:
    assert enter(app, "password", None, factor=False) == (None, None)
