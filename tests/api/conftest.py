"""A small site in this process, for what the bundled models cannot show."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask.testing import FlaskClient

from app.composition import Services
from app.factory import create_app
from tests.api.asking import make_key
from tests.factories import make_services, publish
from tests.serving import EMAIL, PASSWORD


@pytest.fixture
def services(tmp_path: Path) -> Services:
    """Give the services of a site with two small models, none of which is the default, and one account."""
    made = make_services(tmp_path, models=tmp_path / "shipped")
    for name in ("shade", "tint"):
        publish(made.repository, name, expects=f"Anything with a {name}.")
    made.accounts.create(EMAIL, PASSWORD)
    return made


@pytest.fixture
def key(services: Services) -> str:
    """Give a key of that account."""
    return make_key(services)


@pytest.fixture
def client(services: Services) -> FlaskClient:
    """Give a client of that site."""
    return create_app(services.settings).test_client()
