"""Logs: one JSON line an event, or readable text on a terminal."""

from __future__ import annotations

import contextlib
import json
import logging.config
import random
import re
import sys
import time
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TextIO, cast

import orjson
import structlog

from app.http.context import REQUEST_ID
from app.http.traces import trace_of

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_SHARED: list[structlog.types.Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


class _Unfailing:
    """A stream whose faults, such as a full disk behind it, keep nobody from being answered."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        with contextlib.suppress(OSError):
            self._stream.write(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError):
            self._stream.flush()


def configure_logs(form: str) -> None:
    """Send our events and the libraries' to standard error, as `form` says: auto, json or text."""
    structlog.configure(
        processors=[*_SHARED, *_renderers(form)],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        # A line and its end in one write: two threads' lines would otherwise end up in each other.
        logger_factory=structlog.WriteLoggerFactory(cast(TextIO, _Unfailing(sys.stderr))),
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
    return [structlog.processors.ExceptionRenderer(tracebacks), structlog.processors.JSONRenderer(_json)]


def _json(event: object, default: Callable[[Any], Any], **_: object) -> str:
    try:
        line = orjson.dumps(event, default).decode()
    except TypeError:  # half a character, or a number beyond 64 bits, which the standard library writes all the same
        line = ""
    # Among what is not ASCII are characters that end a line for whoever reads the log; the standard library escapes them. And
    # neither escapes the one that deletes.
    line = line if line.isascii() and line else json.dumps(event, default=default)
    return line.replace("\x7f", "\\u007f")


class RequestLog:
    """A WSGI layer that writes a line for each request, or each that failed, with the identifier that its answer bears.

    It knows of each request what became of it, and so tells `count` its path, its method and its status.

    Of an address that begins as one of `secret` it writes only that beginning: what follows would let in whoever reads the log.
    Who asked for too much, and whom the site failed, is told to `failed` by the status.
    """

    def __init__(
        self,
        application: WSGIApplication,
        *,
        count: Callable[[str, str, int], None] = lambda _path, _method, _status: None,
        failures_only: bool = False,
        secret: Iterable[str] = (),
        failed: Callable[[int], None] = lambda _status: None,
    ) -> None:
        self._application = application
        self._count = count
        self._failures_only = failures_only
        self._failed = failed
        beginnings = "|".join(re.escape(beginning).replace("/", "/+") for beginning in secret)
        self._secret = re.compile(f"({beginnings}).+", re.DOTALL) if beginnings else None
        # Now, as it is configured: a proxy would assemble a logger for each line.
        self._log = structlog.get_logger("vitrine.request").bind()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request."""
        # No secret, and the system is not asked for it: every call of it lets go of the interpreter.
        started, identifier = time.perf_counter(), f"{random.getrandbits(64):016x}"
        environ[REQUEST_ID] = identifier
        statuses: list[str] = []

        def start(status: str, headers: list[tuple[str, str]], *error: Any) -> Callable[[bytes], object]:
            statuses.append(status)
            return start_response(status, [*headers, ("X-Request-Id", identifier)], *error)

        structlog.contextvars.bind_contextvars(request_id=identifier, address=environ.get("REMOTE_ADDR", ""))
        if traceparent := environ.get("HTTP_TRACEPARENT"):
            structlog.contextvars.bind_contextvars(**trace_of(traceparent))
        try:
            answer = self._application(environ, start)
        finally:
            if statuses:
                status = int(statuses[-1][:3])
                self._count(environ.get("PATH_INFO", ""), environ["REQUEST_METHOD"], status)
                self._write(environ, status, time.perf_counter() - started)
            structlog.contextvars.clear_contextvars()
        return answer

    def _write(self, environ: WSGIEnvironment, status: int, seconds: float) -> None:
        # Whoever watches whether the site is ready has asked for nothing else.
        if (status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.TOO_MANY_REQUESTS) and (
            environ["PATH_INFO"] != "/readyz"
        ):
            self._failed(status)
        if self._failures_only and status < HTTPStatus.INTERNAL_SERVER_ERROR:
            return
        path = f"{environ.get('SCRIPT_NAME', '')}{environ.get('PATH_INFO', '')}".encode("latin-1").decode(errors="replace")
        if self._secret is not None:
            path = self._secret.sub(r"\1(secret)", path)
        write: Callable[..., None] = self._log.error if status >= HTTPStatus.INTERNAL_SERVER_ERROR else self._log.info
        write("request", method=environ["REQUEST_METHOD"], path=path, status=status, ms=round(seconds * 1000, 1))
