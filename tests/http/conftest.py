"""A site that people reach over https, for everything that depends on it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.serving import RunningSite


@pytest.fixture(scope="session")
def https_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    """Give a running site whose public address is https; a proxy would stand in front of it."""
    with RunningSite(tmp_path_factory.mktemp("https"), public_url="https://photos.example.org", workers="1") as running:
        yield running
