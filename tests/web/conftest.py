"""A visitor who is known, and a second site: everything is small, strangers are welcome, and one model is hostile."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.serving import RunningSite
from tests.web.hostile import publish_hostile
from tests.web.visiting import Visitor, make_visitor


@pytest.fixture(scope="module")
def ada(site: RunningSite) -> Visitor:
    """Give a visitor who is logged in."""
    return make_visitor(site)


@pytest.fixture(scope="session")
def small_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    """Give a site of low limits that guests may use."""
    folder = tmp_path_factory.mktemp("small")
    publish_hostile(folder / "data" / "models")
    # Every test is a guest from the same address, and together they send more than one visitor may in a minute.
    limits = {"max_request_mb": "1", "max_file_mb": "0.5", "keep_days": "1", "visitor_limit": "0"}
    with RunningSite(folder, access="guests", workers="1", **limits) as running:
        yield running


@pytest.fixture
def guest(small_site: RunningSite) -> Visitor:
    """Give a stranger with an empty history."""
    return Visitor(small_site)
