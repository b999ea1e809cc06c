"""What the allocator and the collector are told, for a quick start, and so that workers share most of their memory."""

from __future__ import annotations

import ctypes
import gc

_M_ARENA_MAX = -8  # of glibc's mallopt


def bound_arenas(most: int) -> None:
    """Let the threads of this process and its children share so many heaps, each of which keeps what it once needed.

    Threads hold the interpreter's lock for most of what they allocate, so they do not get into each other's way.
    """
    library = ctypes.CDLL(None)
    if hasattr(library, "mallopt"):
        library.mallopt(_M_ARENA_MAX, most)


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
