"""The one table from errors to answers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import BadRequest, MethodNotAllowed, NotFound

from app.errors import InvalidSettings, Overloaded, StillRunning, TooManyAttempts, TooManyRequests, VitrineError
from app.http.errors import problem_of


def descendants(kind: type[VitrineError]) -> Iterator[type[VitrineError]]:
    for child in kind.__subclasses__():
        yield child
        yield from descendants(child)


# Settings are refused before there is a door.
KINDS = [kind for kind in descendants(VitrineError) if kind is not InvalidSettings]


def made(kind: type[VitrineError]) -> VitrineError:
    if issubclass(kind, TooManyRequests):
        return kind("A sentence.", 7, {"RateLimit": '"key";r=0;t=7'})
    return kind("A sentence.", 7) if issubclass(kind, Overloaded | StillRunning | TooManyAttempts) else kind("A sentence.")


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_refusal_has_a_status_of_its_own_choosing(kind: type[VitrineError]) -> None:
    problem = problem_of(made(kind))
    assert 400 <= problem.status <= 503
    assert problem.status != 500, f"{kind.__name__} is not in the table"
    assert (problem.detail, problem.code) == ("A sentence.", kind.code)
    assert ("Retry-After" in problem.headers) == (problem.status in (429, 503) or kind is StillRunning)
    assert ("WWW-Authenticate" in problem.headers) == (problem.status == 401)


def test_codes_are_told_apart() -> None:
    codes = [kind.code for kind in KINDS]
    assert sorted(set(codes)) == sorted(codes)


def test_one_is_told_how_long_to_wait() -> None:
    assert problem_of(Overloaded("Busy.", 3)).headers == {"Retry-After": "3"}
    assert problem_of(TooManyAttempts("Wait.", 240)).headers == {"Retry-After": "240"}
    left = {"RateLimit-Policy": '"key";q=3;w=60', "RateLimit": '"key";r=0;t=30'}
    assert problem_of(TooManyRequests("Wait.", 30, left)).headers == {**left, "Retry-After": "30"}


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (NotFound("/srv/secret"), 404, "not_found"),
        (BadRequest("/srv/secret"), 400, "bad_request"),
        (OperationalError("SELECT secret", {}, Exception("secret")), 500, "internal_error"),
        (RuntimeError("/srv/secret"), 500, "internal_error"),
    ],
)
def test_what_nobody_meant_tells_nothing(error: Exception, status: int, code: str) -> None:
    problem = problem_of(error)
    assert (problem.status, problem.code) == (status, code)
    assert "secret" not in problem.detail


def test_a_wrong_method_names_the_right_ones() -> None:
    assert problem_of(MethodNotAllowed(["GET", "POST"])).headers == {"Allow": "GET, POST"}
