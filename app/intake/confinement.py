"""What a process that opens a stranger's file gives up first, in the order in which it can be given up."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import select
import signal
import struct
import sys
import sysconfig
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from app.intake import landlock, seccomp

_NEW_USER, _NEW_PROCESSES, _NEW_NETWORK, _NEW_IPC = 0x10000000, 0x20000000, 0x40000000, 0x08000000
_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS = 1, 38
_CAPABILITIES_VERSION_3 = 0x20080522

# Without these a file's code could reach the network and other processes, or read what is secret; the namespaces, which many
# containers do not give, are a second wall behind them.
ESSENTIAL = frozenset({"no new privileges", "files", "system calls"})

TREE = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Limits:
    """How much memory (address space) and computing time a confined process may take."""

    memory_bytes: int
    seconds: int


def confine(limits: Limits, *, readable: Iterable[Path], parent: int) -> list[str]:
    """Confine this process, which `parent` started, and give the names of the protections that hold.

    It must have one thread. It is forked on the way, since a namespace of processes begins with the next child: the caller
    goes on in the child, the other half waits and passes on how the child ended. Where the parent is killed, both go too.
    """
    held = ["limits"] if _limit(limits) else []
    # Of several threads, only this one would be confined.
    if sys.platform != "linux" or len(list(Path("/proc/self/task").iterdir())) > 1:
        return held
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)
    if _own_namespaces(libc):
        held += ["own users", "own network", "own processes"]
    if _no_privileges(libc):
        held.append("no new privileges")
        if landlock.restrict([*_libraries(), *readable]):
            held.append("files")
        if seccomp.install():
            held.append("system calls")
    return held


def _limit(limits: Limits) -> bool:
    wanted = {
        resource.RLIMIT_AS: limits.memory_bytes,
        resource.RLIMIT_CPU: limits.seconds,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NOFILE: 256,
        # Threads, since new processes are refused; of all that the user runs, where the system counts them together.
        resource.RLIMIT_NPROC: 4096,
    }
    whole = True
    for limit, most in wanted.items():
        _, hard = resource.getrlimit(limit)
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        try:
            resource.setrlimit(limit, (most, most))
        except (ValueError, OSError):  # macOS bounds no address space
            whole = False
    return whole


def _own_namespaces(libc: ctypes.CDLL) -> bool:
    user, group = os.getuid(), os.getgid()
    if libc.unshare(_NEW_USER | _NEW_PROCESSES | _NEW_NETWORK | _NEW_IPC) != 0:
        return False
    # Where a container has no right to map its root, the process goes on as nobody, with the same files to read.
    with contextlib.suppress(OSError):
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    # A server may have ignored it, and then nobody could wait.
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    other_half, own_half = os.pipe()
    child = os.fork()
    if child:
        _pass_on(child)
    os.close(own_half)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    # The waiting half may have been killed before that: then nobody holds the pipe's other end any more.
    if select.select([other_half], [], [], 0)[0]:
        os._exit(1)
    os.close(other_half)
    return True


def _pass_on(child: int) -> None:
    """Wait for the child, and end as it does."""
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    if code < 0:
        with contextlib.suppress(OSError):  # SIGKILL is always deadly
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code if code >= 0 else 128 - code)


def _no_privileges(libc: ctypes.CDLL) -> bool:
    """Give up every capability, root's and those over the own namespaces, and the way to get one back."""
    header, none = struct.pack("=Ii", _CAPABILITIES_VERSION_3, 0), bytes(24)
    dropped = libc.capset(ctypes.c_char_p(header), ctypes.c_char_p(none)) == 0
    return bool(dropped and libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0)


def _libraries() -> list[Path]:
    """Give what Python, its libraries and the conversion read; nothing else is there for the confined process."""
    paths = {Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    paths |= {Path(prefix, "lib") for prefix in (sys.prefix, sys.base_prefix)}
    paths |= {TREE / "app", TREE / "models" / "backbones"}
    paths |= {Path("/usr/lib"), Path("/usr/local/lib"), Path("/lib"), Path("/lib64"), Path("/usr/share/zoneinfo")}
    paths |= {
        Path("/etc/ld.so.cache"),
        Path("/dev/urandom"),
        Path("/proc/cpuinfo"),
        Path("/proc/self/maps"),
        Path("/sys/devices/system/cpu"),
    }
    return sorted(paths)
