"""Which version of a model answers, changed by a key: each deed is written down with the key's owner."""

from __future__ import annotations

from dataclasses import replace

from flask import Blueprint, Response, request

from app.api.access import key_holder
from app.api.openapi import Operation, documented
from app.api.queries import take_nothing
from app.api.replies import render_problem, reply
from app.api.schemas import VersionChange
from app.http.context import services
from app.http.errors import render_errors
from app.services.versions import Change

blueprint = Blueprint("api_versions", __name__, url_prefix="/api/v1/models/<name>/versions/<version>")
render_errors(blueprint, render_problem)


@blueprint.post("/activate")
@documented(Operation("activate_version", VersionChange, "models", refusals=(404,)))
def activate(name: str, version: str) -> Response:
    """Let a version answer from now on."""
    holder = key_holder("models:write")
    take_nothing(request)
    return _told(name, services().versions.activate(name, version, replace(holder.actor, address=request.remote_addr)))


@blueprint.post("/rollback")
@documented(Operation("roll_back_version", VersionChange, "models", refusals=(404,)))
def roll_back(name: str, version: str) -> Response:
    """Let the version answer that was active before this one; refused where this one is not active."""
    holder = key_holder("models:write")
    take_nothing(request)
    return _told(name, services().versions.roll_back(name, replace(holder.actor, address=request.remote_addr), leave=version))


def _told(name: str, change: Change) -> Response:
    return reply(VersionChange(name=name, active_version=change.active, recorded=change.recorded).model_dump())
