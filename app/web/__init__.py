"""Floor 4: the pages. A view parses, calls one service method, renders."""

from __future__ import annotations

from flask import Blueprint, Flask

from app.web import account, administration, classify, frame, history, invitation, models, people, records, setup
from app.web.frame import render_page


def register_pages(app: Flask) -> None:
    """Register every page and what they share."""
    blueprints: tuple[Blueprint, ...] = (
        classify.blueprint,
        history.blueprint,
        models.blueprint,
        administration.blueprint,
        account.blueprint,
        people.blueprint,
        records.blueprint,
        invitation.blueprint,
        setup.blueprint,
    )
    for blueprint in blueprints:
        app.register_blueprint(blueprint)
    frame.set_up(app)


__all__ = ["register_pages", "render_page"]
