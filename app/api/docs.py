"""The API's document, and a page on which a visitor with a key can try each call."""

from __future__ import annotations

import orjson
from flask import Blueprint, Response, render_template, request

from app.api.openapi import document
from app.api.replies import render_problem
from app.http.errors import render_errors

blueprint = Blueprint("api_docs", __name__, url_prefix="/api")
render_errors(blueprint, render_problem)


@blueprint.get("/v1/openapi.json")
def openapi_json() -> Response:
    """Give the OpenAPI document."""
    here = {**document(), "servers": [{"url": request.script_root or "/"}]}
    return Response(orjson.dumps(here), mimetype="application/json")


@blueprint.get("/docs")
def index() -> str:
    """Show the document as a page."""
    return render_template("api/docs.html")
