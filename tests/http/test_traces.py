"""Traces of requests, from the door to the model, and the identifiers by which the log is found."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.http.traces import trace_of
from tests.api.asking import make_key, services_of
from tests.collector import Collector, KeptSpan
from tests.factories import CAT, DOG
from tests.http.test_logs import logged, told_of
from tests.serving import EMAIL, PASSWORD, Reply, RunningSite
from tests.waiting import wait_until
from tests.web.visiting import Visitor

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
GOOD = f"00-{TRACE}-{PARENT}-01"


class TracedSite(RunningSite):
    """A site that sends its traces ten times a second and not every five."""

    @property
    def environment(self) -> dict[str, str]:
        """The environment, with the exporter's own settings."""
        return {**super().environment, "OTEL_BSP_SCHEDULE_DELAY": "100", "OTEL_EXPORTER_OTLP_HEADERS": "x-tenant=vitrine"}


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    with Collector() as listening:
        yield listening


@pytest.fixture(scope="module")
def traced(tmp_path_factory: pytest.TempPathFactory, collector: Collector) -> Iterator[RunningSite]:
    """Give a site with two workers whose traces go to the collector."""
    with TracedSite(tmp_path_factory.mktemp("traced"), workers="2", traces=collector.url) as running:
        services_of(running).accounts.create(EMAIL, PASSWORD)
        yield running


@pytest.fixture(scope="module")
def key(traced: RunningSite) -> str:
    return make_key(services_of(traced))


def predict(site: RunningSite, key: str, picture: bytes | None = None, **headers: str) -> Reply:
    return site.request("POST", "/api/v1/predict", CAT.read_bytes() if picture is None else picture, headers, key=key)


def trace(site: RunningSite, collector: Collector, reply: Reply) -> list[KeptSpan]:
    """Give the trace of a request once its last span has come."""
    trace_id = str(logged(site, reply)["trace_id"])
    wait_until(lambda: any("http.request.method" in span.attributes for span in collector.of(trace_id)))
    return collector.of(trace_id)


def test_a_request_is_one_trace_with_its_stages_in_order(traced: RunningSite, collector: Collector, key: str) -> None:
    reply = predict(traced, key)
    assert reply.status == 200
    request, answer, *stages = trace(traced, collector, reply)
    assert [span.name for span in (request, answer, *stages)] == [
        "POST /api/v1/predict",
        "classify",
        *("decode", "queue", "model", "store"),
    ]
    assert (request.parent, answer.parent) == ("", request.span_id)
    assert {stage.parent for stage in stages} == {answer.span_id}
    assert request.begins <= answer.begins <= answer.ends <= request.ends
    ends = [answer.begins, *(stage.ends for stage in stages)]
    assert all(before <= stage.begins <= stage.ends for before, stage in zip(ends, stages, strict=False))
    assert stages[-1].ends <= answer.ends
    lengths = {stage.name: (stage.ends - stage.begins) / 1_000_000 for stage in stages}
    told = reply.json["timings_ms"]
    assert lengths == {name: pytest.approx(told[name], abs=0.01) for name in lengths}


def test_spans_tell_what_was_asked_and_answered(traced: RunningSite, collector: Collector, key: str) -> None:
    reply = predict(traced, key)
    request, answer, *_ = trace(traced, collector, reply)
    assert request.attributes == {
        "http.request.method": "POST",
        "http.route": "/api/v1/predict",
        "http.response.status_code": 200,
        "vitrine.request_id": reply.headers["X-Request-Id"],
    }
    assert answer.attributes == {"vitrine.model": "cats-vs-dogs", "vitrine.version": "1", "vitrine.stored": True}
    assert request.resource["service.name"] == "vitrine"
    assert collector.headers[-1]["x-tenant"] == "vitrine"


