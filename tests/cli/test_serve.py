"""The start of the site: everything is prepared or refused in one line, and the way in is printed."""

from __future__ import annotations

import errno
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from app.cli.serve import greeting
from app.composition import Services
from app.inference.prediction import Prediction
from app.services.recorder import Owner, Recorder
from tests.cli.running import Ran, refusal_of
from tests.factories import make_prediction, make_services
from tests.serving import EMAIL, PASSWORD, RunningSite
from tests.waiting import wait_until

VISITOR = Owner(guest="visitor")
ADDRESS = "http://127.0.0.1:8000"


@pytest.fixture
def taken() -> Iterator[int]:
    """Give a port that somebody listens on."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        yield int(holder.getsockname()[1])


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the way to any network from this process."""

    def unreachable(*_: object) -> None:
        raise OSError(errno.ENETUNREACH, "Network is unreachable")

    monkeypatch.setattr(socket.socket, "connect", unreachable)


def refusal(site: RunningSite, *words: str) -> str:
    """Give the line by which a start is refused."""
    ran = site.run("serve", *words)
    return refusal_of(Ran(ran.returncode, ran.stdout, ran.stderr))


def store(services: Services, *predictions: Prediction) -> None:
    recorder = Recorder(engine=services.engine)
    for prediction in predictions:
        assert recorder.record(prediction, VISITOR, None)


def lines_for(folder: Path, **settings: Any) -> list[str]:
    """Give the lines that a site with these settings greets with, without the set-up link."""
    services = make_services(folder, **settings)
    services.accounts.create(EMAIL, PASSWORD)
    return greeting(services)


def test_a_site_starts_ends_and_starts_again_with_a_new_link_its_old_key_and_no_outdated_answers(tmp_path: Path) -> None:
    old, fresh = make_prediction(created_at=datetime.now(UTC) - timedelta(days=8)), make_prediction()
    with RunningSite(tmp_path, workers="1", keep_days="7") as site:
        assert site.log.splitlines()[0] == f"Vitrine is at {site.url}"
        first, key = site.setup_link, (site.data / "secret_key").read_bytes()
        assert site.request("GET", first.removeprefix(site.url)).status == 200
        assert site.data.stat().st_mode & 0o777 == 0o700
        assert site.stop(signal.SIGTERM) == 0
        services = make_services(tmp_path)
        store(services, old, fresh)
        site.start()
        assert [item.prediction.id for item in services.history.page(VISITOR, 1).items] == [fresh.id]
        assert site.setup_link.startswith(f"{site.url}/setup/")
        assert site.setup_link != first
        assert site.request("GET", first.removeprefix(site.url)).status == 404
        assert site.request("GET", site.setup_link.removeprefix(site.url)).status == 200
        assert (site.data / "secret_key").read_bytes() == key
        assert site.stop(signal.SIGINT) == 0


def test_nothing_is_imported_from_the_folder_that_it_is_called_in(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    for module in ("wsgi.py", "app/__init__.py", "flask.py", "gunicorn.conf.py"):
        (elsewhere / module).parent.mkdir(parents=True, exist_ok=True)
        (elsewhere / module).write_text("raise SystemExit('a stranger was imported')\n")
    site, log = RunningSite(tmp_path), tmp_path / "printed"
    with log.open("wb") as printed:
        vitrine = Path(sys.executable).with_name("vitrine")
        process = subprocess.Popen([vitrine, "serve"], cwd=elsewhere, env=site.environment, stdout=printed, stderr=printed)
    try:
        for _ in range(2):
            wait_until(lambda: answers(site) or process.poll() is not None)
            assert process.poll() is None, log.read_text()
            process.send_signal(signal.SIGHUP)
    finally:
        process.terminate()
        assert process.wait(30) == 0
    assert "a stranger was imported" not in log.read_text()


def answers(site: RunningSite) -> bool:
    """Tell whether a site answers."""
    try:
        return site.request("GET", "/livez").status == 200
    except OSError:
        return False


@pytest.mark.parametrize("words", [(), ("--port", "--host")])
def test_a_port_that_is_taken_is_told_with_the_way_out(tmp_path: Path, taken: int, words: tuple[str, ...]) -> None:
    given = {"--port": str(taken), "--host": "127.0.0.1"}
    # What stands on the line wins over the settings, which then name an address that this machine does not have.
    settings = {"port": "1", "host": "192.0.2.1"} if words else {"port": str(taken)}
    site = RunningSite(tmp_path, **settings)
    said = refusal(site, *(part for word in words for part in (word, given[word])))
    assert said.startswith(f"Port {taken} of 127.0.0.1 cannot be used (Address already in use): ")
    assert said.endswith(f"choose another with PORT={taken + 1}.")
    assert not site.data.exists()


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"port": "70000"}, "VITRINE_PORT: "),
        ({"secret_key": "short"}, "VITRINE_SECRET_KEY is too short"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_setting_that_cannot_be_used_stops_the_start_before_a_word_is_said(
    tmp_path: Path, settings: dict[str, str], sentence: str
) -> None:
    assert refusal(RunningSite(tmp_path, **settings)).startswith(sentence)


def test_a_site_for_this_machine_tells_its_address_and_the_link(tmp_path: Path) -> None:
    services = make_services(tmp_path, port=8123)
    known = services.accounts.setup_token()
    address, link = greeting(services)
    assert address == "Vitrine is at http://127.0.0.1:8123"
    assert link.startswith("Make the first account, once: http://127.0.0.1:8123/setup/")
    token = link.rpartition("/")[2]
    services.accounts.check_setup_token(token)
    assert token != known


def test_no_link_is_told_once_anybody_has_an_account(tmp_path: Path) -> None:
    assert lines_for(tmp_path) == [f"Vitrine is at {ADDRESS}"]


def test_a_public_address_is_told_as_it_is(tmp_path: Path) -> None:
    lines = lines_for(tmp_path, host="0.0.0.0", public_url="https://photos.example.org/")
    assert lines == ["Vitrine is at https://photos.example.org"]


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_a_site_for_the_network_tells_that_plain_http_can_be_read(tmp_path: Path, host: str, offline: None) -> None:
    here, network, warning = lines_for(tmp_path, host=host)
    assert here == f"Vitrine is at {ADDRESS}"
    assert network == f"On your network: http://{socket.gethostname()}:8000"
    assert "VITRINE_PUBLIC_URL" in warning
    assert "VITRINE_PLAIN_HTTP=yes" in warning


def test_whoever_allows_plain_http_is_not_warned(tmp_path: Path, offline: None) -> None:
    assert len(lines_for(tmp_path, host="0.0.0.0", plain_http=True)) == 2
