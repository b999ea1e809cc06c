"""Waitress, as docs/deploy.md has it, and as IIS would start it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.deploy.servers import ServerSite, WaitressSite
from tests.deploy.visits import assert_believes_the_proxy, assert_classifies, assert_counts
from tests.serving import TREE


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WaitressSite]:
    with WaitressSite(tmp_path_factory.mktemp("waitress"), trusted_proxies="1") as running:
        yield running


def test_a_photo_is_classified(site: WaitressSite) -> None:
    assert_classifies(site)


def test_prometheus_is_told_of_every_process(site: WaitressSite) -> None:
    assert_counts(site)


def test_the_visitors_address_comes_from_the_proxy(site: WaitressSite) -> None:
    assert_believes_the_proxy(site)


class IisSite(ServerSite):
    """What IIS would start, with its variables in place."""

    @property
    def platform(self) -> ElementTree.Element:
        found = ElementTree.parse(TREE / "deploy" / "iis" / "web.config").find("system.webServer/httpPlatform")
        assert found is not None
        return found

    @property
    def script(self) -> str:
        """The command of web.config."""
        given = self.platform.attrib
        assert Path(given["processPath"].replace("\\", "/")).name == "waitress-serve.exe"
        words = given["arguments"].replace("%HTTP_PLATFORM_PORT%", str(self.port))
        return f"python -m app.cli prepare\nexec python -m waitress {shlex.join(words.split())}"

    @property
    def environment(self) -> dict[str, str]:
        """The variables of web.config, but for the folder on drive C."""
        variables = {found.attrib["name"]: found.attrib["value"] for found in self.platform.iter("environmentVariable")}
        assert variables.pop("VITRINE_DATA").startswith("C:\\")
        return {**super().environment, **variables}


def test_what_iis_would_start_classifies_a_photo(tmp_path: Path) -> None:
    with IisSite(tmp_path, "Waitress, and IIS", {}) as site:
        assert_classifies(site)
        assert_believes_the_proxy(site)
