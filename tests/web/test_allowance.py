"""How many photos a visitor may send in a minute: told with every answer, and on the form when it is used up."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import count

import pytest

from tests.factories import EIGHT
from tests.serving import EMAIL, PASSWORD, Reply, RunningSite
from tests.web.reading import Page
from tests.web.visiting import Visitor, make_visitor

SCRIPT = {"Accept": "application/json"}
PHOTO = EIGHT.read_bytes()
LIMIT = 5
_number = count(1)


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    """Give a site behind a proxy that takes five photos a minute from each visitor."""
    settings = {"access": "guests", "visitor_limit": str(LIMIT), "trusted_proxies": "1", "workers": "2"}
    with RunningSite(tmp_path_factory.mktemp("limited"), **settings) as running:
        yield running


@pytest.fixture
def newcomer(limited: RunningSite) -> Visitor:
    """Give a guest from an address of its own."""
    return Visitor(limited, headers={"X-Forwarded-For": f"203.0.113.{next(_number)}"})


def send(visitor: Visitor, photos: int = 1, *, script: bool = False) -> Reply:
    return visitor.classify(*[PHOTO] * photos, model="digits", headers=SCRIPT if script else None)


def left(reply: Reply, who: str = "address") -> tuple[int, int]:
    """Give how many photos are left, and for how many seconds."""
    assert reply.headers["RateLimit-Policy"] == f'"{who}";q={LIMIT};w=60'
    found = re.fullmatch(rf'"{who}";r=(\d+);t=(\d+)', reply.headers["RateLimit"])
    assert found is not None
    assert 1 <= int(found[2]) <= 60
    return int(found[1]), int(found[2])


def assert_used_up(reply: Reply, who: str = "address") -> str:
    """Check what every refusal says to programs, and give its sentence."""
    remaining, seconds = left(reply, who)
    assert (reply.status, remaining, reply.headers["Retry-After"]) == (429, 0, str(seconds))
    return f"At most {LIMIT} pictures are taken in a minute; please wait {seconds} seconds."


def test_every_answer_tells_what_is_left(newcomer: Visitor) -> None:
    replies = [send(newcomer), send(newcomer, script=True), send(newcomer, 2)]
    assert [reply.status for reply in replies] == [303, 200, 200]
    assert [left(reply)[0] for reply in replies] == [4, 3, 1]


def test_who_had_enough_gets_the_form_with_a_sentence(newcomer: Visitor) -> None:
    send(newcomer, LIMIT)
    reply = send(newcomer)
    page = Page(reply)
    assert assert_used_up(reply) in page.words
    assert page.words.startswith("Error: Classify a photo")
    assert (page.chosen, "not classified" in page.words) == (["digits"], False)
    assert page.field("csrf_token")
    assert f"{LIMIT} answers" in Page(newcomer.get("/history")).words


def test_our_script_is_told_so_as_of_any_failure(newcomer: Visitor) -> None:
    send(newcomer, LIMIT)
    reply = send(newcomer, script=True)
    sentence = assert_used_up(reply)
    assert reply.headers["Content-Type"] == "application/problem+json"
    assert reply.json == {"title": "Too Many Requests", "status": 429, "detail": sentence, "code": "too_many_requests"}


def test_of_a_form_with_more_photos_than_are_left_none_is_answered(newcomer: Visitor) -> None:
    send(newcomer, 3)
    assert_used_up(send(newcomer, 3))
    assert "3 answers" in Page(newcomer.get("/history")).words


def test_a_sample_a_bad_photo_and_a_form_without_any_count_as_one(newcomer: Visitor) -> None:
    replies = [
        newcomer.submit("/", {"sample": "digits/samples/8.png"}),
        newcomer.classify(b"I am an 8.", model="digits"),
        newcomer.submit("/", {"model": "digits"}),
        newcomer.submit("/", {"sample": "digits/samples/nothing.png"}),
    ]
    assert [reply.status for reply in replies] == [303, 415, 400, 404]
    assert [left(reply)[0] for reply in replies] == [4, 3, 2, 1]


def test_looking_is_not_counted_and_not_limited(newcomer: Visitor) -> None:
    send(newcomer, LIMIT)
    replies = [newcomer.get(path) for path in ("/", "/history", "/models") * LIMIT]
    assert {reply.status for reply in replies} == {200}
    assert not any("RateLimit" in reply.headers for reply in replies)


def test_guests_are_counted_by_their_address_whatever_browser_they_take(limited: RunningSite, newcomer: Visitor) -> None:
    send(newcomer, LIMIT)
    same = Visitor(limited, headers=newcomer.headers)
    assert_used_up(send(same))
    assert left(send(Visitor(limited, headers={"X-Forwarded-For": "198.51.100.1"})))[0] == LIMIT - 1


def test_an_account_is_counted_wherever_it_is_and_apart_from_others(limited: RunningSite, newcomer: Visitor) -> None:
    ada = make_visitor(limited)
    elsewhere = Visitor(limited, headers={"X-Forwarded-For": "198.51.100.2"})
    assert elsewhere.log_in(EMAIL, PASSWORD).status in (302, 303)
    assert left(send(ada, LIMIT - 1), "account")[0] == 1
    assert left(send(elsewhere), "account")[0] == 0
    assert_used_up(send(ada), "account")
    assert left(send(make_visitor(limited, "eve@example.org")), "account")[0] == LIMIT - 1
    assert left(send(newcomer))[0] == LIMIT - 1


def test_a_form_of_another_site_costs_the_visitor_nothing(newcomer: Visitor) -> None:
    forged = newcomer.send("/", {"model": "digits"}, [("images", "8.png", PHOTO)])
    assert (forged.status, "RateLimit" in forged.headers) == (400, False)
    assert left(send(newcomer))[0] == LIMIT - 1


def test_the_usual_limit_is_told_of_and_none_is_not(ada: Visitor, guest: Visitor) -> None:
    assert send(ada).headers["RateLimit-Policy"] == '"account";q=120;w=60'
    reply = send(guest)
    assert (reply.status, "RateLimit" in reply.headers) == (303, False)
