"""The application factory: composition, what every door shares, and the doors."""

from __future__ import annotations

import importlib.util
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, request
from whitenoise import WhiteNoise

from app.api import register_api, render_problem
from app.composition import Services, compose, signing_key
from app.config import TREE, Settings, load_settings
from app.http import health
from app.http.context import attach, is_api
from app.http.errors import Problem, render_errors
from app.http.headers import AddedHeaders, let_in_origins, security_headers
from app.http.hosts import UnderPrefix, keep_to_known_hosts
from app.http.limits import BodyGuard
from app.http.logs import RequestLog, configure_logs
from app.http.proxies import TrustedProxies
from app.http.sessions import set_up_sessions
from app.http.traces import trace_requests
from app.services.private_files import use
from app.web import register_pages, render_page

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

_A_DAY = 86_400


class _Site(Flask):
    """Flask, for views and hooks that are plain functions."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Give the function as it is: none of ours is a coroutine, and to look costs each request seven looks."""
        return func


def create_app(settings: Settings | None = None) -> Flask:
    """Give the application; models are opened here, everything with threads or connections starts on first use."""
    settings = settings or load_settings()
    configure_logs(settings.log_format)
    services = compose(settings)
    app = _Site("app", template_folder=str(TREE / "templates"), static_folder=str(TREE / "static"))
    app.debug = False  # whatever FLASK_DEBUG says: nothing of ours is to be seen by visitors
    app.config["MAX_CONTENT_LENGTH"] = int(settings.max_request_mb * 1_000_000)
    attach(app, services)
    keep_to_known_hosts(app, settings)
    set_up_sessions(app, services, signing_key(settings))
    weakref.finalize(app, use(settings.data))
    app.register_blueprint(health.blueprint)
    register_api(app)
    register_pages(app)
    render_errors(app, _render)
    let_in_origins(app, settings.allowed_origins)
    services.loader.on_look.append(services.shadow_runner.follow)
    services.loader.open_active()
    services.loader.on_look.append(services.vital_signs.follow)  # not before: a process that others come from serves nobody
    if services.tracing is not None:
        trace_requests(app, services.tracing)
    _wrap(app, services)
    return app


def _render(problem: Problem) -> Response:
    # An address that no route has belongs to a door all the same.
    return render_problem(problem) if is_api(request) or request.path.startswith("/api/") else render_page(problem)


def _wrap(app: Flask, services: Services) -> None:
    settings = services.settings
    # The links that let somebody in: to a new password, to an account.
    secret = {rule.rule.partition("<token>")[0] for rule in app.url_map.iter_rules() if "token" in rule.arguments}
    log = RequestLog(
        app.wsgi_app,
        count=services.metrics.asked,
        failed=services.traffic.failed,
        failures_only=not settings.log_requests,
        secret=sorted(secret),
    )
    files = WhiteNoise(log, max_age=_A_DAY, allow_all_origins=False)
    for below, folder in static_folders().items():
        files.add_files(str(folder), prefix=f"/static/{below}")
    # What depends on who asks is not kept by caches; static files say themselves for how long they are.
    added = {**security_headers(https=settings.https), "Cache-Control": "no-store"}
    mounted: WSGIApplication = UnderPrefix(files, prefix=settings.prefix) if settings.prefix else files
    application: WSGIApplication = AddedHeaders(mounted, added)
    application = BodyGuard(application, most=2 * int(settings.max_request_mb * 1_000_000))
    if proxies := settings.trusted_proxies:
        application = TrustedProxies(application, hops=proxies, networks=settings.proxy_networks)
    app.wsgi_app = application  # type: ignore[method-assign] # Flask's documented way to wrap an app


def static_folders() -> dict[str, Path]:
    """Give the folders of the files that are served as they are, each with where it is below /static/."""
    return {
        "": TREE / "static",
        "bootstrap/": _wheel("flask_bootstrap") / "static" / "bootstrap5",
        "swagger-ui/": _wheel("flask_swagger_ui") / "dist",
    }


def _wheel(package: str) -> Path:
    # Found without being imported: only the wheel's files are wanted.
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"{package} is not installed")
    return Path(spec.origin).parent
