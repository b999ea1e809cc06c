"""What the machine gives: cores, memory, open files, confinement, and the libraries and the Redis that the settings name."""

from __future__ import annotations

import importlib.util
import os
import resource
from collections.abc import Iterator
from pathlib import Path

from app.cli.checks.finding import Case, Finding, error, good, megabytes, warning
from app.config import Settings
from app.errors import DatabaseUnavailable, InvalidModel, VitrineError
from app.intake.sandbox import Sandbox
from app.intake.wire import Message
from app.storage.redis_counters import RedisCounters

# What gunicorn.conf.py asks for, and what many systems give as a rule.
_FILES, _FEW_FILES = 4096, 1024
_CONTROL_GROUP = Path("/sys/fs/cgroup")
# Photos of 12 megapixels, as many at once as there are threads, take about so much.
_MEMORY_BYTES, _MEMORY_BYTES_A_WORKER = 300_000_000, 150_000_000
_MOST_WORKERS_A_CORE = 4


def workers_of(settings: Settings) -> int:
    """Give how many worker processes Gunicorn starts."""
    return settings.workers or max(2, os.cpu_count() or 2)


def resources(case: Case) -> Iterator[Finding]:
    """Look whether the workers suit the cores and the memory."""
    settings = case.settings
    cores, memory, workers = cores_here(), memory_bytes(), workers_of(settings)
    found = []
    wanted = _MEMORY_BYTES + workers * _MEMORY_BYTES_A_WORKER
    if memory < wanted:
        found.append(
            warning(
                f"{workers} workers may want {megabytes(wanted)} of memory with large photos; {megabytes(memory)} are here.",
                "Lower VITRINE_WORKERS, or VITRINE_MAX_MEGAPIXELS.",
            )
        )
    if workers > cores * _MOST_WORKERS_A_CORE:
        found.append(warning(f"{workers} workers share {cores} cores.", "Lower VITRINE_WORKERS: one a core is enough."))
    yield from found or [good(f"{workers} workers with {settings.threads} threads; {cores} cores, {megabytes(memory)}.")]


def cores_here() -> int:
    """Give how many cores this process may use: those it is bound to, or what the control group that we are in may take."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = (_CONTROL_GROUP / "cpu.max").read_text(encoding="ascii").split()
        return max(1, min(cores, round(int(quota) / int(period))))
    except (OSError, ValueError):  # there is none, or it says "max"
        return cores


def memory_bytes() -> int:
    """Give how much memory this machine has, or the control group that we are in may take (cgroups(7))."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for name in ("memory.max", "memory/memory.limit_in_bytes"):
        try:
            total = min(total, int((_CONTROL_GROUP / name).read_text(encoding="ascii")))
        except (OSError, ValueError):  # there is none, or it says "max"
            continue
    return total


def open_files(_case: Case) -> Iterator[Finding]:
    """Look how many connections and files a process may have open."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    files = _FILES if most == resource.RLIM_INFINITY else min(most, _FILES)
    told = f"A process may have {files} files open, so a worker takes {min(1000, files // 3)} connections."
    yield good(told) if files >= _FEW_FILES else warning(told, f"Raise the hard limit to {_FILES} (LimitNOFILE of systemd).")


def confinement(_case: Case) -> Iterator[Finding]:
    """Look whether this system confines what opens a stranger's model file, by having nothing opened in that way."""
    try:
        held = Sandbox(seconds=30, memory_bytes=2_000_000_000).run("app.intake.confined:nothing", Message({})).values
    except InvalidModel as refused:
        yield warning(
            f"Model files cannot be imported here: {refused}", "Import them on another machine, and copy data/models."
        )
        return
    names = held.get("confinement")
    yield good(f"Model files are opened in confinement: {', '.join(map(str, names)) if isinstance(names, list) else ''}.")


def libraries(case: Case) -> Iterator[Finding]:
    """Look for the extras that the settings need."""
    settings = case.settings
    wanted = {
        "objects": ("VITRINE_STORE", ("obstore",), settings.bucket),
        "oidc": ("VITRINE_OIDC_URL", ("authlib", "requests"), settings.oidc_url),
        "postgres": ("VITRINE_DATABASE_URL", ("psycopg",), settings.database_url.startswith("postgresql")),
        "redis": ("VITRINE_REDIS_URL", ("redis",), settings.redis_url.get_secret_value()),
        "tracing": ("VITRINE_TRACES", ("opentelemetry",), settings.traces),
    }
    found = [
        error(f"{setting} needs {module}, which is not installed.", f".venv/bin/pip install -e '.[{extra}]'")
        for extra, (setting, modules, needed) in wanted.items()
        for module in modules
        if needed and importlib.util.find_spec(module) is None
    ]
    yield from found or [good("Every library that the settings need is installed.")]


def redis(case: Case) -> Iterator[Finding]:
    """Look whether the Redis that the settings name answers."""
    url = case.settings.redis_url.get_secret_value()
    if not url:
        return
    try:
        RedisCounters(url).look(["vitrine doctor"])
    except DatabaseUnavailable as away:
        reason = type(away.__cause__).__name__
        yield warning(
            f"Redis does not answer ({reason}), so each machine counts limits and attempts by itself.",
            "Start it, or mend VITRINE_REDIS_URL.",
        )
    except VitrineError as wrong:
        yield error(str(wrong), "docs/settings.md tells what VITRINE_REDIS_URL may be.")
    else:
        yield good("Redis answers.")
