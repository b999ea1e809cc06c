"""The production settings of Gunicorn, each with its reason. `vitrine serve` and the container start with this file."""

import os

from app.config import load_settings
from app.http.context import services
from app.http.logs import library_logs

_settings = load_settings()

wsgi_app = "wsgi:app"
bind = f"[{_settings.host}]:{_settings.port}" if ":" in _settings.host else f"{_settings.host}:{_settings.port}"

# A thread waits while another decodes or a slow client sends; the processes use the cores.
worker_class = "gthread"
workers = _settings.workers or max(2, os.cpu_count() or 2)
threads = _settings.threads

# Imports and opened models are shared by all workers: a third less memory, and a faster start of each.
preload_app = True

# A picture is given up after `answer_within` seconds; a worker silent for longer than that hangs and is replaced.
timeout = int(_settings.answer_within) + 15
# After SIGTERM what has begun is finished; container platforms wait 30 seconds before they kill.
graceful_timeout = 25
keepalive = 5

# Heartbeat files in memory where there is such a place: on a slow disk they can block a worker.
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") and os.access("/dev/shm", os.W_OK) else None  # noqa: S108, PTH112
# The control socket would write below $HOME, which may be read-only and which nobody asked for.
control_socket_disable = True

# Every request is logged by the application, with its identifier; of Gunicorn only what goes wrong is of interest.
accesslog = None
loglevel = "warning"
logconfig_dict = library_logs(_settings.log_format)


def post_fork(_server: object, worker: object) -> None:
    """Warm every model in the worker itself: threads and sessions of a runtime do not survive a fork."""
    application = worker.app.wsgi()  # type: ignore[attr-defined]
    with application.app_context():
        services().loader.warm_up()
