"""What every test stands on: no setting of the desk it runs on, no way out of the machine, and real parts to use."""

from __future__ import annotations

import gc
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from playwright.sync_api import Browser, expect, sync_playwright

from app.http.signing import sign_with_sha_256
from tests.serving import RunningSite

# Debian's Chromium; without what draws windows where that is installed, for it takes less than half the time.
_WINDOWLESS = Path("/usr/bin/chromium-headless-shell")
CHROMIUM = str(_WINDOWLESS) if _WINDOWLESS.exists() else "/usr/bin/chromium"
# Root cannot use Chromium's sandbox; the rest keeps it from asking for the outside.
CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PETS = os.environ.get("PETS")

# Tests make cookies and tokens of their own, which are signed as the site's are.
sign_with_sha_256()

# How long a page or an example may take is no promise that a test on a busy machine could hold.
expect.set_options(timeout=30_000)
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")

for _name in [name for name in os.environ if name.startswith("VITRINE_") or name in ("HOST", "PORT")]:
    del os.environ[_name]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Collect the tests on the pet photos only where PETS names their folder, and say so where it does not."""
    if PETS is None:
        left_out = [item for item in items if item.get_closest_marker("pets")]
        if left_out:
            config.hook.pytest_deselected(items=left_out)
            items[:] = [item for item in items if item not in left_out]


def pytest_collection_finish() -> None:
    """Let Python's collector pass over the thousands of tests that lie in memory from now on: each look takes 0.3 s."""
    gc.collect()
    gc.freeze()


def pytest_report_header() -> str:
    """Say whether the tests on the pet photos are in."""
    return f"pet photos: {PETS}" if PETS else "pet photos: none (set PETS to a folder to test on them)"


@pytest.fixture(autouse=True)
def closed_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse every connection that would leave the machine."""
    connect = socket.socket.connect

    def only_here(self: socket.socket, address: object) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and isinstance(address, tuple):
            host = str(address[0])
            assert host.startswith("127.") or host in ("::1", "localhost"), f"a test tried to connect to {host}"
        connect(self, address)  # type: ignore[arg-type]

    monkeypatch.setattr(socket.socket, "connect", only_here)


@pytest.fixture(scope="session")
def pets() -> Path:
    """Give the folder of the pet photos."""
    assert PETS is not None
    return Path(PETS).resolve()


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    """Give a running site of its own to this test process: real Gunicorn, real SQLite, the bundled models."""
    with RunningSite(tmp_path_factory.mktemp("site")) as running:
        yield running


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Give Debian's Chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGUMENTS)
        yield browser
        browser.close()
