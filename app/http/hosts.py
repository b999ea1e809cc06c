"""Under which names the site answers, and below which path: no name of somebody else's that leads here may lend us its
visitors' trust.

And over what: where people reach it over https, a page that a proxy of ours was asked for over plain http is shown over https.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flask import Flask, redirect, request
from werkzeug.wrappers import Response

from app.config import Settings
from app.errors import UnknownHost
from app.http.context import METRICS, is_api

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# Probes of platforms know the machine, not what people call the site, and learn nothing that is worth a trick.
_PROBES = ("/livez", "/readyz")
# So does Prometheus, which needs a key, or a name or number of ours where everybody may ask.
_NOT_BELOW = (*_PROBES, METRICS)
# Names are worked out once, and no more are remembered than this: strangers may make up as many as they like.
_MOST_REMEMBERED = 64


class UnderPrefix:
    """Takes the path of the public address off each request's, and answers nothing that is asked for elsewhere.

    It goes to SCRIPT_NAME, from which the framework builds its links; a server that does the same has done so already.
    """

    def __init__(self, application: WSGIApplication, *, prefix: str) -> None:
        self._application = application
        self._prefix = prefix
        self._elsewhere = f"This site is at {prefix}/ and nowhere else.\n".encode()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request."""
        path = environ.get("PATH_INFO", "")
        if path == self._prefix or path.startswith(f"{self._prefix}/"):
            environ["SCRIPT_NAME"] = environ.get("SCRIPT_NAME", "") + self._prefix
            environ["PATH_INFO"] = path.removeprefix(self._prefix)
        elif path not in _NOT_BELOW and not environ.get("SCRIPT_NAME", "").endswith(self._prefix):
            start_response("404 Not Found", [("Content-Type", "text/plain; charset=utf-8")])
            return [self._elsewhere]
        return self._application(environ, start_response)


def keep_to_known_hosts(app: Flask, settings: Settings) -> None:
    """Answer under the public address, the names in the settings and this machine's own, and under no other.

    Where no public address is set, any numeric address does: a name of somebody else's is what a trick would need.
    """
    names = {*settings.host_names, "localhost"}
    anonymous, keyed = not settings.public_url, settings.metrics == "key"
    if anonymous:
        machine = os.uname().nodename.lower()
        names |= {machine, f"{machine}.local"}

    @lru_cache(_MOST_REMEMBERED)
    def known(host: str) -> bool:
        return _known(host, names, any_address=anonymous)

    def check() -> Response | None:
        if request.path in _PROBES:
            return None
        if not known(request.host) and not (request.path == METRICS and _may_be_read(request.host, keyed=keyed)):
            raise UnknownHost("This site is not served under that name; its operator may add it to VITRINE_HOSTS.")
        # No program is led on: it would go on sending its key in the clear, and never know.
        if settings.https and request.method in ("GET", "HEAD") and not is_api(request) and _came_in_the_clear():
            return redirect(request.url.replace("http://", "https://", 1), 308)
        return None

    app.before_request(check)


def _came_in_the_clear() -> bool:
    """Tell whether a proxy that is trusted says so; who asks without one is on this machine, or a probe."""
    trusted = "werkzeug.proxy_fix.orig" in request.environ
    return trusted and request.scheme == "http" and "X-Forwarded-Proto" in request.headers


def _may_be_read(host: str, *, keyed: bool) -> bool:
    """Tell whether the numbers may be asked for under a name that is not ours.

    A page of somebody else's can have a browser ask under a name of theirs, but can give it no key. And under a number, which
    is what a platform calls a machine, the page is of another origin and reads nothing.
    """
    return keyed or _known(host, set(), any_address=True)


def _known(host: str, names: set[str], *, any_address: bool) -> bool:
    if "@" in host:  # what stands before it would be taken for a user's name
        return False
    try:
        name = (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return False
    if name in names:
        return True
    try:
        address = ip_address(name)
    except ValueError:
        return False
    return any_address or address.is_loopback
