"""Answering a request once that a program sends again because it never saw the answer.

The header is that of the IETF's draft (draft-ietf-httpapi-idempotency-key-header-07).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable

import orjson
from flask import Request, Response

from app.api.replies import reply
from app.errors import InvalidRequest, PredictionNotFound
from app.http.context import services
from app.services.accounts.api_keys import KeyHolder
from app.services.idempotency import Claim

HEADER, REPLAYED = "Idempotency-Key", "Idempotent-Replayed"
# The draft has a quoted string; nearly everybody sends it bare.
_NAME = re.compile(r'"((?:[ !#-\[\]-~]|\\["\\]){1,255})"|([!#-\[\]-~]{1,255})')


def answered_once(
    request: Request,
    upload: bytes,
    holder: KeyHolder,
    *,
    classify: Callable[[str | None], Response],
    find: Callable[[str], Response],
) -> Response:
    """Give what `classify` answers, or what it did when a request of this name was sent before.

    `classify` gets the identifier that its prediction bears; `find` answers with the prediction of one that is stored, or
    raises PredictionNotFound.
    """
    name = _name(request)
    if name is None:
        return classify(None)
    once = services().idempotency
    claim = once.begin(holder.key_id, name, _fingerprint(request, upload))
    if claim.answer is not None:
        return _replayed(reply(claim.answer))
    try:
        response = _found(claim, find) or classify(claim.prediction_id)
    except Exception:
        once.release(claim)
        raise
    once.finish(claim, orjson.loads(response.data))
    return response


def _found(claim: Claim, find: Callable[[str], Response]) -> Response | None:
    """Give the answer of a process that died between storing it and saying so."""
    if not claim.taken_over:
        return None
    try:
        return _replayed(find(claim.prediction_id))
    except PredictionNotFound:
        return None


def _replayed(response: Response) -> Response:
    response.headers[REPLAYED] = "true"
    return response


def _name(request: Request) -> str | None:
    given = request.headers.get(HEADER)
    if given is None:
        return None
    found = _NAME.fullmatch(given.strip())
    if found is None:
        raise InvalidRequest("An Idempotency-Key is a text of 1 to 255 visible ASCII characters, such as a UUID.")
    return found[2] or re.sub(r"\\(.)", r"\1", found[1])


def _fingerprint(request: Request, upload: bytes) -> str:
    # Of the picture itself: a form that is made again has another boundary.
    asked = f"{request.path}?{request.query_string.decode('latin-1')}\n".encode()
    return hashlib.sha256(asked + hashlib.sha256(upload).digest()).hexdigest()
