"""Which version of a model answers, changed by a key: each deed is written down with the key's owner."""

from __future__ import annotations

from dataclasses import replace

from flask import Blueprint, Response, request

from app.api.access import key_holder
from app.api.openapi import Operation, documented
from app.api.queries import read_query, take_no_body, take_nothing
from app.api.replies import render_problem, reply
from app.api.schemas import (
    ActivateQuery,
    ClassPair,
    RunningShadow,
    ShadowAgreement,
    ShadowChange,
    ShadowQuery,
    VersionChange,
)
from app.http.context import services
from app.http.errors import render_errors
from app.services.versions import Change

blueprint = Blueprint("api_versions", __name__, url_prefix="/api/v1/models/<name>/versions/<version>")
render_errors(blueprint, render_problem)

_TAKEN = "The query may hold confirm_flips, true or false, and nothing else."


@blueprint.post("/activate")
@documented(Operation("activate_version", VersionChange, "models", query=ActivateQuery, refusals=(404, 409)))
def activate(name: str, version: str) -> Response:
    """Let a version answer from now on, once it has answered what pictures there are; refused where too many answers flip."""
    holder = key_holder("models:write")
    confirmed = read_query(request, ActivateQuery, _TAKEN).confirm_flips
    take_no_body(request)
    actor = replace(holder.actor, address=request.remote_addr)
    return _told(name, services().versions.activate(name, version, actor, confirmed=confirmed))


@blueprint.post("/rollback")
@documented(Operation("roll_back_version", VersionChange, "models", refusals=(404,)))
def roll_back(name: str, version: str) -> Response:
    """Let the version answer that was active before this one; refused where this one is not active."""
    holder = key_holder("models:write")
    take_nothing(request)
    return _told(name, services().versions.roll_back(name, replace(holder.actor, address=request.remote_addr), leave=version))


@blueprint.get("/shadow")
@documented(Operation("show_shadow", ShadowAgreement, "models", refusals=(404,)))
def show_shadow(name: str, version: str) -> Response:
    """Tell whether a version runs in the shadow of the active one, and how the two agree."""
    key_holder("models:write")
    take_nothing(request)
    here = services()
    here.repository.package(name, version)
    state, found = here.shadows.state(name), here.shadows.agreement(name, version)
    told = ShadowAgreement(
        name=name,
        version=version,
        active_version=found.against,
        share=state.share if state is not None and state.version == version else None,
        answered=found.answered,
        same=found.same,
        failed=found.failed,
        passed_over=found.passed_over,
        mean_difference=found.difference,
        mean_ms=found.ms,
        differing=[ClassPair(active=pair.label, shadow=pair.shadow_label, count=pair.count) for pair in found.pairs],
    )
    return reply(told.model_dump())


@blueprint.post("/shadow")
@documented(Operation("begin_shadow", ShadowChange, "models", query=ShadowQuery, refusals=(404,)))
def begin_shadow(name: str, version: str) -> Response:
    """Let a version run in the shadow of the active one: it looks at a share of the pictures, and answers nobody."""
    holder = key_holder("models:write")
    query = read_query(request, ShadowQuery, "The query may hold share, more than 0 and at most 1, and nothing else.")
    take_no_body(request)
    actor = replace(holder.actor, address=request.remote_addr)
    recorded = services().shadows.begin(name, version, query.share, actor)
    shadow = RunningShadow(version=version, share=query.share)
    return reply(ShadowChange(name=name, shadow=shadow, recorded=recorded).model_dump())


@blueprint.delete("/shadow")
@documented(Operation("end_shadow", ShadowChange, "models", refusals=(404,)))
def end_shadow(name: str, version: str) -> Response:
    """Let a version run in the shadow no more; refused where it does not."""
    holder = key_holder("models:write")
    take_nothing(request)
    actor = replace(holder.actor, address=request.remote_addr)
    recorded = services().shadows.end(name, actor, version=version)
    return reply(ShadowChange(name=name, shadow=None, recorded=recorded).model_dump())


def _told(name: str, change: Change) -> Response:
    replayed, flipped = (0, 0) if change.figures is None else (change.figures.replayed, change.figures.flipped)
    told = VersionChange(name=name, active_version=change.active, recorded=change.recorded, replayed=replayed, flipped=flipped)
    return reply(told.model_dump())
