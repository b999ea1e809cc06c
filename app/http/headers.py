"""The headers of every answer, static files included."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from secure import (
    ContentSecurityPolicy,
    CrossOriginEmbedderPolicy,
    CrossOriginOpenerPolicy,
    CrossOriginResourcePolicy,
    PermissionsPolicy,
    ReferrerPolicy,
    Secure,
    StrictTransportSecurity,
    XContentTypeOptions,
    XFrameOptions,
)

from app.inference.prediction import STAGES, Timings

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment
    from flask import Flask

_A_YEAR = 31_536_000
# Two hours, the longest that Chromium remembers what it was allowed to ask.
_ALLOWED_SECONDS = 7200
# What a script of another origin may send and read besides what every script may.
_SENT = ("Authorization", "Content-Type", "Idempotency-Key")
_READ = (
    *("Idempotent-Replayed", "RateLimit", "RateLimit-Policy", "Retry-After"),
    *("Server-Timing", "WWW-Authenticate", "X-Request-Id"),
)


def security_headers(*, https: bool) -> Mapping[str, str]:
    """Give the headers that say what a browser may do with our answers: our own scripts and styles, nothing inline."""
    policy = (
        ContentSecurityPolicy()
        .default_src("'none'")
        .script_src("'self'")
        .style_src("'self'")
        .img_src("'self'", "data:", "blob:")
        .font_src("'self'")
        .connect_src("'self'")
        .form_action("'self'")
        .frame_ancestors("'none'")
        .base_uri("'none'")
    )
    secure = Secure(
        csp=policy,
        xcto=XContentTypeOptions(),
        xfo=XFrameOptions().deny(),
        referrer=ReferrerPolicy().same_origin(),
        coop=CrossOriginOpenerPolicy().same_origin(),
        coep=CrossOriginEmbedderPolicy().require_corp(),
        corp=CrossOriginResourcePolicy().same_origin(),
        permissions=PermissionsPolicy().camera("self").microphone().geolocation(),
        hsts=StrictTransportSecurity().max_age(_A_YEAR).include_subdomains() if https else None,
    )
    return dict(secure.headers)


class AddedHeaders:
    """A WSGI layer that adds headers to every answer that does not have its own of that name.

    Here and not in a hook of the framework: static files and refusals of the layers around it need them too.
    """

    def __init__(self, application: WSGIApplication, headers: Mapping[str, str]) -> None:
        self._application = application
        self._headers = [(name.lower(), (name, value)) for name, value in headers.items()]

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request."""

        def start(status: str, headers: list[tuple[str, str]], *error: Any) -> Callable[[bytes], object]:
            present = {name.lower() for name, _ in headers}
            added = [header for name, header in self._headers if name not in present]
            return start_response(status, [*headers, *added], *error)

        return self._application(environ, start)


def let_in_origins(app: Flask, origins: Sequence[str]) -> None:
    """Let scripts on pages of these origins use the API, with a key and never with a cookie; where there are none, do nothing.

    On the app and not on the API's blueprints: an address that none of them has is answered, too, and several apps share them.
    `Cross-Origin-Resource-Policy` stays as it is: it is for what is fetched without asking whether it may be read.
    """
    if not origins:
        return
    from flask_cors import CORS

    CORS(
        app,
        resources=re.compile("/api/"),
        # As patterns, since the library takes an address in brackets for one.
        origins=[re.compile(re.escape(origin) + r"\Z", re.IGNORECASE) for origin in origins],
        methods=["GET", "POST", "DELETE"],
        allow_headers=list(_SENT),
        expose_headers=list(_READ),
        max_age=_ALLOWED_SECONDS,
        supports_credentials=False,
        always_send=False,
        intercept_exceptions=False,  # errors leave as answers, which have passed by here
    )


def server_timing(timings: Timings) -> str:
    """Give the value of Server-Timing (https://www.w3.org/TR/server-timing/), which browsers show beside each request."""
    return ", ".join(f"{stage};dur={getattr(timings, stage):.3f}" for stage in STAGES)
