"""To a provider and back: two addresses, and one sentence on the login page where that fails."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Response, abort, flash, make_response, redirect, render_template, request, url_for

from app.errors import ProviderUnavailable, SignInRefused
from app.http.context import services, visitor
from app.http.deeds import write_attempt
from app.http.sessions import PLAIN_HTTP, protect_forms
from app.http.single_sign_on import arrive, depart, next_of_departure

if TYPE_CHECKING:
    from app.services.accounts.identity_provider import IdentityProvider

blueprint = Blueprint("single_sign_on", __name__)
protect_forms(blueprint)


@blueprint.post("/login/oidc")
def begin() -> Response:
    """Send the browser to the provider: by a page, since Chromium holds every redirect of a form against `form-action`."""
    provider, next_page = _provider(), request.form.get("next", "")
    if not services().settings.login_allowed(request.host):
        return _back(PLAIN_HTTP, next_page)
    try:
        return make_response(render_template("security/departure.html", url=depart(provider, next_page)))
    except ProviderUnavailable as error:
        return _back(str(error), next_page)


@blueprint.get("/login/oidc/callback")
def finish() -> Response:
    """Let in who comes back from the provider."""
    provider, next_page = _provider(), next_of_departure()
    try:
        return make_response(arrive(provider))
    except SignInRefused as error:
        write_attempt("login failed", "")
        return _back(str(error), next_page)
    except ProviderUnavailable as error:
        return _back(str(error), next_page)


def _provider() -> IdentityProvider:
    provider = services().identity_provider
    return abort(404) if provider is None else provider


def _back(sentence: str, next_page: str) -> Response:
    flash(sentence, "danger")
    page = "security.login" if visitor() is None else "security.verify"
    return make_response(redirect(url_for(page, next=next_page or None), 303))
