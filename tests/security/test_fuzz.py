"""The OpenAPI document tells how the API answers: requests made from it, good and bad, meet documented answers alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.factories import make_picture
from tests.sampling import sampled, times
from tests.security.cast import key_for_nothing, key_of, person
from tests.serving import RunningSite

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
EXAMPLES = times(240, 24)
RAW = {"Content-Type": "application/octet-stream"}


@pytest.fixture(scope="module")
def document(fort_itself: RunningSite) -> dict[str, Any]:
    """Give the document as the site serves it."""
    read: dict[str, Any] = fort_itself.request("GET", "/api/v1/openapi.json").json
    return read


@pytest.fixture(scope="module")
def keys(fort_itself: RunningSite) -> dict[str, str]:
    """Give a key for everything and one for nothing."""
    person(fort_itself, "fuzz@example.org")
    return {"all": key_of(fort_itself, "fuzz@example.org"), "none": key_for_nothing(fort_itself, "fuzz@example.org")}


def operations(document: dict[str, Any]) -> Iterator[Any]:
    schema = schemathesis.openapi.from_dict(document)
    for found in schema.get_all_operations():
        assert isinstance(found, Ok), found
        yield found.ok()


@sampled
@pytest.mark.parametrize("mode", [schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE])
def test_every_answer_is_a_documented_one(
    fort_itself: RunningSite, document: dict[str, Any], keys: dict[str, str], mode: Any
) -> None:
    seen: Counter[str] = Counter()
    for operation in operations(document):
        strategy = operation.as_strategy(generation_mode=mode)

        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            derandomize=True,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=strategy)
        def ask(case: Any) -> None:
            for key in (keys["all"], ""):
                headers = {"Authorization": f"Bearer {key}"}
                response = case.call(base_url=fort_itself.url, headers=headers, timeout=60)
                seen[f"{case.method} {case.path} {response.status_code}"] += 1
                case.validate_response(response, checks=CHECKS)

        ask()
    print(dict(seen))
    assert sum(seen.values()) > EXAMPLES


def test_every_documented_refusal_can_be_met(fort_itself: RunningSite, document: dict[str, Any], keys: dict[str, str]) -> None:
    """But those that take a broken or a busy site: the tests of the API provoke them."""
    picture = make_picture()
    asked = {
        200: ("/api/v1/predict", picture, RAW, keys["all"]),
        400: ("/api/v1/predict?unknown=1", picture, RAW, keys["all"]),
        401: ("/api/v1/predict", picture, RAW, "x"),
        403: ("/api/v1/predict", picture, RAW, keys["none"]),
        404: ("/api/v1/models/no-such-model/predict", picture, RAW, keys["all"]),
        413: ("/api/v1/predict", b"\0" * 20_100_000, RAW, keys["all"]),
        414: (f"/api/v1/predict?top_k={'1' * 5000}", picture, RAW, keys["all"]),
        415: ("/api/v1/predict", b"no picture", RAW, keys["all"]),
        422: ("/api/v1/predict", picture[:-30], RAW, keys["all"]),
    }
    documented = {int(status) for status in document["paths"]["/api/v1/predict"]["post"]["responses"]}
    for status, (path, body, headers, key) in asked.items():
        reply = fort_itself.request("POST", path, body, headers, key=key)
        assert reply.status == status
        assert reply.headers["Content-Type"] == ("application/json" if status == 200 else "application/problem+json")
    assert documented == {*asked, 409, 429, 503}


def test_every_rule_of_the_api_is_in_the_document(document: dict[str, Any], everywhere: list[Any]) -> None:
    described = {
        f"{method.upper()} {path}"
        for path, methods in document["paths"].items()
        for method in methods
        if method != "parameters"
    }
    found = {
        f"{method} {address.rule.replace('<', '{').replace('>', '}')}"
        for address in everywhere
        if address.rule.startswith("/api/v1/") and address.rule != "/api/v1/openapi.json"
        for method in address.methods - {"HEAD", "OPTIONS"}
    }
    assert described == found
