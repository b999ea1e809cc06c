"""Below a path under every server: handed the whole address, and mounted there by the server itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.deploy.apache import ApacheSite
from tests.deploy.nginx import NginxSite
from tests.deploy.servers import UwsgiSite, WaitressSite
from tests.deploy.visits import assert_classifies, assert_links_stay_inside
from tests.serving import RunningSite

PREFIX = "/vitrine"
ADDRESS = f"https://example.org{PREFIX}"


class MountedGunicornSite(RunningSite):
    """A site whose Gunicorn is told where it is mounted."""

    probe = f"{PREFIX}/readyz"

    @property
    def environment(self) -> dict[str, str]:
        """The environment, with the path as Gunicorn takes it."""
        return {**super().environment, "SCRIPT_NAME": PREFIX}


class MountedWaitressSite(WaitressSite):
    """A site that Waitress mounts."""

    probe = f"{PREFIX}/readyz"


class MountedUwsgiSite(UwsgiSite):
    """A site that uWSGI mounts."""

    probe = f"{PREFIX}/readyz"


class MountedApacheSite(ApacheSite):
    """A site that Apache mounts."""

    probe = f"{PREFIX}/readyz"


SITES: dict[str, Callable[[Path], RunningSite]] = {
    "waitress, handed it": lambda folder: WaitressSite(folder, public_url=ADDRESS),
    "uwsgi, handed it": lambda folder: UwsgiSite(folder, public_url=ADDRESS),
    "apache, handed it": lambda folder: ApacheSite(folder, public_url=ADDRESS),
    "behind nginx": lambda folder: NginxSite(folder, prefix=PREFIX, workers="1"),
    "mounted by gunicorn": lambda folder: MountedGunicornSite(folder, public_url=ADDRESS, workers="1"),
    "mounted by waitress": lambda folder: MountedWaitressSite(folder, mounted_at=PREFIX, public_url=ADDRESS),
    "mounted by uwsgi": lambda folder: MountedUwsgiSite(folder, mounted_at=PREFIX, public_url=ADDRESS),
    "mounted by apache": lambda folder: MountedApacheSite(folder, mounted_at=PREFIX, public_url=ADDRESS),
}


@pytest.mark.parametrize("make", SITES.values(), ids=SITES)
def test_a_photo_is_classified_and_every_link_stays_inside(make: Callable[[Path], RunningSite], tmp_path: Path) -> None:
    with make(tmp_path) as site:
        assert_classifies(site, PREFIX)
        assert_links_stay_inside(site, PREFIX)
