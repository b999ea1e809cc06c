"""What can be asked: the list of models, and what becomes of a name that is not on it."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask.testing import FlaskClient

from app.composition import Services
from app.factory import create_app
from tests.api.asking import ask, assert_problem, make_key
from tests.factories import EIGHT, make_picture, make_settings, publish
from tests.serving import RunningSite

MODELS = "/api/v1/models"
LIGHT = make_picture((250, 250, 250))


def test_the_bundled_models_are_listed_with_what_they_know(site: RunningSite) -> None:
    cats, digits = site.request("GET", MODELS, key=site.key).json["models"]
    assert (cats["name"], cats["active_version"], cats["versions"]) == ("cats-vs-dogs", "1", ["1"])
    assert (cats["labels"], cats["default"], digits["default"]) == (["cat", "dog"], True, False)
    assert (digits["name"], digits["labels"]) == ("digits", list("0123456789"))
    assert cats["expects"] != digits["expects"] != ""


def test_whatever_is_listed_can_be_asked(client: FlaskClient, services: Services, key: str) -> None:
    publish(services.repository, "shade")
    for model in ask(client, "GET", MODELS, key=key).json["models"]:
        for version in model["versions"]:
            answer = ask(client, "POST", f"{MODELS}/{model['name']}/versions/{version}/predict", LIGHT, key=key).json
            assert answer["model"] == {"name": model["name"], "version": version}
            assert sorted(p["label"] for p in answer["predictions"]) == sorted(model["labels"])


def test_a_new_version_is_listed_and_answers_once_it_is_activated(client: FlaskClient, services: Services, key: str) -> None:
    publish(services.repository, "shade", expects="Brighter light.")
    listed = ask(client, "GET", MODELS, key=key).json["models"][0]
    assert (listed["active_version"], listed["versions"], listed["expects"]) == ("1", ["1", "2"], "Anything with a shade.")
    services.repository.activate("shade", "2")
    listed = ask(client, "GET", MODELS, key=key).json["models"][0]
    assert (listed["active_version"], listed["expects"]) == ("2", "Brighter light.")


def test_one_of_several_models_must_be_named(client: FlaskClient, key: str) -> None:
    assert not any(model["default"] for model in ask(client, "GET", MODELS, key=key).json["models"])
    reply = ask(client, "POST", "/api/v1/predict", LIGHT, key=key)
    assert_problem(reply, 409, "model_required")
    assert reply.json["detail"] == "Name one of the models: shade, tint."
    assert ask(client, "POST", f"{MODELS}/tint/predict", LIGHT, key=key).json["label"] == "light"


def test_the_model_of_the_setting_answers_where_none_is_named(tmp_path: Path, services: Services, key: str) -> None:
    chosen = make_settings(tmp_path, models=tmp_path / "shipped", default_model="tint")
    client = create_app(chosen).test_client()
    listed = ask(client, "GET", MODELS, key=key).json["models"]
    assert {model["name"]: model["default"] for model in listed} == {"shade": False, "tint": True}
    assert ask(client, "POST", "/api/v1/predict", LIGHT, key=key).json["model"]["name"] == "tint"


def test_without_any_model_the_list_is_empty_and_nothing_answers(tmp_path: Path, services: Services, key: str) -> None:
    (tmp_path / "data" / "models").rename(tmp_path / "away")
    client = create_app(services.settings).test_client()
    assert ask(client, "GET", MODELS, key=key).json == {"models": []}
    assert_problem(ask(client, "POST", "/api/v1/predict", LIGHT, key=key), 404, "model_not_found")


def test_a_model_whose_manifest_is_damaged_does_not_hide_the_others(tmp_path: Path, client: FlaskClient, key: str) -> None:
    (tmp_path / "data" / "models" / "shade" / "1" / "manifest.json").write_text("{")
    assert [model["name"] for model in ask(client, "GET", MODELS, key=key).json["models"]] == ["tint"]


def test_the_list_takes_no_query(site: RunningSite) -> None:
    assert_problem(site.request("GET", f"{MODELS}?page=2", key=site.key), 400, "invalid_request")


def test_a_key_for_lists_may_list(client: FlaskClient, services: Services) -> None:
    assert ask(client, "GET", MODELS, key=make_key(services, scopes=("models:read",))).status == 200


@pytest.mark.parametrize(
    "name",
    [
        *("%2e%2e", "digits%00", "Digits", "digits%20", "backbones", ".lock", "a" * 3000, "%F0%9F%90%B1"),
        *(f"digits/versions/{version}" for version in ("01", "-1", "%2e%2e", "%D9%A1", "1%00")),
    ],
)
def test_a_name_that_could_lead_elsewhere_is_no_model(site: RunningSite, name: str) -> None:
    reply = site.predict(EIGHT.read_bytes(), f"{MODELS}/{name}/predict")
    assert_problem(reply, 404, "model_not_found")
    assert str(site.data) not in reply.body.decode()
