"""Which trace a request belongs to: as whoever sends it says (https://www.w3.org/TR/trace-context/), and as we go on."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import structlog
from flask import Flask, Response, request

from app.http.context import REQUEST_ID

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from app.services.telemetry.tracing import Tracing

_ROUTE = "vitrine.route"
# A version of the standard that is yet to come may add to the end; ff is none.
_TRACEPARENT = re.compile(r"(?!ff)(?!00-.{52}.)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}(?:-.*)?")


def trace_of(traceparent: str) -> dict[str, str]:
    """Give what a line of the log tells of a trace: its two identifiers; nothing where the header is not as it should be."""
    found = _TRACEPARENT.fullmatch(traceparent)
    return {} if found is None else {"trace_id": found[1], "span_id": found[2]}


class Traced:
    """A WSGI layer that makes a span of each request; the lines of the log bear its identifiers."""

    def __init__(self, application: WSGIApplication, tracing: Tracing) -> None:
        self._application = application
        self._tracing = tracing

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request."""
        method = environ["REQUEST_METHOD"]
        headers = {name: environ.get(f"HTTP_{name.upper()}", "") for name in ("traceparent", "tracestate")}
        span = self._tracing.begin(method, headers)
        here = span.get_span_context()
        if here.is_valid:  # OTEL_SDK_DISABLED leaves none
            structlog.contextvars.bind_contextvars(trace_id=f"{here.trace_id:032x}", span_id=f"{here.span_id:016x}")
        statuses: list[int] = []

        def start(status: str, headers: list[tuple[str, str]], *error: Any) -> Callable[[bytes], object]:
            statuses.append(int(status[:3]))
            return start_response(status, headers, *error)

        try:
            return self._application(environ, start)
        finally:
            self._tracing.end(
                span,
                method=method,
                route=environ.get(_ROUTE),
                status=statuses[-1] if statuses else None,
                request_id=environ.get(REQUEST_ID, ""),
            )


def trace_requests(app: Flask, tracing: Tracing) -> None:
    """Let each request of an app have its span, by the rule that it was answered by."""

    def note(response: Response) -> Response:
        if request.url_rule is not None:
            request.environ[_ROUTE] = request.url_rule.rule
        return response

    app.after_request(note)
    app.wsgi_app = Traced(app.wsgi_app, tracing)  # type: ignore[method-assign] # Flask's documented way to wrap an app
