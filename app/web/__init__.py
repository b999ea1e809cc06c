"""Floor 4: the pages. A view parses, calls one service method, renders."""

from __future__ import annotations

from flask import Blueprint, Flask

from app.web import (
    account,
    address,
    administration,
    classify,
    dashboard,
    frame,
    history,
    invitation,
    model_uploads,
    models,
    people,
    personal_data,
    records,
    registration,
    second_factor,
    second_step,
    setup,
    single_sign_on,
)
from app.web.frame import render_page


def register_pages(app: Flask) -> None:
    """Register every page and what they share."""
    blueprints: tuple[Blueprint, ...] = (
        classify.blueprint,
        history.blueprint,
        models.blueprint,
        administration.blueprint,
        model_uploads.blueprint,
        account.blueprint,
        address.blueprint,
        personal_data.blueprint,
        second_factor.blueprint,
        second_step.blueprint,
        people.blueprint,
        dashboard.blueprint,
        records.blueprint,
        invitation.blueprint,
        registration.blueprint,
        setup.blueprint,
        single_sign_on.blueprint,
    )
    for blueprint in blueprints:
        app.register_blueprint(blueprint)
    frame.set_up(app)


__all__ = ["register_pages", "render_page"]
