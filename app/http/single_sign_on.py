"""Logging in through a provider: what a browser takes with it and brings back, and whose login begins then."""

from __future__ import annotations

import hmac
import re
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from flask import current_app, redirect, request, session, url_for
from flask_security.utils import login_user
from werkzeug.wrappers import Response

from app.composition import Services
from app.errors import SignInRefused
from app.http.context import services, visitor
from app.services.accounts.identities import Departure, Identity

if TYPE_CHECKING:
    from app.services.accounts.identity_provider import IdentityProvider

_KEY = "departure"
_GOOD_FOR = 600  # seconds
_CLOCKS_DIFFER = 60  # seconds
_LONGEST_NEXT = 1000  # characters: a cookie bears them
# A path, and nothing that a browser reads as another site's: it takes a backslash for a slash, and overlooks tabs.
_OF_OURS = re.compile(r"/(?![/\\])[^\\\x00-\x20\x7f]*")
_NOT_BEGUN = "That login was not begun in this browser, or too long ago: begin it again here."
_CANCELLED = "The provider did not log you in: you may try again."
_NOT_ANEW = "The provider did not ask you to log in again, so nothing was confirmed."
_ANOTHER = "That is not the account you are logged in with here."


def depart(provider: IdentityProvider, next_page: str) -> str:
    """Give the provider's address to send this browser to; whoever is logged in here already is asked anew there. May raise."""
    user = visitor()
    services().attempts.begin_departure(request.remote_addr or "")
    departure = provider.departure(anew=user is not None)
    session[_KEY] = {
        **{name: value for name, value in asdict(departure).items() if name != "url"},
        "next": next_page if _may_follow(next_page) else "",
        "account": None if user is None else user.id,
        "at": time.time(),
    }
    return departure.url


def arrive(provider: IdentityProvider) -> Response:
    """Let in who comes back, or make the login of this browser fresh; raises SignInRefused or ProviderUnavailable."""
    here, address = services(), request.remote_addr or ""
    taken = _taken()
    here.attempts.begin_return(address)
    if request.args.get("error") or not (code := request.args.get("code")):
        raise SignInRefused(_CANCELLED)
    departure = Departure("", taken["state"], taken["nonce"], taken["verifier"])
    identity = provider.identity(code, departure, issuer=request.args.get("iss", ""))
    if taken["account"] is None:
        _log_in(here, identity)
    else:
        _freshen(here, identity, taken)
    here.attempts.succeed_return(address)
    return redirect(taken["next"] or url_for("classify.index"), 303)


def next_of_departure() -> str:
    """Give the page that this browser wanted when it departed."""
    return str(session.get(_KEY, {}).get("next", ""))


def _taken() -> dict[str, Any]:
    """Give what this browser took along, once; raises SignInRefused where it never departed with that state."""
    taken: dict[str, Any] = session.pop(_KEY, {})
    state = request.args.get("state", "")
    if not taken or not hmac.compare_digest(taken["state"].encode(), state.encode()) or taken["at"] < time.time() - _GOOD_FOR:
        raise SignInRefused(_NOT_BEGUN)
    return taken


def _log_in(here: Services, identity: Identity) -> None:
    account = here.identities.account_of(identity, address=request.remote_addr)
    user = current_app.extensions["security"].datastore.find_user(id=account)
    login_user(user, remember=False, authn_via=["oidc"])
    # Fresh since the password was typed there, which may be long ago; a provider that does not say so vouches for nothing.
    session["fs_paa"] = min(identity.authenticated_at, time.time())


def _freshen(here: Services, identity: Identity, taken: dict[str, Any]) -> None:
    user = visitor()
    if user is None or user.id != taken["account"] or here.identities.known_account(identity) != user.id:
        raise SignInRefused(_ANOTHER)
    if not identity.authenticated_at >= taken["at"] - _CLOCKS_DIFFER:
        raise SignInRefused(_NOT_ANEW)
    session["fs_paa"] = time.time()


def _may_follow(page: str) -> bool:
    return len(page) <= _LONGEST_NEXT and _OF_OURS.fullmatch(page) is not None
