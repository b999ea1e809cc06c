"""A picture out of an API request: as a form's file, as the raw body, or as base64 inside JSON."""

from __future__ import annotations

import base64
import re

import orjson
from flask import Request
from pydantic import ValidationError

from app.api.schemas import PredictBody
from app.errors import ImageTooLarge, InvalidRequest
from app.http.limits import FORM_OVERHEAD, read_body

_DATA_URL = re.compile(r"data:[\w.+/-]*(?:;[\w=.+-]+)*;base64,", re.IGNORECASE)
# Where what stands before the picture must end: a text of millions of parameters costs the pattern seconds and a gigabyte.
_LONGEST_PREFIX = 200


def read_upload(request: Request, largest: int) -> bytes:
    """Give the picture's bytes, or raise InvalidRequest or ImageTooLarge; what they hold is not looked at yet."""
    if request.mimetype == "multipart/form-data":
        return _from_form(request, largest)
    if request.mimetype == "application/json":
        return _from_json(read_body(request, largest * 4 // 3 + FORM_OVERHEAD))
    # Any other type is the raw picture: the bytes decide what it is, and curl sends files as urlencoded forms.
    return read_body(request, largest)


def _from_form(request: Request, largest: int) -> bytes:
    most = largest + FORM_OVERHEAD
    if request.content_length is not None and request.content_length > most:
        raise ImageTooLarge(f"This request is larger than the {largest / 1_000_000:g} MB that are taken.")
    request.max_content_length = most
    files = list(request.files.items(multi=True))
    if [field for field, _ in files] != ["image"] or request.form:
        raise InvalidRequest("Send one file in the form field 'image' and nothing else.")
    return files[0][1].stream.read()


def _from_json(body: bytes) -> bytes:
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise InvalidRequest("The body is not valid JSON.") from error
    try:
        text = PredictBody.model_validate(content).image
    except ValidationError as error:
        raise InvalidRequest('The body must be {"image": "<base64 or data URL>"} and nothing else.') from error
    prefix = _DATA_URL.match(text, 0, _LONGEST_PREFIX)
    try:
        return base64.b64decode(text[prefix.end() :] if prefix else text, validate=True)
    except ValueError as error:  # binascii.Error is one; letters outside ASCII raise a plain one
        raise InvalidRequest("The field 'image' is not valid base64.") from error
