"""The public address and the proxies: as they are set, and as they answer."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import pytest

from app.cli.checks.address import online_address, public_address, running_site
from app.cli.checks.finding import Finding, Level
from tests.cli.checks.answering import CERTIFICATE, Said, answering
from tests.cli.checks.looking import look, only, wrong
from tests.factories import make_settings

HTTPS = {"public_url": "https://photos.example.org"}
READY = Said(body=json.dumps({"status": "ready", "problems": []}).encode())
ALIVE = Said(body=b'{"status":"alive"}')


def here(folder: Path, readiness: Said, login: Said | None = None, **given: Any) -> list[Finding]:
    """Give what is found where the site on this machine answers like this."""

    def say(path: str, headers: dict[str, str]) -> Said:
        if path == "/readyz":
            return readiness
        assert (path, headers["Host"], headers["X-Forwarded-Proto"]) == ("/login", "photos.example.org", "http")
        assert login is not None
        return login

    with answering(say) as server:
        return look(running_site, make_settings(folder, port=server.server_port, **given), online=True)


def there(folder: Path, alive: Said, login: Said, **given: Any) -> Finding:
    """Give what is found where the public address answers like this."""
    with answering(lambda path, _headers: alive if path == "/vitrine/livez" else login) as server:
        public_url = f"http://127.0.0.1:{server.server_port}/vitrine"
        return only(online_address, make_settings(folder, public_url=public_url, **given), online=True)


@pytest.mark.parametrize("given", [{}, {"public_url": "http://localhost"}, {**HTTPS, "trusted_proxies": 1}])
def test_an_address_that_goes_with_its_proxies_is_well(tmp_path: Path, given: dict[str, Any]) -> None:
    assert not [finding for finding in look(public_address, make_settings(tmp_path, **given)) if finding.mend]


@pytest.mark.parametrize(
    ("given", "mend"), [(HTTPS, "VITRINE_TRUSTED_PROXIES=1"), ({"trusted_proxies": 1}, "Set VITRINE_PUBLIC_URL")]
)
def test_one_without_the_other_is_told(tmp_path: Path, given: dict[str, Any], mend: str) -> None:
    found = wrong(public_address, make_settings(tmp_path, **given))
    assert (found.level, mend in found.mend) == (Level.WARNING, True)


def test_nobody_is_asked_unless_that_is_wanted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> socket.socket:
        raise AssertionError("somebody was asked")

    monkeypatch.setattr(socket, "create_connection", refuse)
    settings = make_settings(tmp_path, **HTTPS)
    assert "--online" in only(running_site, settings).what
    assert look(online_address, settings) == []


def test_a_site_that_does_not_run_is_told(tmp_path: Path) -> None:
    found = only(running_site, make_settings(tmp_path, port=1), online=True)
    assert (found.level, "No site answers at http://127.0.0.1:1 (" in found.what) == (Level.WARNING, True)


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"status": 1}', b'{"problems": 1}'])
def test_another_program_at_its_port_is_told(tmp_path: Path, body: bytes) -> None:
    (found,) = here(tmp_path, Said(body=body))
    assert (found.level, "is another program" in found.what) == (Level.ERROR, True)


def test_what_the_running_site_says_of_itself_is_told(tmp_path: Path) -> None:
    problems = json.dumps({"problems": ["digits: \x1b[31mgone.", "Answers are not stored."]}).encode()
    found = here(tmp_path, Said(503, problems))
    assert [finding.level for finding in found] == [Level.WARNING, Level.WARNING, Level.ERROR]
    assert "digits" in found[0].what
    assert "\x1b" not in found[0].what
    (found_ready,) = here(tmp_path, READY)
    assert found_ready.level is Level.GOOD


@pytest.mark.parametrize(
    ("trusted", "status", "level", "what"),
    [
        (1, 308, Level.GOOD, "heeds what proxies on this machine say"),
        (0, 200, Level.GOOD, "heeds no proxy"),
        (1, 200, Level.WARNING, "does not heed a proxy"),
        (0, 308, Level.WARNING, "though the settings name none"),
    ],
)
def test_whether_the_running_site_heeds_proxies_is_tried(
    tmp_path: Path, trusted: int, status: int, level: Level, what: str
) -> None:
    found = here(tmp_path, READY, Said(status), trusted_proxies=trusted, **HTTPS)[-1]
    assert (found.level, what in found.what) == (level, True), found


@pytest.mark.parametrize(
    ("alive", "login", "level", "what"),
    [
        (ALIVE, Said(), Level.GOOD, "leads here"),
        (Said(502, b"Bad Gateway"), Said(), Level.ERROR, "answers 502, and not as this site does"),
        (Said(body=b"Welcome to nginx!"), Said(), Level.ERROR, "answers 200, and not as this site does"),
        (ALIVE, Said(421), Level.ERROR, "does not know the name 127.0.0.1"),
    ],
)
def test_what_the_public_address_answers_is_judged(tmp_path: Path, alive: Said, login: Said, level: Level, what: str) -> None:
    found = there(tmp_path, alive, login)
    assert (found.level, what in found.what) == (level, True), found


def test_a_circle_is_told_as_one(tmp_path: Path) -> None:
    def say(path: str, headers: dict[str, str]) -> Said:
        return ALIVE if path == "/livez" else Said(308, b"", {"Location": f"http://{headers['Host']}/login"})

    with answering(say) as server:
        settings = make_settings(tmp_path, public_url=f"http://127.0.0.1:{server.server_port}")
        found = only(online_address, settings, online=True)
    assert (found.level, "X-Forwarded-Proto" in found.mend) == (Level.ERROR, True)


def test_a_public_address_that_nobody_answers_at_is_an_error(tmp_path: Path) -> None:
    found = only(online_address, make_settings(tmp_path, public_url="http://127.0.0.1:1"), online=True)
    assert (found.level, "does not answer (Connection refused)" in found.what) == (Level.ERROR, True)
    assert look(online_address, make_settings(tmp_path), online=True) == []


@pytest.mark.parametrize(
    ("headers", "level"), [({}, Level.WARNING), ({"Strict-Transport-Security": "max-age=31536000"}, Level.GOOD)]
)
def test_over_https_the_running_site_knows_it_or_is_told_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, headers: dict[str, str], level: Level
) -> None:
    with answering(lambda path, _headers: ALIVE if path == "/livez" else Said(headers=headers), tls=True) as server:
        settings = make_settings(tmp_path, public_url=f"https://localhost:{server.server_port}")
        untrusted = only(online_address, settings, online=True)
        assert (untrusted.level, "self-signed certificate" in untrusted.what) == (Level.ERROR, True)
        monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
        assert only(online_address, settings, online=True).level is level
