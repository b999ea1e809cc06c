"""Traces: what a request went through and for how long, sent to an OpenTelemetry collector behind the answers.

Imported only where a collector is set. The stages of an answer are measured anyway, so their spans are made afterwards.
"""

from __future__ import annotations

import os
import threading
import time
from contextvars import ContextVar

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind, StatusCode, Tracer, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import AttributeValue

from app.inference.prediction import Timings
from app.services.telemetry.metrics import Metrics

_PATH = "/v1/traces"
_SERVER_ERRORS = 500
_STAGES = ("decode", "queue", "model")
# A collector that does not answer keeps neither a thread nor the end of a process for longer.
_SECONDS = 3.0
_propagator = TraceContextTextMapPropagator()
_current: ContextVar[Span | None] = ContextVar("vitrine_span", default=None)


class Tracing:
    """Begins and ends the span of each request, and puts those of its answers below it."""

    def __init__(self, *, collector: str, version: str) -> None:
        self._endpoint = collector + _PATH
        self._version = version
        self._making = threading.Lock()
        self._tracers: dict[int, Tracer] = {}
        self.metrics = TracedMetrics(self)

    def warm_up(self) -> None:
        """Be ready to send; call it after the fork."""
        self._tracer()

    def begin(self, method: str, headers: dict[str, str]) -> Span:
        """Begin the span of a request, as part of the trace that its headers name."""
        span = self._tracer().start_span(
            method,
            _propagator.extract(headers),
            SpanKind.SERVER,
            {"http.request.method": method},
        )
        _current.set(span)
        return span

    def end(self, span: Span, *, method: str, route: str | None, status: int | None, request_id: str) -> None:
        """End the span of a request; an address is told as the rule that it is by, for some let somebody in."""
        _current.set(None)
        span.set_attribute("vitrine.request_id", request_id)
        if route is not None:
            span.update_name(f"{method} {route}")
            span.set_attribute("http.route", route)
        if status is not None:
            span.set_attribute("http.response.status_code", status)
        if status is None or status >= _SERVER_ERRORS:
            span.set_status(StatusCode.ERROR)
        span.end()

    def answered(self, model: str, version: str, timings: Timings, *, stored: bool) -> None:
        """Put an answer and its stages below the request that is being answered: it ends now."""
        request = _current.get()
        if request is None or not request.is_recording():
            return
        ends = time.time_ns()
        begins = ends - _ns(timings.total)
        told: dict[str, AttributeValue] = {"vitrine.model": model, "vitrine.version": version, "vitrine.stored": stored}
        tracer = self._tracer()
        answer = tracer.start_span("classify", set_span_in_context(request), attributes=told, start_time=begins)
        below, at = set_span_in_context(answer), begins
        for stage in _STAGES:
            until = at + _ns(getattr(timings, stage))
            tracer.start_span(stage, below, start_time=at).end(until)
            at = until
        tracer.start_span("store", below, start_time=max(at, ends - _ns(timings.store))).end(ends)
        answer.end(ends)

    def refused(self, code: str) -> None:
        """Let the span of the request say why a picture was not answered."""
        if (request := _current.get()) is not None:
            request.add_event("refused", {"vitrine.code": code})

    def _tracer(self) -> Tracer:
        tracer = self._tracers.get(os.getpid())
        return self._made() if tracer is None else tracer

    def _made(self) -> Tracer:
        # In each process by itself: what sends is a thread, which does not come through a fork.
        with self._making:
            if os.getpid() not in self._tracers:
                named = {} if "OTEL_SERVICE_NAME" in os.environ else {"service.name": "vitrine"}
                told: dict[str, AttributeValue] = {**named, "service.version": self._version, "process.pid": os.getpid()}
                provider = TracerProvider(resource=Resource.create(told))
                exporter = OTLPSpanExporter(endpoint=self._endpoint, timeout=_SECONDS)
                provider.add_span_processor(BatchSpanProcessor(exporter))
                self._tracers[os.getpid()] = provider.get_tracer("vitrine", self._version)
            return self._tracers[os.getpid()]


class TracedMetrics(Metrics):
    """Counts, and lets whatever is counted be part of its request's trace."""

    def __init__(self, tracing: Tracing) -> None:
        self._tracing = tracing

    def answered(self, model: str, version: str, timings: Timings, *, stored: bool) -> None:
        """Count one answer."""
        super().answered(model, version, timings, stored=stored)
        self._tracing.answered(model, version, timings, stored=stored)

    def refused(self, code: str) -> None:
        """Count one picture that was not answered."""
        super().refused(code)
        self._tracing.refused(code)


def _ns(ms: float) -> int:
    return int(ms * 1_000_000)
