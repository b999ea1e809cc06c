"""What the server says itself, in the words and the form of the application, which is not asked."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass


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


OVERLOADED = Reason(
    503,
    "Service Unavailable",
    "overloaded",
    "More requests wait here than can be answered soon; please try again in a moment.",
    retry_after=2,
)
TOO_SLOW = Reason(408, "Request Timeout", "too_slow", "The request arrived too slowly; please send it again.")
HEAD_TOO_LONG = Reason(431, "Request Header Fields Too Large", "invalid_request", "The headers are longer than is taken.")
ABSURD_CHUNKS = Reason(400, "Bad Request", "invalid_request", "The body came in more and smaller chunks than are taken.")
