"""Whatever goes wrong, the API says it in one shape, and never more than it means to."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from app.composition import Services
from app.errors import DatabaseUnavailable, Overloaded, VitrineError
from app.factory import create_app
from tests.api.asking import ask, assert_problem
from tests.factories import make_picture
from tests.serving import RunningSite

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "FOO")


def failing(services: Services, error: Exception) -> FlaskClient:
    """Give a client of a site with one more address, at which the error happens."""
    app = create_app(services.settings)

    def fail() -> str:
        raise error

    app.add_url_rule("/api/v1/failing", view_func=fail)
    return app.test_client()


@pytest.mark.parametrize(
    "error", [RuntimeError("/srv/secret"), KeyError("secret"), OSError(28, "No space", "/srv/secret"), MemoryError("secret")]
)
def test_a_fault_of_our_own_is_told_without_its_reason(services: Services, error: Exception) -> None:
    reply = ask(failing(services, error), "GET", "/api/v1/failing")
    assert_problem(reply, 500, "internal_error")
    assert reply.json["detail"] == "Something went wrong on our side; it has been written down."
    assert b"secret" not in reply.body + str(reply.headers).encode()


@pytest.mark.parametrize("error", [Overloaded("Too much to do.", 4), DatabaseUnavailable("The database is away.")])
def test_a_passing_trouble_says_when_to_come_back(services: Services, error: VitrineError) -> None:
    reply = ask(failing(services, error), "GET", "/api/v1/failing")
    assert_problem(reply, 503, error.code)
    assert (reply.json["title"], reply.json["detail"]) == ("Service Unavailable", str(error))
    assert reply.headers["Retry-After"] == ("4" if isinstance(error, Overloaded) else "2")


def test_a_damaged_model_is_told_without_a_path(services: Services, key: str) -> None:
    (services.settings.data / "models" / "tint" / "1" / "source.pkl").write_bytes(b"damaged")
    client = create_app(services.settings).test_client()
    reply = ask(client, "POST", "/api/v1/models/tint/predict", make_picture(), key=key)
    assert_problem(reply, 503, "invalid_package")
    assert int(reply.headers["Retry-After"]) > 0
    assert str(services.settings.data) not in reply.body.decode()
    assert ask(client, "POST", "/api/v1/models/shade/predict", make_picture(), key=key).status == 200


def test_every_address_answers_a_method_it_lacks_with_those_it_has(client: FlaskClient) -> None:
    addresses: dict[str, set[str]] = {}
    for rule in client.application.url_map.iter_rules():
        if rule.rule.startswith("/api/"):  # an address may have a rule for each method
            addresses.setdefault(rule.rule, set()).update(rule.methods or set())
    assert len(addresses) == 13
    for address, has in addresses.items():
        for method in set(_METHODS) - has:
            reply = ask(client, method, address.replace("<", "").replace(">", ""))
            assert_problem(reply, 405, "method_not_allowed")
            assert set(reply.headers["Allow"].split(", ")) == has


@pytest.mark.parametrize(
    "path", ["/api/", "/api/v1", "/api/v2/predict", "/api/v1/predict/", "/api/v1/models/digits", "/api/v1/%ff", "/api/v1/a%0Ab"]
)
def test_an_address_that_is_not_there_is_a_problem_too(site: RunningSite, path: str) -> None:
    reply = site.request("GET", path, headers={"Accept": "text/html"})
    assert_problem(reply, 404, "not_found")
    assert reply.json["detail"] == "There is nothing at this address."


def test_letters_of_any_script_are_told_as_they_are(client: FlaskClient, key: str) -> None:
    reply = ask(client, "POST", "/api/v1/models/котёнок/predict", make_picture(), key=key)
    assert_problem(reply, 404, "model_not_found")
    assert "'котёнок'" in reply.json["detail"]


def test_every_problem_bears_another_identifier(client: FlaskClient) -> None:
    identifiers = {ask(client, "GET", "/api/v1/nothing").json["request_id"] for _ in range(5)}
    assert len(identifiers) == 5
