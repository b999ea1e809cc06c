"""How the API writes its answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from flask import Response

from app.api.schemas import ProblemDetails
from app.http.context import request_id
from app.http.errors import Problem


def reply(content: Mapping[str, Any]) -> Response:
    """Give an answer as JSON."""
    return Response(orjson.dumps(content), content_type="application/json")


def render_problem(problem: Problem) -> Response:
    """Give an error as RFC 9457 has it."""
    body = ProblemDetails(
        title=problem.title, status=problem.status, detail=problem.detail, code=problem.code, request_id=request_id()
    )
    return Response(orjson.dumps(body.model_dump()), status=problem.status, mimetype="application/problem+json")
