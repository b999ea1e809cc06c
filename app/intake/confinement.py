"""What a process that opens a stranger's file gives up first, in the order in which it can be given up."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys
import sysconfig
from pathlib import Path

from app.intake import landlock, seccomp

_NEW_USER, _NEW_PROCESSES, _NEW_NETWORK, _NEW_IPC = 0x10000000, 0x20000000, 0x40000000, 0x08000000
_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS = 1, 38

# Without these two a file's code could reach the network, other processes or the disk.
ESSENTIAL = frozenset({"no new privileges", "system calls"})

TREE = Path(__file__).resolve().parents[2]


def confine(*, memory_bytes: int, seconds: int) -> list[str]:
    """Confine this process, and give the names of the protections that hold.

    It must have one thread. It is forked on the way, since a namespace of processes begins with the next child: the caller
    goes on in the child, the parent waits and passes on how the child ended.
    """
    held = []
    _limit(memory_bytes, seconds)
    held.append("limits")
    if sys.platform != "linux":
        return held
    libc = ctypes.CDLL(None, use_errno=True)
    if _own_namespaces(libc):
        held += ["own users", "own network", "own processes"]
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0:
        held.append("no new privileges")
        if landlock.restrict(_readable()):
            held.append("files")
        if seccomp.install():
            held.append("system calls")
    return held


def _limit(memory_bytes: int, seconds: int) -> None:
    wanted = {
        resource.RLIMIT_AS: memory_bytes,
        resource.RLIMIT_CPU: seconds,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NOFILE: 256,
    }
    for limit, most in wanted.items():
        _, hard = resource.getrlimit(limit)
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(limit, (most, most))


def _own_namespaces(libc: ctypes.CDLL) -> bool:
    user, group = os.getuid(), os.getgid()
    if libc.unshare(_NEW_USER | _NEW_PROCESSES | _NEW_NETWORK | _NEW_IPC) != 0:
        return False
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
    Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        code = os.waitstatus_to_exitcode(status)
        if code < 0:
            signal.signal(-code, signal.SIG_DFL) if -code not in (signal.SIGKILL, signal.SIGSTOP) else None
            os.kill(os.getpid(), -code)
        os._exit(code if code >= 0 else 128 - code)
    # Where the waiting half is killed, this one goes too.
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    return True


def _readable() -> list[Path]:
    """Give what Python, its libraries and the conversion read; nothing else is there for the confined process."""
    paths = {Path(path) for path in sysconfig.get_paths().values()}
    paths |= {Path(sys.prefix), Path(sys.base_prefix)}
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
