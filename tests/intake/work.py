"""What a hostile file would do once its code runs: loaded by the confined process itself, so only Python's own library here."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import resource
import signal
import socket
import subprocess
import termios
import threading
from collections.abc import Callable
from pathlib import Path

from app.intake.wire import Message

_LIBC = ctypes.CDLL(None, use_errno=True)
_NEW_USER, _IO_URING_SETUP, _OPENAT2, _PIDFD_OPEN = 0x10000000, 425, 437, 434


def attempt(job: Message) -> Message:
    """Try everything; tell for each attempt which error it met, or that it was done."""
    return Message({name: _outcome(deed) for name, deed in attempts(**job.values).items()})


def _outcome(deed: Callable[[], object]) -> str:
    try:
        deed()
    except OSError as error:
        return errno.errorcode[error.errno or 0]
    except ValueError:  # so Python tells of a limit that may not be raised
        return "EPERM"
    return "done"


def attempts(*, port: int, unix: str, victim: str, pid: int) -> dict[str, Callable[[], object]]:
    """Give deeds by name: against a listening port and socket, a file that root owns, and the process that asked."""
    network = {
        "connect over TCP": lambda: socket.create_connection(("127.0.0.1", port)),
        "send over UDP": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", port)),
        "connect to a Unix socket": lambda: socket.socket(socket.AF_UNIX).connect(unix),
        "listen": lambda: socket.create_server(("127.0.0.1", 0)),
        "make a pair of sockets": socket.socketpair,
    }
    processes = {
        "fork": os.fork,
        "vfork": lambda: _call("vfork"),
        "start a program": lambda: subprocess.run(["/bin/true"], check=False),
        "spawn a program": lambda: os.posix_spawn("/bin/true", ["true"], {}),
        "become a program": lambda: os.execv("/bin/true", ["true"]),
        "make a program in memory": lambda: os.memfd_create("x"),
        "signal the parent": lambda: os.kill(pid, 0),
        "signal the group": lambda: os.killpg(0, 0),
        "trace": lambda: _call("ptrace", 16, pid, 0, 0),
        "read another's memory": lambda: _call("process_vm_readv", pid, 0, 0, 0, 0, 0),
        "hold another": lambda: _call("syscall", _PIDFD_OPEN, pid, 0),
        "have a signal sent": lambda: fcntl.fcntl(0, fcntl.F_SETOWN, pid),
        "type into a terminal": lambda: fcntl.ioctl(0, termios.TIOCSTI, b"x"),
    }
    return network | processes | _to_files(victim, pid) | _to_the_system()


def _to_files(victim: str, pid: int) -> dict[str, Callable[[], object]]:
    written = Path(victim).parent / "new"
    return {
        "write into the working folder": lambda: Path("new").write_text("x"),
        "write beside a file": lambda: written.write_text("x"),
        "write into /tmp": lambda: Path("/tmp/vitrine-escaped").write_text("x"),
        "write into the tree": lambda: (Path(__file__).parent / "escaped").write_text("x"),
        "write over code": lambda: os.open(__file__, os.O_WRONLY),
        "read and write code": lambda: os.open(__file__, os.O_RDWR),
        "write without a name": lambda: os.open(".", os.O_TMPFILE | os.O_WRONLY),
        "truncate": lambda: os.truncate(victim, 0),
        "unlink": lambda: Path(victim).unlink(),
        "rename": lambda: Path(victim).rename(written),
        "link": lambda: os.link(victim, written),
        "link softly": lambda: Path("soft").symlink_to(victim),
        "make a folder": lambda: Path("folder").mkdir(),
        "change rights": lambda: Path(victim).chmod(0o777),
        "change the owner": lambda: os.chown(victim, 1, 1),
        "change times": lambda: os.utime(victim),
        "read a secret": lambda: Path(victim).read_text(),
        "list its folder": lambda: list(Path(victim).parent.iterdir()),
        "list the working folder": lambda: list(Path().iterdir()),
        "list the root": lambda: list(Path("/").iterdir()),
        "list the tree": lambda: list(Path(__file__).parents[2].iterdir()),
        "read /etc/passwd": lambda: Path("/etc/passwd").read_text(),
        "read /etc/shadow": lambda: Path("/etc/shadow").read_text(),
        "read the parent's environment": lambda: Path(f"/proc/{pid}/environ").read_bytes(),
        "read the parent's memory": lambda: Path(f"/proc/{pid}/mem").open("rb"),
        "read the own environment again": lambda: Path("/proc/self/environ").read_bytes(),
        "open the terminal": lambda: os.open("/dev/tty", os.O_RDONLY),
    }


def _to_the_system() -> dict[str, Callable[[], object]]:
    return {
        "mount": lambda: _call("mount", b"none", b"/mnt", b"tmpfs", 0, 0),
        "unshare": lambda: _call("unshare", _NEW_USER),
        "enter a namespace": lambda: _call("setns", 0, 0),
        "change the root": lambda: os.chroot("."),
        "change the folder": lambda: os.chdir("/"),
        "become somebody": lambda: os.setuid(1),
        "share memory": lambda: _call("shmget", 0, 4096, 0o1600),
        "queue calls": lambda: _call("syscall", _IO_URING_SETUP, 1, 0),
        "open by another call": lambda: _call("syscall", _OPENAT2, -100, b"/etc/passwd", 0, 0),
        "take more memory": lambda: resource.setrlimit(resource.RLIMIT_AS, (-1, -1)),
        "take more time": lambda: resource.setrlimit(resource.RLIMIT_CPU, (-1, -1)),
        "get privileges back": lambda: _call("prctl", 38, 0, 0, 0, 0),
        "outlive the parent": lambda: _call("prctl", 1, 0, 0, 0, 0),
        "set an alarm": lambda: signal.setitimer(signal.ITIMER_REAL, 100),
    }


def _call(name: str, *arguments: object) -> None:
    if getattr(_LIBC, name)(*arguments) == -1:
        raise OSError(ctypes.get_errno(), name)


def look(job: Message) -> Message:
    """Tell what there is: environment, descriptors, namespaces, folder, limits, and what came with the job."""
    answers: list[int] = []
    threads = [threading.Thread(target=lambda n=n: answers.append(n * n)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    import sqlite3  # a library whose file is opened only now

    print("What is printed does not get into the answer.", flush=True)
    return Message(
        {
            "environment": dict(os.environ),
            "descriptors": [number for number in range(256) if _is_open(number)],
            "namespaces": {kind: str(Path(f"/proc/self/ns/{kind}").readlink()) for kind in ("user", "net", "pid", "ipc")},
            "pid": os.getpid(),
            "folder": str(Path.cwd()),
            "squares": sorted(answers),
            "library": sqlite3.sqlite_version,
            "source": len(Path(os.__file__).read_bytes()),
            "job": dict(job.values),
        },
        job.blobs,
    )


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True
