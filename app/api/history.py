"""What a key's owner was answered, on pages and by keys."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request

from app.api.access import key_holder
from app.api.openapi import Operation, documented
from app.api.predictions import content_of
from app.api.queries import read_query, take_nothing
from app.api.replies import render_problem, reply
from app.api.schemas import HistoryQuery, PredictionList, StoredAnswer
from app.http.context import services
from app.http.errors import render_errors
from app.services.history import HistoryItem
from app.services.recorder import Owner

blueprint = Blueprint("api_history", __name__, url_prefix="/api/v1")
render_errors(blueprint, render_problem)

_TAKEN = "The query may hold limit, from 1 to 100, and before, the identifier of a prediction, and nothing else."


@blueprint.get("/predictions")
@documented(Operation("list_predictions", PredictionList, "history", query=HistoryQuery))
def list_predictions() -> Response:
    """List what the key's owner was answered, newest first."""
    holder = key_holder("history:read")
    query = read_query(request, HistoryQuery, _TAKEN)
    page = services().history.before(Owner(account=holder.account), query.before, query.limit)
    return reply({"predictions": [_content(item) for item in page.items], "next": page.next})


@blueprint.get("/predictions/<prediction_id>")
@documented(Operation("show_prediction", StoredAnswer, "history", refusals=(404,)))
def show_prediction(prediction_id: str) -> Response:
    """Give one answer out of the history of the key's owner."""
    holder = key_holder("history:read")
    take_nothing(request)
    return reply(_content(services().history.get(Owner(account=holder.account), prediction_id)))


def _content(item: HistoryItem) -> dict[str, Any]:
    made = item.prediction
    return {
        **content_of(made, stored=True),
        "file_name": item.file_name,
        "created_at": made.created_at.isoformat(timespec="milliseconds"),
    }
