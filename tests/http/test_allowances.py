"""What a key may ask for in a minute: told with every answer, exact across workers, and refused when it is used up."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest

from app.factory import create_app
from app.services.accounts.api_keys import ApiKeys
from tests.api.asking import as_json, ask, assert_problem, make_key, send, services_of
from tests.factories import EIGHT, make_picture, make_services, publish
from tests.serving import EMAIL, PASSWORD, Reply, RunningSite
from tests.waiting import wait_until

LIMIT = 20
DIGITS = "/api/v1/models/digits/predict"
PHOTO = EIGHT.read_bytes()


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    """Give a running site of two workers whose keys may send twenty pictures a minute."""
    with RunningSite(tmp_path_factory.mktemp("limited"), key_limit=str(LIMIT), workers="2") as running:
        running.make_account()
        yield running


@pytest.fixture
def key(limited: RunningSite) -> str:
    """Give a key that was never used."""
    return make_key(services_of(limited))


def predict(site: RunningSite, key: str, body: bytes = PHOTO) -> Reply:
    return site.request("POST", DIGITS, body, key=key)


def left(reply: Reply) -> tuple[int, int]:
    """Give how many pictures are left, and for how many seconds."""
    assert reply.headers["RateLimit-Policy"] == f'"key";q={LIMIT};w=60'
    found = re.fullmatch(r'"key";r=(\d+);t=(\d+)', reply.headers["RateLimit"])
    assert found is not None
    assert 1 <= int(found[2]) <= 60
    return int(found[1]), int(found[2])


def test_every_answer_tells_what_is_left(limited: RunningSite, key: str) -> None:
    replies = [predict(limited, key) for _ in range(3)]
    assert [reply.status for reply in replies] == [200] * 3
    assert [left(reply)[0] for reply in replies] == [LIMIT - 1, LIMIT - 2, LIMIT - 3]


def test_whoever_had_enough_is_told_when_to_come_back(limited: RunningSite, key: str) -> None:
    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda _: predict(limited, key), range(3 * LIMIT)))
    # Both workers count together, and exactly.
    assert Counter(reply.status for reply in replies) == {200: LIMIT, 429: 2 * LIMIT}
    assert sorted(left(reply)[0] for reply in replies if reply.status == 200) == list(range(LIMIT))
    for reply in (*(reply for reply in replies if reply.status == 429), predict(limited, key)):
        assert_problem(reply, 429, "too_many_requests")
        remaining, seconds = left(reply)
        assert (remaining, reply.headers["Retry-After"]) == (0, str(seconds))
        assert reply.json["detail"] == f"At most 20 pictures are taken in a minute; please wait {seconds} seconds."
    other = make_key(services_of(limited))
    assert left(predict(limited, other))[0] == LIMIT - 1


def test_a_picture_that_is_refused_counts_and_its_refusal_tells_too(limited: RunningSite, key: str) -> None:
    replies = [predict(limited, key, b"I am a cat."), predict(limited, key, PHOTO[:100]), predict(limited, key, b"")]
    assert [reply.status for reply in replies] == [415, 422, 422]
    assert [left(reply)[0] for reply in replies] == [LIMIT - 1, LIMIT - 2, LIMIT - 3]


def test_what_is_refused_before_a_picture_is_asked_for_does_not_count(limited: RunningSite, key: str) -> None:
    refusals = [
        limited.request("POST", DIGITS, PHOTO, key=f"{key}x"),
        limited.request("POST", f"{DIGITS}?top_k=0", PHOTO, key=key),
        limited.request("POST", DIGITS, PHOTO, key=make_key(services_of(limited), scopes=("models:read",))),
    ]
    assert [reply.status for reply in refusals] == [401, 400, 403]
    assert not any("RateLimit" in name for reply in refusals for name in reply.headers)
    assert left(predict(limited, key))[0] == LIMIT - 1


def test_what_is_no_picture_has_no_limit(limited: RunningSite, key: str) -> None:
    replies = [limited.request("GET", "/api/v1/models", key=key) for _ in range(LIMIT + 5)]
    assert {reply.status for reply in replies} == {200}
    assert "RateLimit" not in replies[-1].headers


def test_the_usual_limit_is_told_of_too(site: RunningSite) -> None:
    reply = send(site, *as_json({"image": "YQ=="}), DIGITS)
    assert reply.headers["RateLimit-Policy"] == '"key";q=6000;w=60'


@pytest.mark.parametrize("reason", ["no limit", "counters that cannot be counted in"])
def test_without_a_count_everybody_is_answered(tmp_path: Path, reason: str) -> None:
    services = make_services(tmp_path, models=tmp_path / "shipped", key_limit=0 if reason == "no limit" else 1)
    publish(services.repository)
    services.accounts.create(EMAIL, PASSWORD)
    if reason != "no limit":
        (services.settings.data / "counters.mdb").write_bytes(b"I am no database. " * 100)
    client, key = create_app(services.settings).test_client(), make_key(services)
    for _ in range(5):
        reply = ask(client, "POST", "/api/v1/predict", make_picture(), key=key)
        assert reply.status == 200
        assert not any("RateLimit" in name for name in reply.headers)


def test_every_key_of_an_account_has_an_allowance_of_its_own(tmp_path: Path) -> None:
    services = make_services(tmp_path, models=tmp_path / "shipped", key_limit=1)
    publish(services.repository)
    account = services.accounts.create(EMAIL, PASSWORD)
    client = create_app(services.settings).test_client()
    for _ in range(2):
        key = ApiKeys(sessions=services.sessions).create(account, "tests")
        assert ask(client, "POST", "/api/v1/predict", make_picture(), key=key).status == 200
        assert ask(client, "POST", "/api/v1/predict", make_picture(), key=key).status == 429


def day_left(reply: Reply, quota: int) -> tuple[int, int]:
    """Give how many pictures are left of a day, and for how many seconds."""
    assert reply.headers["RateLimit-Policy"] == f'"key";q={LIMIT};w=60, "day";q={quota};w=86400'
    found = re.fullmatch(r'"key";r=\d+;t=\d+, "day";r=(\d+);t=(\d+)', reply.headers["RateLimit"])
    assert found is not None
    return int(found[1]), int(found[2])


def test_a_keys_day_is_exact_across_workers_and_ends_at_midnight(limited: RunningSite) -> None:
    key = make_key(services_of(limited), daily=7)
    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda _: predict(limited, key), range(LIMIT)))
    assert Counter(reply.status for reply in replies) == {200: 7, 429: LIMIT - 7}
    assert sorted(day_left(reply, 7)[0] for reply in replies if reply.status == 200) == list(range(7))
    for reply in (reply for reply in replies if reply.status == 429):
        assert_problem(reply, 429, "too_many_requests")
        remaining, seconds = day_left(reply, 7)
        assert (remaining, reply.headers["Retry-After"]) == (0, str(seconds))
        answered_at = parsedate_to_datetime(reply.headers["Date"]).timestamp()
        assert abs((answered_at + seconds) % 86_400 - 43_200) > 43_197  # midnight UTC, give or take what an answer takes
        assert reply.json["detail"] == "This key may send 7 pictures in a day; the next day begins at midnight UTC."
    other = make_key(services_of(limited), daily=7)
    assert day_left(predict(limited, other), 7)[0] == 6


def test_every_request_with_a_key_is_one_of_its_uses(limited: RunningSite, key: str) -> None:
    key_id = key.split("_")[1]
    replies = [
        predict(limited, key),
        limited.request("GET", "/api/v1/models", key=key),
        predict(limited, key, b"I am a cat."),
        limited.request("GET", "/api/v1/predictions", key=key),
        limited.request("GET", "/api/v1/models", key=f"{key[:-1]}x"),
    ]
    assert [reply.status for reply in replies] == [200, 200, 415, 403, 401]
    usage = services_of(limited).key_usage
    wait_until(lambda: sum(day.answered + day.refused for day in usage.days(key_id)) >= 4)
    days = usage.days(key_id)
    assert (sum(day.answered for day in days), sum(day.refused for day in days)) == (2, 2)
