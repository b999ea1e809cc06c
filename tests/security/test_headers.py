"""How the HTTP Observatory would grade the site behind a proxy that speaks https: an A+, on every kind of answer."""

from __future__ import annotations

import re

import pytest

from tests.security.cast import Address, key_of, person
from tests.security.observatory import Answer, directives, grade, score
from tests.serving import PASSWORD, RunningSite
from tests.web.visiting import Visitor

HTTPS = {"Host": "photos.example.org", "X-Forwarded-Proto": "https", "Referer": "https://photos.example.org/login"}
ADA = "ada@example.org"
STRICT = {
    "Strict-Transport-Security": "max-age=31536000",
    "Content-Security-Policy": "default-src 'none'; form-action 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
}


@pytest.fixture
def ada(proxied: RunningSite) -> Visitor:
    """Give somebody who came over https."""
    person(proxied, ADA)
    visitor = Visitor(proxied, HTTPS)
    assert visitor.log_in(ADA, PASSWORD).status == 302
    return visitor


def answer_to(visitor: Visitor, path: str, **headers: str) -> Answer:
    visitor.set_cookies = []
    reply = visitor.get(path, headers)
    plain = Visitor(visitor.site, {**HTTPS, "X-Forwarded-Proto": "http"}).get("/")
    return Answer(reply.headers, visitor.set_cookies, reply.body.decode(), plain_http_answers=plain.status != 308)


def answers(ada: Visitor) -> dict[str, Answer]:
    """Give one answer of each kind."""
    key = key_of(ada.site, ADA)
    stranger = Visitor(ada.site, HTTPS)
    return {
        "first page": answer_to(ada, "/"),
        "login page": answer_to(stranger, "/login"),
        "API": answer_to(stranger, "/api/v1/models", Authorization=f"Bearer {key}"),
        "API's error": answer_to(stranger, "/api/v1/models"),
        "error page": answer_to(stranger, "/nothing"),
        "account": answer_to(ada, "/account"),
        "style sheet": answer_to(stranger, "/static/app.css"),
        "API's page": answer_to(stranger, "/api/docs"),
    }


def test_every_kind_of_answer_earns_an_a_plus(ada: Visitor) -> None:
    scored = {kind: score(answer) for kind, answer in answers(ada).items()}
    print({kind: points for kind, (points, _) in scored.items()})
    for kind, (points, found) in scored.items():
        assert grade(points) == "A+"
        assert points >= 150, (kind, found)
        assert not [test for test, value in found.items() if value < 0], kind


def test_no_policy_lets_anything_inline_or_foreign_in(ada: Visitor, everywhere: list[Address]) -> None:
    for address in everywhere:
        for method in sorted(address.methods & {"GET", "HEAD"}):
            assert method in ("GET", "HEAD")
            policy = ada.get(address.path()).headers["Content-Security-Policy"]
            given = directives(policy)
            assert given["default-src"] == ["'none'"], address.rule
            assert not re.search(r"unsafe-|\*|https?:|strict-dynamic", policy), address.rule
            if "sandbox" not in given:
                assert (given["frame-ancestors"], given["form-action"], given["base-uri"]) == (
                    ["'none'"],
                    ["'self'"],
                    ["'none'"],
                )


@pytest.mark.parametrize(
    ("name", "value", "points"),
    [
        ("Content-Security-Policy", None, -25),
        ("Content-Security-Policy", "default-src 'none'; script-src 'unsafe-inline'; frame-ancestors 'none'", -20),
        ("Content-Security-Policy", "default-src 'none'; script-src 'self' data:; frame-ancestors 'none'", -20),
        ("Content-Security-Policy", "default-src 'none'; script-src 'self' 'unsafe-eval'; frame-ancestors 'none'", -10),
        ("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'", 0),
        ("Content-Security-Policy", "default-src 'self'; frame-ancestors 'none'", 5),
        ("Strict-Transport-Security", None, -20),
        ("Strict-Transport-Security", "max-age=3600", -10),
        ("X-Content-Type-Options", None, -5),
        ("Referrer-Policy", "unsafe-url", -5),
        ("Cross-Origin-Resource-Policy", "cross-origin", 0),
        ("Cross-Origin-Opener-Policy", "something", -5),
        ("Cross-Origin-Embedder-Policy", "unsafe-none", 0),
    ],
)
def test_the_score_is_one_that_can_be_lost(name: str, value: str | None, points: int) -> None:
    assert score(Answer(STRICT, [], "", plain_http_answers=False))[0] == 150
    headers = {key: text for key, text in {**STRICT, name: value}.items() if text is not None}
    total, found = score(Answer(headers, [], "", plain_http_answers=False))
    assert found[name.lower()] == points
    assert total < 150


@pytest.mark.parametrize(
    ("cookie", "points"),
    [
        ("__Host-a=b; Secure; HttpOnly; Path=/; SameSite=Lax", 5),
        ("session=b; Secure; HttpOnly", 0),
        ("session=b; HttpOnly; SameSite=Lax", -10),
        ("session=b; Secure; SameSite=Lax", -30),
        ("csrf=b; Secure", -20),
    ],
)
def test_so_are_the_points_for_cookies(cookie: str, points: int) -> None:
    assert score(Answer(STRICT, [cookie], "", plain_http_answers=False))[1]["cookies"] == points


@pytest.mark.parametrize(
    ("script", "points"),
    [
        ('<script src="/static/a.js"></script>', 0),
        ('<script src="/static/a.js" integrity="sha384-x"></script>', 5),
        ('<script src="https://elsewhere.example/a.js"></script>', -5),
        ('<script src="//elsewhere.example/a.js"></script>', -50),
    ],
)
def test_so_are_those_for_scripts(script: str, points: int) -> None:
    headers = {**STRICT, "Content-Type": "text/html; charset=utf-8"}
    assert score(Answer(headers, [], script, plain_http_answers=False))[1]["subresource-integrity"] == points