def test_a_trace_that_began_elsewhere_is_gone_on_with(traced: RunningSite, collector: Collector, key: str) -> None:
    reply = predict(traced, key, traceparent=GOOD, tracestate="vendor=value")
    spans = trace(traced, collector, reply)
    assert {span.trace_id for span in spans} == {TRACE}
    assert (spans[0].name, spans[0].parent) == ("POST /api/v1/predict", PARENT)
    assert logged(traced, reply)["span_id"] == spans[0].span_id


def test_a_trace_that_nobody_looks_at_is_not_sent(traced: RunningSite, collector: Collector, key: str) -> None:
    unwatched = "5" * 32
    assert predict(traced, key, traceparent=f"00-{unwatched}-{PARENT}-00").status == 200
    trace(traced, collector, predict(traced, key))
    time.sleep(0.3)
    assert collector.of(unwatched) == []


def test_each_photo_of_a_page_is_a_part_of_its_own(traced: RunningSite, collector: Collector) -> None:
    ada = Visitor(traced)
    assert ada.log_in().status == 302
    reply = ada.classify(CAT.read_bytes(), DOG.read_bytes())
    names = [span.name for span in trace(traced, collector, reply)]
    assert (names[0], names.count("classify"), names.count("model")) == ("POST /", 2, 2)


def test_a_picture_that_is_none_says_why(traced: RunningSite, collector: Collector, key: str) -> None:
    (request,) = trace(traced, collector, predict(traced, key, picture=b"no picture"))
    assert (request.attributes["http.response.status_code"], request.events, request.failed) == (415, ["refused"], False)


def test_no_address_is_told_that_lets_somebody_in(traced: RunningSite, collector: Collector) -> None:
    (request,) = trace(traced, collector, traced.request("GET", "/setup/a-secret-token"))
    assert (request.name, request.attributes["http.route"]) == ("GET /setup/<token>", "/setup/<token>")
    (nowhere,) = trace(traced, collector, traced.request("GET", "/a-secret-token"))
    assert (nowhere.name, "http.route" in nowhere.attributes) == ("GET", False)
    assert "a-secret-token" not in repr(collector.spans)


@pytest.mark.parametrize("path", ["/api/v1/models", "/nothing", "/livez"])
def test_without_a_collector_lines_bear_the_trace_of_whoever_asks(site: RunningSite, path: str) -> None:
    reply = site.request("GET", path, headers={"traceparent": GOOD})
    event = logged(site, reply)
    assert (event["trace_id"], event["span_id"]) == (TRACE, PARENT)
    assert all(event["trace_id"] == TRACE for event in told_of(site, reply))
    assert TRACE not in str(reply.headers)
    assert "trace_id" not in logged(site, site.request("GET", path))


@pytest.mark.parametrize(
    "header",
    [
        *("", "x", "00", GOOD.upper(), f"{GOOD}-x", f" {GOOD}x", f"ff-{TRACE}-{PARENT}-01", f"01-{TRACE}-{PARENT}-01x"),
        *(f"00-{'0' * 32}-{PARENT}-01", f"00-{TRACE}-{'0' * 16}-01", f"00-{TRACE}-{PARENT}-0g", f"00-{TRACE}{PARENT}-01"),
        *(f"{GOOD}\n", f"{GOOD},{GOOD}", "00-" + "٠" * 32 + f"-{PARENT}-01"),
    ],
)
def test_what_names_no_trace_is_passed_over(header: str) -> None:
    assert trace_of(header) == {}


def test_a_later_version_may_say_more() -> None:
    assert trace_of(f"01-{TRACE}-{PARENT}-01-more") == trace_of(GOOD) == {"trace_id": TRACE, "span_id": PARENT}


@given(st.text("0123456789abcdefA-\n٣ ", max_size=70))
def test_whatever_comes_nothing_else_gets_into_the_log(header: str) -> None:
    found = trace_of(header)
    assert all(set(value) <= set("0123456789abcdef") for value in found.values())
    assert [len(value) for value in found.values()] in ([], [32, 16])
