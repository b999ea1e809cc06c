"""What the system, the allocator and the collector are told, for room, a quick start, and workers that share most memory."""

from __future__ import annotations

import ctypes
import gc
import resource

_M_ARENA_MAX = -8  # of glibc's mallopt


def bound_arenas(most: int) -> None:
    """Let the threads of this process and its children share so many heaps, each of which keeps what it once needed.

    Threads hold the interpreter's lock for most of what they allocate, so they do not get into each other's way.
    """
    library = ctypes.CDLL(None)
    if hasattr(library, "mallopt"):
        library.mallopt(_M_ARENA_MAX, most)


def allow_files(number: int) -> int:
    """Let this process and its children hold so many files open, or as many as it may ask for, and give how many."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = number if hard == resource.RLIM_INFINITY else min(number, hard)
    if soft != resource.RLIM_INFINITY and soft < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    return allowed


def load_undisturbed() -> None:
    """Keep the collector off until `settle`: what is loaded stays, and to look through it takes a tenth of the time."""
    gc.disable()


def settle() -> None:
    """Give back what only the loading took, and keep the collector off the rest: a fork shares it until it is written to."""
    gc.collect()
    gc.freeze()
    gc.enable()
    library = ctypes.CDLL(None)
    if hasattr(library, "malloc_trim"):
        library.malloc_trim(0)
