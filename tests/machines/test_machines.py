"""Two hosts that share nothing but PostgreSQL, Redis and a bucket, all of them real: what one does, both do."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from tests.api.asking import assert_problem, make_key
from tests.factories import CAT, EIGHT
from tests.machines.hosts import Host, Machines, running_machines
from tests.serving import EMAIL, PASSWORD, Reply
from tests.waiting import wait_until
from tests.web.visiting import Visitor

PUBLIC = "https://photos.example.org"
DIGITS = "/api/v1/models/digits/predict"
LIMIT = 40
ADMINISTRATION = ("predict", "models:read", "models:write")


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machines]:
    folder = tmp_path_factory.mktemp("machines")
    with running_machines(folder, PUBLIC, key_limit=str(LIMIT)) as running, pytest.MonkeyPatch.context() as patch:
        for name, value in running.store.environment.items():
            patch.setenv(name, value)
        # Whoever has the link may open it anywhere, as happens behind a proxy.
        visitor, path = visitor_of(running.other), running.one.setup_link.removeprefix(PUBLIC)
        fields = {"email": EMAIL, "password": PASSWORD, "password_confirm": PASSWORD, "submit": "1"}
        made = visitor.submit(path, fields)
        assert (made.status, made.headers["Location"]) == (303, "/"), made.body
        yield running


def visitor_of(host: Host) -> Visitor:
    return Visitor(host, headers={**host.asked_as, "Referer": f"{PUBLIC}/"})


def logged_in(host: Host) -> Visitor:
    visitor = visitor_of(host)
    assert visitor.log_in().status in (302, 303)
    return visitor


def at(visitor: Visitor, host: Host) -> Visitor:
    """Give the same browser, whose next request comes to another host."""
    moved = visitor_of(host)
    moved.cookies = visitor.cookies
    return moved


def predict(host: Host, key: str, path: str = DIGITS) -> Reply:
    return host.request("POST", path, EIGHT.read_bytes(), {"Content-Type": "image/png"}, key=key)


def seconds_until(condition: Callable[[], bool]) -> float:
    began = time.monotonic()
    wait_until(condition, seconds=60, every=0.01)
    return time.monotonic() - began


def test_both_are_ready_and_their_links_are_used_up(machines: Machines) -> None:
    for host in machines.both:
        assert host.request("GET", "/readyz").json == {"status": "ready", "problems": []}
        assert visitor_of(host).get(host.setup_link.removeprefix(PUBLIC)).status == 404


def test_what_is_imported_and_activated_on_one_answers_on_both(machines: Machines) -> None:
    key = make_key(machines.services, scopes=ADMINISTRATION)
    path = "/api/v1/models/numerals/predict"
    assert predict(machines.other, key, path).status == 404
    repository, digits = machines.services.repository, machines.services.repository.package("digits", "1")
    for _ in range(2):
        files = {file: digits.pinned(file) for file in digits.manifest.digests}
        repository.publish(replace(digits.manifest, name="numerals"), files)
    took = seconds_until(lambda: all(predict(host, key, path).status == 200 for host in machines.both))
    print(f"imported: answers on both after {took:.2f} s")

    def version(host: Host) -> str:
        reply = predict(host, make_key(machines.services), path)
        assert reply.status == 200, reply.body
        return str(reply.json["model"]["version"])

    assert {version(host) for host in machines.both} == {"1"}
    for there, answers in ((machines.one, "2"), (machines.other, "1"), (machines.one, "2")):
        activate = f"/api/v1/models/numerals/versions/{answers}/activate"
        changed = there.request("POST", activate, key=key)
        assert changed.status == 200, changed.body
        took = seconds_until(lambda answers=answers: all(version(host) == answers for host in machines.both))  # type: ignore[misc]
        print(f"activated: answers on both after {took:.2f} s")
    listed = machines.other.run("models", "list")
    assert re.search(r"numerals\W+2\W+active", listed.stdout), listed


def test_a_limit_is_exact_on_both_together(machines: Machines) -> None:
    key = make_key(machines.services)
    with ThreadPoolExecutor(8) as pool:
        replies = pool.map(lambda host: predict(host, key), machines.both * ((LIMIT + 20) // 2))
    assert Counter(reply.status for reply in replies) == {200: LIMIT, 429: 20}


def test_a_login_that_is_ended_on_one_is_ended_on_the_other_at_once(machines: Machines) -> None:
    here = logged_in(machines.one)
    there = at(here, machines.other)
    assert there.get("/account").status == 200
    assert here.submit("/logout", page="/account").status in (302, 303)
    assert there.get("/account").status == 302


def test_a_key_that_is_revoked_on_one_is_soon_refused_on_both(machines: Machines) -> None:
    key = make_key(machines.services)
    for host in machines.both * 4:  # all workers know it
        assert predict(host, key).status == 200
    machines.services.api_keys.revoke_of_anybody(key.split("_")[1])

    def refused() -> bool:
        return all(predict(host, key).status == 401 for host in machines.both * 2)

    print(f"revoked: refused on both after {seconds_until(refused):.2f} s")


def test_a_picture_that_comes_to_one_is_in_the_history_of_the_other(machines: Machines) -> None:
    here = logged_in(machines.one)
    there = at(here, machines.other)
    shown = here.classify(CAT.read_bytes())
    address = shown.headers["Location"]
    assert f"{address}/picture?size=thumbnail" in there.get("/history").body.decode()
    picture = there.get(f"{address}/picture")
    assert (picture.status, picture.headers["Content-Type"]) == (200, "image/jpeg")
    assert there.submit(f"{address}/delete", page=address).status in (302, 303)
    assert here.get(f"{address}/picture").status == 404
    assert not any((host.data / "pictures").exists() for host in machines.both)


def test_while_the_bucket_is_away_both_go_on_and_say_so(machines: Machines) -> None:
    key = make_key(machines.services, scopes=ADMINISTRATION)
    here = logged_in(machines.one)
    page = here.token_of("/")
    machines.store.freeze()
    try:
        began = time.monotonic()
        files = [("images", "cat.jpg", CAT.read_bytes())]
        shown = here.send("/", {"model": "cats-vs-dogs", "csrf_token": page}, files)
        print(f"a page's picture while the bucket is frozen: answered in {time.monotonic() - began:.2f} s")
        assert shown.status == 303
        assert "/picture" not in here.get(shown.headers["Location"]).body.decode()
        for host in machines.both:
            assert predict(host, key).json["stored"] is True
            wait_until(lambda host=host: host.request("GET", "/readyz").json["problems"])  # type: ignore[misc]
            ready = host.request("GET", "/readyz")
            assert ready.status == 200
            assert ready.json["problems"][0].startswith("The store of the models does not answer; ")
        changed = machines.other.request("POST", "/api/v1/models/digits/versions/1/activate", key=key)
        assert_problem(changed, 503, "store_unavailable")
        assert "picture_not_kept" in machines.one.log
    finally:
        machines.store.thaw()
    for host in machines.both:
        wait_until(lambda host=host: host.request("GET", "/readyz").json == {"status": "ready", "problems": []})  # type: ignore[misc]
