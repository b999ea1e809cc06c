"""What Prometheus is given: by an administrator's key, right across workers, and through the end of some of them."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from app.composition import Services
from app.errors import InvalidRequest
from app.factory import create_app
from app.services.audit_log import Actor
from tests.api.asking import ask, assert_problem, make_key, services_of
from tests.factories import CAT, make_services, publish
from tests.serving import EMAIL, PASSWORD, Reply, RunningSite
from tests.waiting import wait_until
from tests.web.visiting import Visitor, forgiving

ROOT = "root-of-numbers@example.org"


def told(reply: Reply) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Give every number of an answer by its name and labels."""
    assert reply.status == 200, reply.body
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(reply.body.decode())
        for sample in family.samples
    }


def number(reply: Reply, name: str, **labels: str) -> float:
    return told(reply).get((f"vitrine_{name}", frozenset(labels.items())), 0.0)


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    """Give a site with two workers."""
    with RunningSite(tmp_path_factory.mktemp("numbers"), workers="2", key_limit="0") as running:
        services_of(running).accounts.create(EMAIL, PASSWORD)
        yield running


@pytest.fixture(scope="module")
def key(two: RunningSite) -> str:
    """Give the key that sends pictures."""
    return make_key(services_of(two))


def predict(site: RunningSite, key: str) -> None:
    assert site.request("POST", "/api/v1/predict", CAT.read_bytes(), key=key).status == 200


@pytest.fixture(scope="module")
def reader(two: RunningSite) -> str:
    """Give the key that Prometheus has."""
    here = services_of(two)
    here.accounts.create(ROOT, PASSWORD, admin=True)
    return make_key(here, ROOT, scopes=("metrics:read",))


def scrape(site: RunningSite, key: str, **headers: str) -> Reply:
    return site.request("GET", "/metrics", headers=headers, key=key)


def test_requests_are_counted_whichever_worker_answers(two: RunningSite, reader: str, key: str) -> None:
    labels = {"kind": "predict", "method": "POST", "status": "2xx"}
    before = number(scrape(two, reader), "requests_total", **labels)
    for _ in range(20):
        predict(two, key)
    assert number(scrape(two, reader), "requests_total", **labels) == before + 20
    assert number(scrape(two, reader), "prediction_seconds_count", stage="total") >= 20


def test_what_killed_workers_counted_stays_and_they_are_gone(two: RunningSite, reader: str, key: str) -> None:
    names = {"model": "cats-vs-dogs", "version": "1", "stored": "yes"}
    for _ in range(4):
        predict(two, key)
    wait_until(lambda: number(scrape(two, reader), "workers") == 2)
    before = number(scrape(two, reader), "predictions_total", **names)
    for begun in (3, 4, 5):
        killed = two.workers[0]
        os.kill(killed, signal.SIGKILL)
        wait_until(lambda gone=killed: gone not in two.workers and len(two.workers) == 2)  # type: ignore[misc]
        # One that is killed before it has begun is counted by nobody.
        wait_until(lambda count=begun: number(scrape(two, reader), "workers_started_total") == count)  # type: ignore[misc]
    after = scrape(two, reader)
    assert number(after, "predictions_total", **names) == before
    assert number(after, "workers") == number(after, "workers_ready") == 2
    assert number(after, "model_active", model="cats-vs-dogs", version="1") == 2
    (folder,) = (place for parent in ("/dev/shm", "/tmp") if (place := Path(parent) / f"vitrine-metrics-{two.pid}").is_dir())
    living = {str(each) for each in [two.pid, *two.workers, "ended"]}
    assert {path.stem.rpartition("_")[2] for path in folder.glob("*.db")} <= living


def test_logins_are_counted(two: RunningSite, reader: str) -> None:
    outcomes = ("succeeded", "failed", "limited")
    before = [number(scrape(two, reader), "logins_total", outcome=outcome) for outcome in outcomes]
    with forgiving(two):
        assert Visitor(two).log_in().status == 302
        for _ in range(11):
            Visitor(two).log_in("nobody@example.org", "wrong but long enough")
    after = [number(scrape(two, reader), "logins_total", outcome=outcome) for outcome in outcomes]
    succeeded, failed, limited = (now - then for now, then in zip(after, before, strict=True))
    assert succeeded == 1
    assert (failed > 0, limited > 0, failed + limited) == (True, True, 11)


