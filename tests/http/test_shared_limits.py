"""Two machines that share a Redis limit together and exactly; when it is killed each goes on by itself."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from app.composition import Services, compose
from app.config import Settings
from tests.api.asking import assert_problem, make_key
from tests.factories import EIGHT
from tests.redis_server import RunningRedis
from tests.serving import Reply, RunningSite
from tests.waiting import wait_until
from tests.web.reading import Page
from tests.web.visiting import Visitor

LIMIT, DAILY = 60, 15
DIGITS = "/api/v1/models/digits/predict"
PHOTO = EIGHT.read_bytes()


@dataclass
class Machines:
    """Two sites over one database, and the Redis that both count in."""

    one: RunningSite
    other: RunningSite
    redis: RunningRedis

    @property
    def services(self) -> Services:
        """The services over their database."""
        data = self.one.data
        return compose(Settings(data=data, log_format="json", redis_url=self.redis.url))


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machines]:
    folders = [tmp_path_factory.mktemp(name) for name in ("one", "other", "redis")]
    with RunningRedis(folders[2]) as redis:
        shared = {"redis_url": redis.url, "key_limit": str(LIMIT), "workers": "2"}
        database = f"sqlite:///{folders[0] / 'data' / 'vitrine.db'}"
        with RunningSite(folders[0], **shared) as one, RunningSite(folders[1], database_url=database, **shared) as other:
            one.make_account()
            yield Machines(one, other, redis)


def predict(site: RunningSite, key: str) -> Reply:
    return site.request("POST", DIGITS, PHOTO, key=key)


def predict_on_both(machines: Machines, key: str, times: int) -> Counter[int]:
    """Send pictures to both at once, and count the answers by their status."""
    sites = [machines.one, machines.other] * (times // 2)
    with ThreadPoolExecutor(8) as pool:
        return Counter(reply.status for reply in pool.map(lambda site: predict(site, key), sites))


def fail_to_log_in(site: RunningSite, email: str) -> str:
    return Page(Visitor(site).log_in(email, "not the password")).words


def test_a_minute_is_exact_across_machines(machines: Machines) -> None:
    key = make_key(machines.services)
    assert predict_on_both(machines, key, LIMIT + 20) == {200: LIMIT, 429: 20}


def test_a_day_is_exact_across_machines(machines: Machines) -> None:
    key = make_key(machines.services, daily=DAILY)
    assert predict_on_both(machines, key, DAILY + 15) == {200: DAILY, 429: 15}
    for site in (machines.one, machines.other):
        reply = predict(site, key)
        assert_problem(reply, 429, "too_many_requests")
        assert '"day";r=0;' in reply.headers["RateLimit"]


def test_uses_are_counted_across_machines(machines: Machines) -> None:
    key = make_key(machines.services)
    predict_on_both(machines, key, 10)
    usage, key_id = machines.services.key_usage, key.split("_")[1]
    wait_until(lambda: sum(day.answered for day in usage.days(key_id)) >= 10)
    time.sleep(0.5)  # what counted twice would be written by then
    assert sum(day.answered for day in usage.days(key_id)) == 10


def test_attempts_to_log_in_are_counted_across_machines(machines: Machines) -> None:
    for site in [machines.one, machines.other] * 5:
        assert "do not go together" in fail_to_log_in(site, "nobody@example.org")
    for site in (machines.one, machines.other):
        assert "Too many failed attempts" in fail_to_log_in(site, "nobody@example.org")


def told(site: RunningSite, event: str) -> int:
    """Give how many workers have logged an event."""
    return sum(f'"{event}"' in line for line in site.log.splitlines())


def test_while_redis_is_away_each_machine_goes_on_by_itself(machines: Machines) -> None:
    key, limited = make_key(machines.services), make_key(machines.services, daily=DAILY)
    assert predict(machines.one, key).status == 200
    with ThreadPoolExecutor(8) as pool:
        answers = [pool.submit(predict, site, key) for site in [machines.one, machines.other] * 20]
        machines.redis.kill()
        assert {answer.result().status for answer in answers} == {200}
    # Quotas hold on each machine, whose workers still count together.
    for site in (machines.one, machines.other):
        with ThreadPoolExecutor(8) as pool:
            replies = list(pool.map(predict, [site] * (DAILY + 5), [limited] * (DAILY + 5)))
        assert Counter(reply.status for reply in replies) == {200: DAILY, 429: 5}
    # Logins fall back to the database, where nothing was counted yet: ten attempts from this address, and one is too many.
    words = [fail_to_log_in(machines.one, "somebody@example.org") for _ in range(11)]
    assert ["Too many failed attempts" in page for page in words] == [False] * 10 + [True]
    for site in (machines.one, machines.other):
        assert 1 <= told(site, "redis_unavailable") <= 2, "once in each worker"
        assert "limits_not_counted" not in site.log
    machines.redis.start()
    for site in (machines.one, machines.other):
        deadline = time.monotonic() + 60
        while told(site, "redis_is_back") < told(site, "redis_unavailable"):
            assert time.monotonic() < deadline, "it was not counted in again"
            predict_on_both(machines, make_key(machines.services), 8)
    assert predict_on_both(machines, make_key(machines.services, daily=DAILY), DAILY + 5) == {200: DAILY, 429: 5}
