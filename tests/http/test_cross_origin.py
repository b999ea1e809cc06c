"""What scripts on other sites' pages may do: nothing, unless their origin is listed; and then use the API, without cookies."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.composition import Services
from app.errors import DatabaseUnavailable
from app.factory import create_app
from app.services.accounts.api_keys import ApiKeys
from tests.factories import make_picture, make_services, make_settings, publish
from tests.serving import EMAIL, PASSWORD

ORIGIN, OTHER = "https://app.example.org", "https://evil.example"
LISTED = f"{ORIGIN}, http://127.0.0.1:3000,http://[::1]:3000"
PREFLIGHT = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}


def make_app(folder: Path, **given: Any) -> Flask:
    return create_app(make_settings(folder, **{"cors_origins": LISTED, **given}))


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> FlaskClient:
    return make_app(tmp_path_factory.mktemp("site")).test_client()


@pytest.fixture
def services(tmp_path: Path) -> Services:
    made = make_services(tmp_path, models=tmp_path / "shipped", cors_origins=ORIGIN, key_limit=2, max_file_mb=0.001)
    publish(made.repository)
    return made


def told(answer: TestResponse) -> dict[str, str]:
    """Give what an answer says to browsers about other origins."""
    return {name: value for name, value in answer.headers.items() if name.startswith("Access-Control-")}


def asked(client: FlaskClient, path: str, origin: str = ORIGIN, method: str = "GET", **headers: str) -> TestResponse:
    return client.open(path, method=method, buffered=True, headers={"Origin": origin, **headers})


@pytest.mark.parametrize("origin", [*LISTED.replace(" ", "").split(","), "https://APP.example.org"])
def test_a_page_of_a_listed_origin_may_read_the_api(client: FlaskClient, origin: str) -> None:
    answer = asked(client, "/api/v1/openapi.json", origin)
    assert told(answer) == {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Expose-Headers": (
            "Idempotent-Replayed, RateLimit, RateLimit-Policy, Retry-After, Server-Timing, WWW-Authenticate, X-Request-Id"
        ),
    }
    assert "Origin" in answer.headers["Vary"]


@pytest.mark.parametrize(
    "origin",
    [
        *(OTHER, "http://app.example.org", "https://app.example.org:8443", "https://app.example.org.evil.example", "null", "*"),
        *("https://appxexample.org", "https://evil.example/https://app.example.org", "https://app.example.org\\.evil.example"),
        *("http://127.0.0.1", "http://127.0.0.1:30000", "http://1:3000", "https://sub.app.example.org"),
    ],
)
def test_a_page_of_any_other_may_not(client: FlaskClient, origin: str) -> None:
    for method in ("GET", "OPTIONS"):
        assert told(asked(client, "/api/v1/openapi.json", origin, method, **PREFLIGHT)) == {}


def test_a_browser_that_asks_first_is_answered_without_a_key_and_remembers_it(client: FlaskClient) -> None:
    for path in ("/api/v1/predict", "/api/v1/models/digits/versions/1/predict", "/api/v1/models/digits/versions/1/shadow"):
        answer = asked(client, path, method="OPTIONS", **PREFLIGHT)
        assert answer.status_code == 200
        allowed = told(answer)
        assert allowed["Access-Control-Allow-Origin"] == ORIGIN
        assert allowed["Access-Control-Allow-Headers"] == "authorization, content-type"
        assert allowed["Access-Control-Allow-Methods"] == "DELETE, GET, POST"
        assert allowed["Access-Control-Max-Age"] == "7200"


def test_a_header_that_the_api_does_not_read_is_not_allowed(client: FlaskClient) -> None:
    headers = {**PREFLIGHT, "Access-Control-Request-Headers": "idempotency-key,x-csrf-token,cookie"}
    assert (
        told(asked(client, "/api/v1/predict", method="OPTIONS", **headers))["Access-Control-Allow-Headers"] == "idempotency-key"
    )


@pytest.mark.parametrize("method", ["GET", "OPTIONS"])
@pytest.mark.parametrize("path", ["/api/v1/openapi.json", "/api/v1/predict"])
def test_cookies_and_the_visitors_own_network_are_never_allowed(client: FlaskClient, method: str, path: str) -> None:
    answer = asked(client, path, method=method, **PREFLIGHT, **{"Access-Control-Request-Private-Network": "true"})
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert "Access-Control-Allow-Credentials" not in answer.headers
    assert answer.headers["Access-Control-Allow-Private-Network"] == "false"
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize(
    "path", ["/", "/login", "/nothing", "/livez", "/readyz", "/static/app.css", "/apis", "/x/api/v1/models"]
)
def test_pages_say_nothing_to_other_origins(client: FlaskClient, path: str) -> None:
    for method in ("GET", "OPTIONS"):
        answer = asked(client, path, method=method, **PREFLIGHT)
        assert told(answer) == {}
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1/models", 401),
        ("GET", "/api/nothing", 404),
        ("PUT", "/api/v1/models", 405),
        ("GET", "/api/v1/openapi.json?", 421),
    ],
)
def test_refusals_can_be_read_as_well(client: FlaskClient, method: str, path: str, status: int) -> None:
    headers = {"Host": "elsewhere.example"} if status == 421 else {}
    answer = asked(client, path, method=method, **headers)
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")
    assert told(answer)["Access-Control-Allow-Origin"] == ORIGIN


def test_so_can_those_of_a_picture(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    account = services.accounts.create(EMAIL, PASSWORD)
    headers = {"Origin": ORIGIN, "Authorization": f"Bearer {services.api_keys.create(account, 'tests')}"}
    client = create_app(services.settings).test_client()

    def send(path: str = "/api/v1/predict", picture: bytes = b"none") -> tuple[int, bool, bool]:
        answer = client.post(path, data=picture, headers=headers)
        read = answer.headers.get("Access-Control-Allow-Origin") == ORIGIN
        return answer.status_code, read, "Retry-After" in answer.headers

    assert send(picture=bytes(5000)) == (413, True, False)
    assert send("/api/v1/models/none/predict", make_picture()) == (404, True, False)
    assert send(picture=make_picture()) == (429, True, True)

    for error, expected in ((RuntimeError("SELECT secret"), (500, True, False)), (DatabaseUnavailable(), (503, True, True))):
        monkeypatch.setattr(ApiKeys, "check", Mock(side_effect=error))
        assert send() == expected


def test_below_a_path_it_is_the_same(tmp_path: Path) -> None:
    client = make_app(tmp_path, public_url="http://127.0.0.1:8000/vitrine").test_client()
    assert told(asked(client, "/vitrine/api/v1/openapi.json"))["Access-Control-Allow-Origin"] == ORIGIN
    assert told(asked(client, "/vitrine/login")) == {}
    assert told(asked(client, "/api/v1/openapi.json")) == {}


def test_a_program_that_is_no_browser_is_told_nothing(client: FlaskClient) -> None:
    answer = client.get("/api/v1/openapi.json")
    assert told(answer) == {}


def test_where_no_origin_is_listed_nothing_is_told_and_nothing_is_hooked_in(tmp_path: Path) -> None:
    off, on = make_app(tmp_path, cors_origins=""), make_app(tmp_path)
    assert len(on.after_request_funcs[None]) == len(off.after_request_funcs[None]) + 1
    for method in ("GET", "OPTIONS"):
        assert told(asked(off.test_client(), "/api/v1/openapi.json", method=method, **PREFLIGHT)) == {}
