"""The document is valid, whole, and true of what the API really answers."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from flask.testing import FlaskClient
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from app import __version__
from app.composition import Services
from app.factory import create_app
from tests.api.asking import as_form, as_json, ask, assert_documented, make_key, send, services_of
from tests.factories import EIGHT, make_picture
from tests.serving import RunningSite

PREDICT = "/api/v1/predict"
WITH_MODEL = "/api/v1/models/{name}/predict"
WITH_VERSION = "/api/v1/models/{name}/versions/{version}/predict"
LIST = "/api/v1/models"


@pytest.fixture(scope="module")
def document(site: RunningSite) -> dict[str, Any]:
    found: dict[str, Any] = site.request("GET", "/api/v1/openapi.json").json
    return found


def test_the_document_is_valid_openapi_3_1(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1.")
    assert (document["info"]["title"], document["info"]["version"]) == ("Vitrine", __version__)
    OpenAPIV31SpecValidator(document).validate()


def test_every_route_of_the_api_is_in_it(document: dict[str, Any], client: FlaskClient) -> None:
    routes = {
        (rule.rule.replace("<", "{").replace(">", "}"), method.lower())
        for rule in client.application.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.rule.startswith("/api/v1/") and not rule.rule.endswith("/openapi.json")
    }
    assert routes == {(path, method) for path, operations in document["paths"].items() for method in operations}


def test_every_operation_has_a_name_a_sentence_and_asks_for_a_key(document: dict[str, Any]) -> None:
    operations = [operation for methods in document["paths"].values() for operation in methods.values()]
    names = [operation["operationId"] for operation in operations]
    assert sorted(names) == [
        "activate_version",
        "begin_shadow",
        "end_shadow",
        "list_deeds",
        "list_models",
        "list_people",
        "list_predictions",
        "predict",
        "predict_with_model",
        "predict_with_version",
        "roll_back_version",
        "show_prediction",
        "show_shadow",
    ]
    assert all(operation["summary"].endswith(".") and operation["security"] == [{"key": []}] for operation in operations)
    scheme = document["components"]["securitySchemes"]["key"]
    assert (scheme["type"], scheme["scheme"]) == ("http", "bearer")


def test_every_model_says_that_it_holds_nothing_else(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    assert {"PredictBody", "PredictionAnswer", "ModelList", "ProblemDetails"} <= schemas.keys()
    assert [name for name, schema in schemas.items() if schema["additionalProperties"] is not False] == []


def test_real_answers_are_as_documented(site: RunningSite, document: dict[str, Any]) -> None:
    photo = EIGHT.read_bytes()
    for template in (PREDICT, WITH_MODEL, WITH_VERSION):
        reply = site.predict(photo, template.format(name="digits", version="1") + "?top_k=2")
        assert reply.status == 200
        assert_documented(document, "post", template, reply)
    reply = site.request("GET", LIST, key=site.key)
    assert reply.status == 200
    assert_documented(document, "get", LIST, reply)


def test_real_refusals_are_as_documented(site: RunningSite, document: dict[str, Any]) -> None:
    photo = EIGHT.read_bytes()
    replies = [
        site.predict(photo, "/api/v1/models/digits/predict?top_k=0"),
        site.request("POST", "/api/v1/models/digits/predict", photo),
        site.request("POST", "/api/v1/models/digits/predict", photo, key=make_key(services_of(site), scopes=("models:read",))),
        site.predict(photo, "/api/v1/models/nothing/predict"),
        send(site, b"", {"Content-Length": "1000000000"}, "/api/v1/models/digits/predict"),
        site.predict(b"I am a cat.", "/api/v1/models/digits/predict"),
        site.predict(photo[:200], "/api/v1/models/digits/predict"),
    ]
    assert [reply.status for reply in replies] == [400, 401, 403, 404, 413, 415, 422]
    for reply in replies:
        assert_documented(document, "post", WITH_MODEL, reply)


def test_what_only_other_sites_answer_is_documented_too(document: dict[str, Any], services: Services, key: str) -> None:
    picture = make_picture()
    (services.settings.data / "models" / "tint" / "1" / "source.pkl").write_bytes(b"")
    client = create_app(services.settings).test_client()
    conflict = ask(client, "POST", PREDICT, picture, key=key)
    damaged = ask(client, "POST", "/api/v1/models/tint/predict", picture, key=key)
    assert (conflict.status, damaged.status) == (409, 503)
    assert_documented(document, "post", PREDICT, conflict)
    assert_documented(document, "post", WITH_MODEL, damaged)


def test_a_picture_may_come_in_each_documented_way(site: RunningSite, document: dict[str, Any]) -> None:
    photo = EIGHT.read_bytes()
    ways = {
        "multipart/form-data": as_form(("image", "8.png", photo)),
        "application/json": as_json({"image": base64.b64encode(photo).decode()}),
        "application/octet-stream": (photo, {"Content-Type": "application/octet-stream"}),
    }
    for template in (PREDICT, WITH_MODEL, WITH_VERSION):
        documented = document["paths"][template]["post"]["requestBody"]
        assert (documented["required"], documented["content"].keys()) == (True, ways.keys())
    for body, headers in ways.values():
        assert send(site, body, headers, "/api/v1/models/digits/predict").json["label"] == "8"


@pytest.mark.parametrize("body", [{}, {"image": ""}, {"image": 5}, {"image": "YQ==", "more": 1}])
def test_the_documented_body_is_no_wider_than_the_one_that_is_taken(document: dict[str, Any], body: dict[str, Any]) -> None:
    documented = OAS31Validator(document["components"]["schemas"]["PredictBody"])
    assert documented.is_valid({"image": "YQ=="})
    assert not documented.is_valid(body)
