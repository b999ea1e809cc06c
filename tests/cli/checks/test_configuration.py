"""Settings that contradict each other, have no effect, or are dangerous together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from app.cli.checks.configuration import agreement, letters
from app.cli.checks.finding import Level
from tests.cli.checks.looking import assert_well, look, only
from tests.factories import make_settings

HTTPS = {"public_url": "https://photos.example.org"}
TOGETHER: list[tuple[dict[str, Any], Level, str]] = [
    ({"plain_http": True, **HTTPS}, Level.WARNING, "VITRINE_PLAIN_HTTP has no effect"),
    ({"plain_http": True, "public_url": "http://photos.example.org"}, Level.WARNING, "anybody on the way reads them"),
    ({"public_url": "http://photos.example.org"}, Level.ERROR, "Nobody can log in at http://photos.example.org"),
    ({"host": "0.0.0.0"}, Level.WARNING, "The site listens on 0.0.0.0 under any numeric address"),
    ({"cors_origins": "https://a.example, http://b.example", **HTTPS}, Level.WARNING, "Pages of http://b.example may use"),
    ({"trusted_proxies": 1, "proxy_addresses": "::/0", **HTTPS}, Level.WARNING, "Everybody is believed to be a proxy"),
    ({"secret_key": "a", "secret_key_file": "/run/key"}, Level.WARNING, "VITRINE_SECRET_KEY_FILE has no effect"),
    ({"model_uploads": True}, Level.WARNING, "A password alone lets somebody import models"),
    ({"access": "guests", "visitor_limit": 0, **HTTPS}, Level.WARNING, "Strangers may send any number of pictures"),
    ({"login_days": 1, "idle_hours": 25}, Level.WARNING, "VITRINE_IDLE_HOURS has no effect"),
    ({"max_file_mb": 20.5, "max_request_mb": 20}, Level.WARNING, "Pages take pictures of 20 MB at most"),
]
AGREE: list[dict[str, Any]] = [
    {},
    HTTPS,
    {"plain_http": True},
    {"host": "0.0.0.0", **HTTPS},
    {"cors_origins": "https://a.example, http://127.0.0.1:3000", **HTTPS},
    {"proxy_addresses": "0.0.0.0/0", **HTTPS},
    {"trusted_proxies": 1, **HTTPS},
    {"model_uploads": True, "second_factor": "administrators"},
    {"access": "guests", "visitor_limit": 0},
    {"login_days": 1, "idle_hours": 24, "max_file_mb": 20, "max_request_mb": 20},
]


@pytest.mark.parametrize(("given", "level", "what"), TOGETHER)
def test_what_does_not_go_together_is_told(tmp_path: Path, given: dict[str, Any], level: Level, what: str) -> None:
    found = only(agreement, make_settings(tmp_path, **given))
    assert (found.level, what in found.what) == (level, True), found


@pytest.mark.parametrize("given", AGREE)
def test_what_goes_together_is_well(tmp_path: Path, given: dict[str, Any]) -> None:
    assert_well(agreement, make_settings(tmp_path, **given))


def test_several_things_are_told_each(tmp_path: Path) -> None:
    given = {"host": "::", "plain_http": True, "access": "guests", "visitor_limit": 0}
    assert len(look(agreement, make_settings(tmp_path, **given))) == 3


@pytest.mark.parametrize(
    ("given", "level", "what"),
    [
        ({"mail": "smtp://"}, Level.ERROR, "VITRINE_MAIL names no mail server"),
        ({"mail": "pigeon"}, Level.ERROR, "VITRINE_MAIL must be"),
        ({"mail_from": "a@example.org"}, Level.WARNING, "VITRINE_MAIL_FROM has no effect"),
        ({"mail": "console", **HTTPS}, Level.WARNING, "only printed"),
        ({"mail": "smtp://user:secret-word@mail.example.org"}, Level.WARNING, "Links in letters lead to http://127.0.0.1:8000"),
        ({"mail": "smtp://user:secret-word@mail.example.org", **HTTPS}, Level.GOOD, "Letters are sent"),
        ({"mail": "/var/spool/letters", **HTTPS}, Level.GOOD, "Letters are sent"),
        ({"mail": "console"}, Level.GOOD, "Letters are sent"),
        ({}, Level.GOOD, "No letters are sent"),
    ],
)
def test_letters_go_somewhere_and_lead_somewhere(tmp_path: Path, given: dict[str, Any], level: Level, what: str) -> None:
    found = only(letters, make_settings(tmp_path, **given))
    assert (found.level, what in found.what) == (level, True), found
    assert "secret-word" not in found.what + found.mend
