"""Logs: one JSON line an event, or readable text on a terminal."""

from __future__ import annotations

import logging.config
import sys
import time
from collections.abc import Callable
from typing import Any

import structlog
from flask import Flask, Response, g, request

from app.http.context import request_id

log = structlog.get_logger("vitrine.request")

_SHARED: list[structlog.types.Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


def configure_logs(form: str) -> None:
    """Send our events and the libraries' to standard error, as `form` says: auto, json or text."""
    structlog.configure(
        processors=[*_SHARED, *_renderers(form)],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        # A line and its end in one write: two threads' lines would otherwise end up in each other.
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    logging.config.dictConfig(library_logs(form))


def library_logs(form: str) -> dict[str, Any]:
    """Give the configuration by which other people's events leave as ours do, Gunicorn's about broken requests included."""
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=_SHARED,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_renderers(form)],
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"ours": {"()": lambda: formatter}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "ours", "stream": "ext://sys.stderr"}},
        "root": {"level": "WARNING", "handlers": ["stderr"]},
        "loggers": {"gunicorn.error": {"level": "WARNING", "handlers": [], "propagate": True}},
    }


def _renderers(form: str) -> list[structlog.types.Processor]:
    # Never the variables beside a traceback, which both renderers would print: passwords and keys are among them.
    if form == "text" or (form == "auto" and sys.stderr.isatty()):
        return [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
    tracebacks = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
    return [structlog.processors.ExceptionRenderer(tracebacks), structlog.processors.JSONRenderer()]


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
