"""What every page shares: the values in its frame, its filters, and the page an error is told on."""

from __future__ import annotations

from datetime import datetime
from types import SimpleNamespace
from typing import Any

from flask import Flask, Response, jsonify, make_response, render_template, request, url_for
from markupsafe import Markup

from app.http.context import request_id, services, wants_json
from app.http.errors import Problem
from app.http.sessions import PLAIN_HTTP
from app.inference.images import ACCEPTED, ACCEPTED_MEDIA_TYPES
from app.inference.naming import percent

# In this order, for most of them claim to be others as well.
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


def set_up(app: Flask) -> None:
    """Give the templates of an app what they share."""
    app.context_processor(_values)
    app.add_template_filter(percent)
    app.add_template_filter(when)
    app.add_template_filter(browser)


def when(moment: datetime) -> Markup:
    """Give a moment as text for people and for programs."""
    return Markup('<time datetime="{}">{}</time>').format(
        moment.isoformat(timespec="seconds"), f"{moment:%-d %B %Y, %H:%M} UTC"
    )


def browser(user_agent: str) -> str:
    """Give the name of a browser and of its system, as people know them, of what it says of itself."""
    name = next((name for mark, name in _BROWSERS if mark in user_agent), "")
    system = next((name for mark, name in _SYSTEMS if mark in user_agent), "")
    return " on ".join(filter(None, (name or "A browser", system)))


def problem_json(problem: Problem) -> Response:
    """Give an error as RFC 9457 has it, for the pages' own script."""
    body = {"title": problem.title, "status": problem.status, "detail": problem.detail, "code": problem.code}
    response = jsonify(body)
    response.mimetype = "application/problem+json"
    return response


def render_page(problem: Problem) -> Response:
    """Give the page an error is told on."""
    if wants_json():
        return problem_json(problem)
    page = render_template(
        "errors/error.html", status=problem.status, title=problem.title, detail=problem.detail, request_id=request_id()
    )
    return make_response(page)


def _values() -> dict[str, Any]:
    settings = services().settings
    return {
        "site": SimpleNamespace(
            name="Vitrine",
            address=settings.address,
            origin=settings.origin,
            access=settings.access,
            registration=settings.registration,
            letters=services().post.goes,
            keep_days=settings.keep_days,
            history=settings.history,
            single_sign_on=settings.oidc_name if settings.oidc_url else None,
            passkeys=services().passkeys.possible,
        ),
        "limits": SimpleNamespace(
            file_megabytes=f"{settings.max_file_mb:g}",
            request_megabytes=f"{settings.max_request_mb:g}",
            photos=settings.max_photos,
        ),
        "accepted_names": f"{', '.join(ACCEPTED[:-1])} or {ACCEPTED[-1]}",
        "accepted_types": ",".join(ACCEPTED_MEDIA_TYPES),
        "login_refused": None if settings.login_allowed(request.host) else PLAIN_HTTP,
        "asset": lambda path: url_for("static", filename=path),
    }
