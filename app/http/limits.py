"""How much of a request is read, and what becomes of one that cannot be parsed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from flask import Request

from app.errors import ImageTooLarge, InvalidRequest

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# Room for the boundaries, the headers and the few small fields around a picture.
FORM_OVERHEAD = 65_536


class MalformedBodyGuard:
    """The outermost WSGI layer: a body that the server cannot parse, met while reading it, is the client's error: 400.

    Servers raise their own exceptions from `wsgi.input.read` for broken chunks; without this they end as 500.
    """

    def __init__(self, application: WSGIApplication) -> None:
        self._application = application

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request."""
        environ["wsgi.input"] = _GuardedInput(environ["wsgi.input"])
        return self._application(environ, start_response)


class _GuardedInput:
    """Turns whatever a server raises while it reads a body into the exception Werkzeug has for a client gone astray."""

    def __init__(self, stream: object) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> object:
        attribute = getattr(self._stream, name)
        if not callable(attribute):
            return attribute

        def guarded(*arguments: object) -> object:
            try:
                return attribute(*arguments)
            except Exception as error:
                raise InvalidRequest("The body of the request could not be read.") from error

        return guarded


def read_body(request: Request, most: int) -> bytes:
    """Give the whole body, or raise ImageTooLarge where it has more than `most` bytes, before reading where it says so."""
    if request.content_length is not None and request.content_length > most:
        raise ImageTooLarge(_too_large(most))
    request.max_content_length = most + 1
    body = request.get_data(cache=False)
    if len(body) > most:
        raise ImageTooLarge(_too_large(most))
    if request.content_length is not None and len(body) != request.content_length:
        raise InvalidRequest("The request ended before its body was complete.")
    return body


def _too_large(most: int) -> str:
    return f"This request is larger than the {most / 1_000_000:.0f} MB that are taken."
