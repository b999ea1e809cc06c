"""What the server says itself, in the words and the form of the application, which is not asked."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass

from gunicorn.http.errors import (
    ConfigurationProblem,
    ExpectationFailed,
    InvalidResponseHeader,
    InvalidResponseHeaderName,
    LimitRequestHeaders,
    LimitRequestLine,
    ParseException,
    UnsupportedTransferCoding,
)
from gunicorn.http.message import Request


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a connection is not served."""

    status: int
    title: str
    code: str
    detail: str
    retry_after: int | None = None

    def answer(self) -> bytes:
        """Give the whole answer, after which the connection is closed."""
        identifier = secrets.token_hex(8)
        body = json.dumps(
            {
                "type": "about:blank",
                "title": self.title,
                "status": self.status,
                "code": self.code,
                "detail": self.detail,
                "request_id": identifier,
            }
        )
        retry = "" if self.retry_after is None else f"Retry-After: {self.retry_after}\r\n"
        head = (
            f"HTTP/1.1 {self.status} {self.title}\r\nConnection: close\r\n{retry}Cache-Control: no-store\r\n"
            f"X-Content-Type-Options: nosniff\r\nX-Request-Id: {identifier}\r\n"
            f"Content-Type: application/problem+json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return (head + body).encode("ascii")


def _invalid(detail: str, status: int = 400, title: str = "Bad Request") -> Reason:
    return Reason(status, title, "invalid_request", detail)


OVERLOADED = Reason(
    503,
    "Service Unavailable",
    "overloaded",
    "More requests wait here than can be answered soon; please try again in a moment.",
    retry_after=2,
)
TOO_SLOW = Reason(408, "Request Timeout", "too_slow", "The request arrived too slowly; please send it again.")
HEAD_TOO_LONG = _invalid("The headers are longer than is taken.", 431, "Request Header Fields Too Large")
ABSURD_CHUNKS = _invalid("The body came in more and smaller chunks than are taken.")
NO_HTTP = _invalid("This is not an HTTP request.")
_ADDRESS_TOO_LONG = _invalid("The address is longer than is taken.", 414, "URI Too Long")
_EXPECTS_TOO_MUCH = _invalid("Nothing but '100-continue' may be expected.", 417, "Expectation Failed")
_NOT_WELL_FORMED = _invalid("This is not a well-formed HTTP request.")
_NO_HOST = _invalid("The request does not say which host it is for.")
_TWO_HOSTS = _invalid("The request's address and its Host name different hosts.")
_CODED = _invalid("The body has a transfer coding other than 'chunked'.", 501, "Not Implemented")


def reason_of(error: Exception) -> Reason | None:
    """Tell why Gunicorn's parser took offence at a request, or None where the fault is not the request's.

    What somebody has sent is not repeated.
    """
    match error:
        case LimitRequestLine():
            return _ADDRESS_TOO_LONG
        case LimitRequestHeaders():
            return HEAD_TOO_LONG
        case UnsupportedTransferCoding():
            return _CODED
        case ExpectationFailed():
            return _EXPECTS_TOO_MUCH
        case ConfigurationProblem() | InvalidResponseHeader() | InvalidResponseHeaderName():
            return None
        case ParseException():
            return _NOT_WELL_FORMED
    return None


def ambiguity_of(request: Request) -> Reason | None:
    """Tell why a request that Gunicorn has parsed could be understood in another way by a proxy in front, or None.

    See RFC 9112, sections 3.2 and 6.1.
    """
    host, codings = "", "chunked"
    for name, value in request.headers:
        if name == "HOST":
            host = value
        elif name == "TRANSFER-ENCODING":
            codings = value
    if codings.lower() != "chunked":
        return _CODED
    if not host and request.version >= (1, 1):
        return _NO_HOST
    if request.uri[0] != "/" and "://" in request.uri and request.uri.split("/", 3)[2].lower() != host.lower():
        return _TWO_HOSTS
    return None
