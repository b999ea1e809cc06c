"""What may stand in the query of a request, and where nothing may."""

from __future__ import annotations

from typing import TypeVar

from flask import Request
from pydantic import BaseModel, ValidationError

from app.errors import InvalidRequest

_Query = TypeVar("_Query", bound=BaseModel)


def read_query(request: Request, shape: type[_Query], sentence: str) -> _Query:
    """Give the query as its shape has it, or raise InvalidRequest with a sentence that says what may be in it."""
    given = request.args.to_dict(flat=False)
    try:
        if any(len(values) > 1 for values in given.values()):
            raise InvalidRequest(sentence)
        return shape.model_validate({name: values[0] for name, values in given.items()})
    except ValidationError as error:
        raise InvalidRequest(sentence) from error


def take_nothing(request: Request) -> None:
    """Raise InvalidRequest where something comes with a request that its address has said all of."""
    if request.query_string:
        raise InvalidRequest("This address takes no query.")
    take_no_body(request)


def take_no_body(request: Request) -> None:
    """Raise InvalidRequest where a body comes with a request."""
    # A body without a length comes in pieces.
    if request.content_length or "chunked" in request.headers.get("Transfer-Encoding", "").lower():
        raise InvalidRequest("This address takes no body.")
