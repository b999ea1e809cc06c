"""Under which names the site answers, and what it says under others."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from app.factory import create_app
from tests.factories import make_settings

PUBLIC = {"public_url": "https://photos.example.org", "hosts": "www.example.org,Old.Example.org"}
ELSEWHERE = [
    *("evil.example", "photos.example.org.evil.example", "evil-photos.example.org", "localhost.evil.example"),
    *("127.0.0.1.evil.example", "evil@localhost", "localhost@evil.example", "127.example.org", "[::1", "0x7f.1", ""),
]


def make_client(folder: Path, **given: Any) -> FlaskClient:
    return create_app(make_settings(folder, **given)).test_client()


def status(client: FlaskClient, host: str, path: str = "/login") -> int:
    return client.get(path, headers={"Host": host}).status_code


@pytest.mark.parametrize(
    "host",
    [
        *("photos.example.org", "PHOTOS.example.org", "photos.example.org:8443", "photos.example.org.", "www.example.org"),
        *("old.example.org", "localhost", "localhost:8000", "127.0.0.1", "127.9.9.9:80", "[::1]:8000"),
    ],
)
def test_it_answers_under_its_names_and_on_this_machine(tmp_path: Path, host: str) -> None:
    assert status(make_client(tmp_path, **PUBLIC), host) == 200


@pytest.mark.parametrize("host", [*ELSEWHERE, "192.0.2.7", "[2001:db8::1]", os.uname().nodename])
def test_it_does_not_answer_under_another(tmp_path: Path, host: str) -> None:
    assert status(make_client(tmp_path, **PUBLIC), host) in (400, 421)


@pytest.mark.parametrize("host", ["192.0.2.7:8000", "[2001:db8::1]:8000", "localhost", os.uname().nodename])
def test_without_a_public_address_any_numeric_one_does(tmp_path: Path, host: str) -> None:
    assert status(make_client(tmp_path), host) == 200


@pytest.mark.parametrize("host", ELSEWHERE)
def test_without_a_public_address_a_name_of_somebody_elses_does_not(tmp_path: Path, host: str) -> None:
    assert status(make_client(tmp_path), host) in (400, 421)


def test_each_door_says_what_is_wrong(tmp_path: Path) -> None:
    client = make_client(tmp_path, **PUBLIC)
    sentence = "This site is not served under that name; its operator may add it to VITRINE_HOSTS."
    page = client.get("/login", headers={"Host": "evil.example"})
    assert (page.status_code, page.mimetype, sentence in page.text) == (421, "text/html", True)
    problem = client.get("/api/v1/models", headers={"Host": "evil.example"})
    told = problem.get_json()
    assert (problem.status_code, told["code"], told["detail"]) == (421, "unknown_host", sentence)
    assert "evil.example" not in page.text + problem.text


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
def test_probes_may_ask_under_any_name(tmp_path: Path, path: str) -> None:
    assert status(make_client(tmp_path, **PUBLIC), "10.42.0.7:8000", path) != 421


@pytest.mark.parametrize("host", ["10.42.0.7:8000", "[fd00::7]:8000", "vitrine-7d9f:8000", "localhost"])
def test_prometheus_with_a_key_may_ask_under_any_name(tmp_path: Path, host: str) -> None:
    assert status(make_client(tmp_path, **PUBLIC), host, "/metrics") == 401


@pytest.mark.parametrize(("host", "answer"), [("10.42.0.7:8000", 200), ("www.example.org", 200), ("evil.example", 421)])
def test_without_a_key_only_under_a_number_or_a_name_of_ours(tmp_path: Path, host: str, answer: int) -> None:
    client = make_client(tmp_path, **PUBLIC, metrics="public")
    assert (status(client, host, "/metrics"), status(client, host, "/metrics/x")) == (
        answer,
        404 if host == "www.example.org" else 421,
    )


def proxied(
    folder: Path, scheme: str, method: str = "GET", path: str = "/login?next=/history", **given: Any
) -> tuple[int, str]:
    headers = {"Host": "photos.example.org", **({"X-Forwarded-Proto": scheme} if scheme else {})}
    answer = make_client(folder, **{**PUBLIC, "trusted_proxies": 1, **given}).open(path, method=method, headers=headers)
    return answer.status_code, answer.headers.get("Location", "")


def test_what_came_in_the_clear_is_shown_over_https(tmp_path: Path) -> None:
    assert proxied(tmp_path, "http") == (308, "https://photos.example.org/login?next=/history")


@pytest.mark.parametrize(
    ("scheme", "given"),
    [
        ("https", {}),
        ("", {}),
        ("http", {"trusted_proxies": 0}),
        ("http", {"proxy_addresses": "10.0.0.0/8"}),
        ("http", {"public_url": ""}),
    ],
)
def test_otherwise_nobody_is_sent_anywhere(tmp_path: Path, scheme: str, given: dict[str, Any]) -> None:
    assert proxied(tmp_path, scheme, **{"hosts": "photos.example.org", **given}) == (200, "")


def test_probes_and_forms_are_not_sent_anywhere(tmp_path: Path) -> None:
    assert proxied(tmp_path, "http", path="/livez") == (200, "")
    assert proxied(tmp_path, "http", path="/metrics") == (401, "")
    assert proxied(tmp_path, "http", "POST")[0] == 400
