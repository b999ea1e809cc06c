"""Sites to attack: one that needs a login, one that welcomes strangers, and one behind a proxy that speaks https."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.security.cast import Address, addresses
from tests.serving import RunningSite
from tests.web.visiting import forgiving

_NO_LIMITS = {"visitor_limit": "0", "key_limit": "0"}


@pytest.fixture(scope="session")
def fort_itself(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    folder = tmp_path_factory.mktemp("fort")
    with RunningSite(folder, workers="2", mail=str(folder / "letters"), model_uploads="on", **_NO_LIMITS) as running:
        yield running


@pytest.fixture
def fort(fort_itself: RunningSite) -> Iterator[RunningSite]:
    """Give a site that needs a login, and where everybody may fail to log in as often as a test likes."""
    with forgiving(fort_itself) as running:
        yield running


@pytest.fixture(scope="session")
def open_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    """Give a site that welcomes strangers."""
    with RunningSite(tmp_path_factory.mktemp("open"), workers="1", access="guests", **_NO_LIMITS) as running:
        yield running


@pytest.fixture(scope="session")
def proxied_itself(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    folder = tmp_path_factory.mktemp("proxied")
    settings = {"public_url": "https://photos.example.org", "trusted_proxies": "1", "mail": str(folder / "letters")}
    with RunningSite(folder, workers="1", **settings, **_NO_LIMITS) as running:
        yield running


@pytest.fixture
def proxied(proxied_itself: RunningSite) -> Iterator[RunningSite]:
    """Give a site whose public address is https, behind a proxy that it trusts: whoever asks is that proxy."""
    with forgiving(proxied_itself) as running:
        yield running


@pytest.fixture(scope="session")
def everywhere(tmp_path_factory: pytest.TempPathFactory) -> list[Address]:
    """Give every rule of a site, whoever added it."""
    found: list[Address] = addresses(Path(tmp_path_factory.mktemp("rules")))
    return found
