"""The production settings of Gunicorn, each with its reason. `vitrine serve` and the container start with this file."""

import contextlib
import gc
import os
import shutil
import signal
import tempfile
import threading
from pathlib import Path

from app.config import load_settings
from app.http.context import services
from app.http.logs import library_logs
from app.server.allocation import allow_files, bound_arenas, load_undisturbed, settle
from app.server.native_messages import keep_log_apart, log_native_messages
from app.server.refusals import OVERLOADED
from app.server.worker import forget
from app.services.telemetry.exposition import is_shared_folder, shared_folder, sweep
from app.services.telemetry.numbers import FOLDER_VARIABLE

_settings = load_settings()

wsgi_app = "wsgi:app"
bind = f"[{_settings.host}]:{_settings.port}" if ":" in _settings.host else f"{_settings.host}:{_settings.port}"

# A thread waits while another decodes or a slow client sends; the processes use the cores. It is "gthread" with a few changes.
worker_class = "app.server.worker.Worker"
workers = _settings.workers or max(2, os.cpu_count() or 2)
threads = _settings.threads

# A connection that waits is a file, and so may be what it has sent. Beyond this, each that comes ends the one that is slowest.
worker_connections = min(1000, allow_files(4096) // 3)

bound_arenas(2)
load_undisturbed()
# Imports and opened models are shared by all workers: a third less memory, and a faster start of each.
preload_app = True

# A picture is given up after `answer_within` seconds; a worker silent for longer than that hangs and is replaced.
timeout = int(_settings.answer_within) + 15
# After SIGTERM what has begun is finished; most container platforms wait 30 seconds before they kill, and some wait for 10.
graceful_timeout = _settings.stop_within
keepalive = 5

# Heartbeat files in memory where there is such a place: on a slow disk they can block a worker.
_memory = "/dev/shm" if os.path.isdir("/dev/shm") and os.access("/dev/shm", os.W_OK) else None  # noqa: S108, PTH112
worker_tmp_dir = _memory
# Where the workers count together. Never on the data's disk: a full one would end a process that writes to a mapped file.
# One that is named already may be this process's own (a reload), or that of the one it takes the place of (an upgrade).
_counting = None
if FOLDER_VARIABLE not in os.environ or is_shared_folder(os.environ[FOLDER_VARIABLE]):
    _counting = shared_folder(Path(_memory or tempfile.gettempdir()))
    os.environ[FOLDER_VARIABLE] = str(_counting)
# The control socket would write below $HOME, which may be read-only and which nobody asked for.
control_socket_disable = True

# Every request is logged by the application, with its identifier; of Gunicorn only what goes wrong is of interest.
accesslog = None
keep_log_apart()
logger_class = "app.server.worker.Logs"
loglevel = "warning"
logconfig_dict = library_logs(_settings.log_format)


def when_ready(server: object) -> None:
    """Everything is loaded and nothing forked yet: what is in memory now is what the workers share."""
    application = server.app.wsgi()  # type: ignore[attr-defined]
    with application.app_context():
        services().metrics.warm_up()
    settle()


def post_fork(_server: object, worker: object) -> None:
    """Warm every model in the worker itself, for a runtime's threads do not survive a fork; requests are answered meanwhile."""
    gc.enable()  # a reload has read these settings again, and switched it off
    # Until Gunicorn sets its handlers the master's would swallow an end that comes this early, and the worker be waited for.
    # It leaves with 0: that one was killed would be told to whoever pressed Ctrl-C.
    for end in (signal.SIGTERM, signal.SIGQUIT, signal.SIGINT):
        signal.signal(end, lambda *_: os._exit(0))
    log_native_messages()
    application = worker.app.wsgi()  # type: ignore[attr-defined]
    with application.app_context():
        here = services()
    worker.most = int(_settings.max_request_mb * 1_000_000)  # type: ignore[attr-defined]
    here.vital_signs.lines["thread"] = lambda: worker.waiting  # type: ignore[attr-defined]

    def refused(code: str) -> None:
        here.metrics.refused(code)
        here.traffic.refused(code)
        if code == OVERLOADED.code:
            here.traffic.failed(OVERLOADED.status)

    worker.refused = refused  # type: ignore[attr-defined]
    threading.Thread(target=here.warm_up, name="warm-up", daemon=True).start()


def worker_int(_worker: object) -> None:
    """Leave a worker that ends at once in peace: Ctrl-C reaches it twice, from the terminal and from the master."""
    for end in (signal.SIGQUIT, signal.SIGINT):
        signal.signal(end, signal.SIG_IGN)


def child_exit(_server: object, worker: object) -> None:
    """Take a worker that has ended off the board on which others look who has fewer connections, and keep what it counted."""
    forget(worker.age)  # type: ignore[attr-defined]
    with contextlib.suppress(OSError):
        sweep(Path(os.environ[FOLDER_VARIABLE]))


def on_exit(_server: object) -> None:
    """Leave nothing behind."""
    if _counting is not None:
        shutil.rmtree(_counting, ignore_errors=True)
