"""The application factory: it builds without reaching out, and stops where it should not start."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, request

from app.config import TREE
from app.errors import InvalidSettings
from app.factory import create_app
from app.http.context import services
from tests.factories import make_settings

GIVEN = "kW3-vT9_qLx7ZbN2mRf8sYc4HdJ6gPa0"
FORWARDED = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "photos.example.org"}
# Everything that a process does outside itself passes an audit hook, which cannot be taken off again.
_WATCHED = """
import json, sys, threading
seen = []
watched = ("socket.", "sqlite3.", "subprocess.", "os.fork", "os.exec", "os.posix_spawn")
sys.addaudithook(lambda name, arguments: seen.append(name) if name.startswith(watched) else None)
from app import create_app
app = create_app()
print(json.dumps([sorted(set(seen)), threading.active_count(), sorted(path.name for path in DATA.iterdir())]))
"""


def watched_start(data: Path) -> Any:
    """Build the application in a fresh interpreter; give what it reached for, its threads, and the files it left."""
    program = f"from pathlib import Path\nDATA = Path({str(data)!r})\n{_WATCHED}"
    environment = {"PATH": "/usr/bin:/bin", "VITRINE_DATA": str(data)}
    made = subprocess.run(
        [sys.executable, "-c", program], cwd=TREE, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert made.returncode == 0, made.stderr
    return json.loads(made.stdout)


def seen_by(app: Flask) -> dict[str, str]:
    """Tell what an application makes of a request that claims to have come through a proxy."""
    app.add_url_rule(
        "/seen", view_func=lambda: {"from": str(request.remote_addr), "scheme": request.scheme, "host": request.host}
    )
    seen: dict[str, str] = app.test_client().get("/seen", headers=FORWARDED).get_json()
    return seen


def test_the_application_is_built_without_the_network_the_database_or_a_thread(tmp_path: Path) -> None:
    reached, threads, files = watched_start(tmp_path / "data")
    assert (reached, threads, files) == ([], 1, [".in-use", "secret_key"])


def test_settings_come_from_the_environment_where_none_are_given(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("VITRINE_DATA", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("VITRINE_MAX_REQUEST_MB", "2.5")
    app = create_app()
    with app.app_context():
        assert services().settings.data == tmp_path / "elsewhere"
    assert app.config["MAX_CONTENT_LENGTH"] == 2_500_000


def test_a_wrong_setting_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VITRINE_PORT", "none")
    with pytest.raises(InvalidSettings, match="VITRINE_PORT"):
        create_app()


def test_a_restart_keeps_the_key_that_signs_cookies(tmp_path: Path) -> None:
    first, again = create_app(make_settings(tmp_path)), create_app(make_settings(tmp_path))
    assert first.secret_key == again.secret_key
    assert len(str(first.secret_key)) >= 32
    assert create_app(make_settings(tmp_path / "another")).secret_key != first.secret_key


def test_a_given_key_signs_cookies(tmp_path: Path) -> None:
    assert create_app(make_settings(tmp_path, secret_key=GIVEN)).secret_key == GIVEN
    assert not (tmp_path / "data" / "secret_key").exists()


@pytest.mark.parametrize("weak", ["changeme", "short", "a" * 64, "please-change-me-0123456789-abcdef"])
def test_a_key_that_can_be_guessed_stops_the_start(tmp_path: Path, weak: str) -> None:
    with pytest.raises(InvalidSettings, match="VITRINE_SECRET_KEY"):
        create_app(make_settings(tmp_path, secret_key=weak))


def test_a_key_in_a_file_that_others_may_read_stops_the_start(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(GIVEN)
    file.chmod(0o644)
    with pytest.raises(InvalidSettings, match="chmod 600"):
        create_app(make_settings(tmp_path, secret_key_file=file))
    file.chmod(0o600)
    assert create_app(make_settings(tmp_path, secret_key_file=file)).secret_key == GIVEN


def test_a_forged_forwarded_header_changes_nothing(tmp_path: Path) -> None:
    seen = seen_by(create_app(make_settings(tmp_path)))
    assert seen == {"from": "127.0.0.1", "scheme": "http", "host": "localhost"}


def test_a_configured_proxy_tells_who_came_and_how(tmp_path: Path) -> None:
    seen = seen_by(create_app(make_settings(tmp_path, trusted_proxies=1, hosts="photos.example.org")))
    assert seen == {"from": "203.0.113.9", "scheme": "https", "host": "photos.example.org"}


def test_whoever_reaches_the_server_past_the_proxy_is_not_believed(tmp_path: Path) -> None:
    settings = make_settings(tmp_path, trusted_proxies=1, hosts="photos.example.org", proxy_addresses="10.0.0.0/8")
    assert seen_by(create_app(settings)) == {"from": "127.0.0.1", "scheme": "http", "host": "localhost"}


def test_a_proxy_too_few_in_the_header_is_not_believed(tmp_path: Path) -> None:
    seen = seen_by(create_app(make_settings(tmp_path, trusted_proxies=2)))
    assert seen == {"from": "127.0.0.1", "scheme": "http", "host": "localhost"}


def test_two_applications_in_one_process_share_nothing(tmp_path: Path) -> None:
    apps = [create_app(make_settings(tmp_path / name, access=name)) for name in ("private", "guests")]
    assert [app.test_client().get("/").status_code for app in apps] == [302, 200]


@pytest.mark.parametrize(("path", "kind"), [("/api/nothing", "application/problem+json"), ("/nothing", "text/html")])
def test_an_error_leaves_by_the_door_its_address_belongs_to(tmp_path: Path, path: str, kind: str) -> None:
    answer = create_app(make_settings(tmp_path)).test_client().get(path)
    assert (answer.status_code, answer.mimetype) == (404, kind)
    assert "There is nothing at this address." in answer.text


@pytest.mark.parametrize("path", ["/api/failing", "/failing"])
def test_a_fault_of_our_own_is_told_without_its_reason_at_every_door(tmp_path: Path, path: str) -> None:
    app = create_app(make_settings(tmp_path))

    def fail() -> str:
        raise RuntimeError("SELECT secret FROM users")

    app.add_url_rule(path, view_func=fail)
    answer = app.test_client().get(path)
    assert answer.status_code == 500
    assert "Something went wrong on our side; it has been written down." in answer.text
    assert "secret" not in answer.text
    assert answer.headers["X-Request-Id"] in answer.text


def test_without_any_model_the_site_starts_and_says_that_it_is_not_ready(tmp_path: Path) -> None:
    client = create_app(make_settings(tmp_path, models=tmp_path / "none")).test_client()
    assert client.get("/livez").status_code == 200
    assert "No model is served here yet." in client.get("/readyz").get_json()["problems"]


def test_a_request_larger_than_the_setting_is_not_read(tmp_path: Path) -> None:
    client = create_app(make_settings(tmp_path, max_request_mb=0.1)).test_client()
    answer = client.post("/login", data={"email": "a" * 200_000})
    assert answer.status_code == 413