def test_it_is_open_metrics_for_who_asks_for_that(two: RunningSite, reader: str) -> None:
    reply = scrape(two, reader, Accept="application/openmetrics-text; version=1.0.0, text/plain;q=0.5")
    assert reply.headers["Content-Type"].startswith("application/openmetrics-text; version=1.0.0")
    assert reply.body.endswith(b"# EOF\n")
    assert scrape(two, reader).headers["Content-Type"].startswith("text/plain; version=0.0.4")


def test_no_cookie_opens_it(two: RunningSite, reader: str) -> None:
    root = Visitor(two)
    assert root.log_in(ROOT).status == 302
    assert root.get("/people").status == 200
    assert_problem(root.get("/metrics"), 401, "invalid_key")


def test_what_it_does_not_do_is_told_as_a_problem(two: RunningSite, reader: str) -> None:
    assert_problem(two.request("POST", "/metrics", b"", key=reader), 405, "method_not_allowed")
    assert_problem(two.request("GET", "/metrics"), 401, "invalid_key")
    assert two.request("HEAD", "/metrics", key=reader).body == b""


@pytest.fixture
def here(tmp_path: Path) -> Services:
    made = make_services(tmp_path, models=tmp_path / "shipped")
    publish(made.repository, "shade")
    made.accounts.create(EMAIL, PASSWORD)
    made.accounts.create(ROOT, PASSWORD, admin=True)
    return made


def test_only_an_administrators_key_with_that_scope_opens_it(here: Services) -> None:
    client = create_app(here.settings).test_client()
    assert ask(client, "GET", "/metrics", key=make_key(here, ROOT, scopes=("metrics:read",))).status == 200
    every_other = ("predict", "history:read", "models:read", "models:write", "admin")
    assert_problem(ask(client, "GET", "/metrics", key=make_key(here, ROOT, scopes=every_other)), 403, "missing_scope")
    with pytest.raises(InvalidRequest):
        make_key(here, scopes=("metrics:read",))


def test_a_key_opens_nothing_else_with_it(here: Services) -> None:
    client, key = create_app(here.settings).test_client(), make_key(here, ROOT, scopes=("metrics:read",))
    for path in ("/api/v1/models", "/api/v1/people", "/api/v1/audit-log", "/api/v1/predictions"):
        assert_problem(ask(client, "GET", path, key=key), 403, "missing_scope")


def test_it_ends_with_its_owners_role_and_with_the_account(here: Services) -> None:
    key, number = make_key(here, ROOT, scopes=("metrics:read",)), here.accounts.number_of(ROOT)
    actor = Actor(EMAIL, here.accounts.number_of(EMAIL))
    here.people.demote(number, actor)
    assert_problem(ask(create_app(here.settings).test_client(), "GET", "/metrics", key=key), 403, "missing_scope")
    here.people.promote(number, actor)
    assert ask(create_app(here.settings).test_client(), "GET", "/metrics", key=key).status == 200
    here.people.disable(number, actor)
    assert_problem(ask(create_app(here.settings).test_client(), "GET", "/metrics", key=key), 401, "invalid_key")


def test_one_of_several_processes_tells_nothing_by_itself(here: Services, tmp_path: Path) -> None:
    client, key = create_app(here.settings).test_client(), make_key(here, ROOT, scopes=("metrics:read",))
    headers = {"Authorization": f"Bearer {key}"}
    answer = client.get("/metrics", headers=headers, environ_overrides={"wsgi.multiprocess": True})
    assert (answer.status_code, "PROMETHEUS_MULTIPROC_DIR" in answer.get_json()["detail"]) == (503, True)


def test_the_operator_may_open_it_to_everybody_or_close_it(tmp_path: Path) -> None:
    public, off = (make_services(tmp_path / name, metrics=name) for name in ("public", "off"))
    opened = ask(create_app(public.settings).test_client(), "GET", "/metrics")
    assert (opened.status, b"vitrine_logins_total" in opened.body) == (200, True)
    off.accounts.create(ROOT, PASSWORD, admin=True)
    key = make_key(off, ROOT, scopes=("metrics:read",))
    assert_problem(ask(create_app(off.settings).test_client(), "GET", "/metrics", key=key), 404, "not_found")
