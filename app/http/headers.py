"""The security headers of every answer, static files included."""

from __future__ import annotations

from collections.abc import Mapping
from wsgiref.headers import Headers

from flask import Flask, Response
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

_HALF_A_YEAR = 15_768_000


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
        hsts=StrictTransportSecurity().max_age(_HALF_A_YEAR) if https else None,
    )
    return dict(secure.headers)


def protect(app: Flask, headers: Mapping[str, str]) -> None:
    """Add the headers to every answer; what depends on who asks is not kept by caches."""

    def add(response: Response) -> Response:
        for name, value in headers.items():
            response.headers.setdefault(name, value)
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    app.after_request(add)


def protect_file(headers: Mapping[str, str], file_headers: Headers) -> None:
    """Add the headers to a static file."""
    for name, value in headers.items():
        file_headers.setdefault(name, value)
