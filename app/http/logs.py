"""Logs: one JSON line an event, or readable text on a terminal."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable

import structlog
from flask import Flask, Response, g, request

from app.http.context import request_id

log = structlog.get_logger("vitrine.request")


def configure_logs(form: str) -> None:
    """Send our events and the libraries' to standard error, as `form` says: auto, json or text."""
    as_text = form == "text" or (form == "auto" and sys.stderr.isatty())
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last: structlog.types.Processor = structlog.dev.ConsoleRenderer() if as_text else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[*shared, structlog.processors.dict_tracebacks, last] if not as_text else [*shared, last],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)


def log_requests(app: Flask) -> None:
    """Write one line for each request, with the identifier that its answer bears too."""

    def begin() -> None:
        g.started = time.perf_counter()
        structlog.contextvars.bind_contextvars(request_id=request_id())

    def end(response: Response) -> Response:
        response.headers["X-Request-Id"] = request_id()
        took = round((time.perf_counter() - g.started) * 1000, 1)
        level: Callable[..., None] = log.error if response.status_code >= 500 else log.info
        level("request", method=request.method, path=request.path, status=response.status_code, ms=took)
        structlog.contextvars.clear_contextvars()
        return response

    app.before_request(begin)
    app.after_request(end)
