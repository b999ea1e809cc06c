"""How much of a request is read, and what becomes of one that cannot be parsed."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, BinaryIO

from flask import Flask, Request, request

from app.errors import ImageTooLarge, InvalidRequest

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# Room for the boundaries, the headers and the few small fields around a picture.
FORM_OVERHEAD = 65_536
_PIECE = 65_536
# The longest password is shorter, and so is every address.
_LONGEST_TEXT = 4_096


class BodyGuard:
    """The outermost WSGI layer around the body of every request, on whatever server.

    A body that the server cannot parse, met while reading it, is the client's error (400): servers raise exceptions of their
    own from `wsgi.input.read` for broken chunks. And what a refusal left unread is read and thrown away, up to `most` bytes:
    a client that is still sending would otherwise meet a closed connection instead of the sentence that says why.
    """

    def __init__(self, application: WSGIApplication, *, most: int) -> None:
        self._application = application
        self._most = most

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request."""
        body = environ["wsgi.input"] = _CountedBody(environ["wsgi.input"])
        answer = self._application(environ, start_response)
        length = environ.get("CONTENT_LENGTH") or "0"
        if length.isdigit() and int(length) <= self._most:
            body.discard(int(length))
        return answer


class _CountedBody:
    """A request's body that counts what was read, and whose faults are the client's."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._count = 0

    def read(self, size: int = -1) -> bytes:
        """Give the next bytes."""
        return self._counted(self._stream.read, size)

    def readline(self, size: int = -1) -> bytes:
        """Give the next line."""
        return self._counted(self._stream.readline, size)

    def discard(self, length: int) -> None:
        """Read what is left of a body of `length` bytes, and forget it."""
        with contextlib.suppress(InvalidRequest):
            while self._count < length and self.read(min(_PIECE, length - self._count)):
                pass

    def _counted(self, read: Callable[[int], bytes], size: int) -> bytes:
        try:
            content = read(size)
        except Exception as error:
            raise InvalidRequest("The body of the request could not be read.") from error
        self._count += len(content)
        return content


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


def bound_account_forms(app: Flask) -> None:
    """Let the accounts library have forms of short texts alone: JSON of any shape and endless passwords are errors in it."""

    def check() -> None:
        if request.is_json:
            raise InvalidRequest("Send this as a form.")
        if any(len(text) > _LONGEST_TEXT for _, text in request.form.items(multi=True)):
            raise InvalidRequest("A text in this form is longer than is taken.")

    app.before_request_funcs.setdefault("security", []).append(check)


def _too_large(most: int) -> str:
    return f"This request is larger than the {most / 1_000_000:.0f} MB that are taken."
