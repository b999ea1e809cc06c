"""Asking the API as a program does, on the real site or in this process, and what every refusal looks like."""

from __future__ import annotations

import json
from typing import Any

from flask.testing import FlaskClient
from openapi_schema_validator import OAS31Validator

from app.composition import Services, compose
from app.config import Settings
from tests.passwords import remembered
from tests.serving import EMAIL, Reply, RunningSite

_BOUNDARY = "vitrine-test"


def as_form(*parts: tuple[str, str, bytes]) -> tuple[bytes, dict[str, str]]:
    """Give a multipart body of files, and the header that goes with it."""
    return as_parts(*((f'name="{field}"; filename="{name}"', content) for field, name, content in parts))


def as_parts(*parts: tuple[str, bytes]) -> tuple[bytes, dict[str, str]]:
    """Give a multipart body of any parts, each with what its header says, and the header that goes with it."""
    body = b"".join(
        f"--{_BOUNDARY}\r\nContent-Disposition: form-data; {says}\r\n\r\n".encode() + content + b"\r\n"
        for says, content in parts
    )
    return body + f"--{_BOUNDARY}--\r\n".encode(), {"Content-Type": f"multipart/form-data; boundary={_BOUNDARY}"}


def as_json(value: Any) -> tuple[bytes, dict[str, str]]:
    """Give a JSON body, and the header that goes with it."""
    return json.dumps(value).encode(), {"Content-Type": "application/json"}


def send(site: RunningSite, body: bytes, headers: dict[str, str], path: str = "/api/v1/predict") -> Reply:
    """Send a body to the real site with the usual key."""
    return site.request("POST", path, body, headers, key=site.key)


def ask(client: FlaskClient, method: str, path: str, body: bytes = b"", *, key: str | None = None) -> Reply:
    """Send one request to an application in this process."""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    answer = client.open(path, method=method, data=body, headers=headers)
    return Reply(answer.status_code, dict(answer.headers), answer.data)


def services_of(site: RunningSite) -> Services:
    """Give the services over the data of a running site, as a command has them."""
    return compose(Settings(data=site.data, log_format="json"), passwords=remembered())


def make_key(here: Services, email: str = EMAIL, **given: Any) -> str:
    """Give a new key of an account."""
    return here.api_keys.create(here.accounts.number_of(email), "tests", **given)


def assert_problem(reply: Reply, status: int, code: str) -> None:
    assert (reply.status, reply.headers["Content-Type"]) == (status, "application/problem+json"), reply.body
    assert set(reply.json) == {"type", "title", "status", "detail", "code", "request_id"}
    assert (reply.json["status"], reply.json["code"]) == (status, code)
    assert reply.json["request_id"] == reply.headers["X-Request-Id"]


def assert_documented(document: dict[str, Any], method: str, path: str, reply: Reply) -> None:
    """Find the answer's status, media type and shape in the document."""
    documented = document["paths"][path][method]["responses"]
    assert str(reply.status) in documented, f"{method} {path} may not answer {reply.status}"
    ((media_type, content),) = documented[str(reply.status)]["content"].items()
    assert reply.headers["Content-Type"] == media_type
    OAS31Validator({**content["schema"], "components": document["components"]}).validate(reply.json)
