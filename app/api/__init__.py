"""Floor 4: our own JSON API, /api/v1."""

from __future__ import annotations

from flask import Blueprint, Flask

from app.api import administration, docs, history, metrics, models, predictions, versions
from app.api.replies import render_problem
from app.http.key_uses import count_uses


def register_api(app: Flask) -> None:
    """Register every route of the API; its errors leave as problems."""
    blueprints: tuple[Blueprint, ...] = (
        predictions.blueprint,
        history.blueprint,
        models.blueprint,
        versions.blueprint,
        administration.blueprint,
        docs.blueprint,
        metrics.blueprint,
    )
    for blueprint in blueprints:
        app.register_blueprint(blueprint)
    count_uses(app)


__all__ = ["register_api", "render_problem"]
