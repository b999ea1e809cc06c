"""A filter that leaves a process the system calls of reading, computing and ending, and takes all others from it.

What is not on the list fails with EPERM: sockets, new processes, programs, signals to others, tracing, mounts, and opening a
file in any way that could change it. The format is that of the classic BPF of Linux (see seccomp(2)).
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct

# The numbers of a call on x86_64 and on aarch64; None where it does not exist.
_CALLS: dict[str, tuple[int | None, int | None]] = {
    "read": (0, 63),
    "write": (1, 64),
    "close": (3, 57),
    "stat": (4, None),
    "fstat": (5, 80),
    "lstat": (6, None),
    "poll": (7, None),
    "lseek": (8, 62),
    "mmap": (9, 222),
    "mprotect": (10, 226),
    "munmap": (11, 215),
    "brk": (12, 214),
    "rt_sigaction": (13, 134),
    "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139),
    "pread64": (17, 67),
    "readv": (19, 65),
    "writev": (20, 66),
    "access": (21, None),
    "sched_yield": (24, 124),
    "mremap": (25, 216),
    "mincore": (27, 232),
    "madvise": (28, 233),
    "dup": (32, 23),
    "nanosleep": (35, 101),
    "getpid": (39, 172),
    "exit": (60, 93),
    "uname": (63, 160),
    "getcwd": (79, 17),
    "readlink": (89, None),
    "gettimeofday": (96, 169),
    "getrusage": (98, 165),
    "sysinfo": (99, 179),
    "times": (100, 153),
    "getuid": (102, 174),
    "getgid": (104, 176),
    "geteuid": (107, 175),
    "getegid": (108, 177),
    "getppid": (110, 173),
    "sigaltstack": (131, 132),
    "gettid": (186, 178),
    "time": (201, None),
    "futex": (202, 98),
    "sched_getaffinity": (204, 123),
    "getdents64": (217, 61),
    "set_tid_address": (218, 96),
    "restart_syscall": (219, 128),
    "fadvise64": (221, 223),
    "clock_gettime": (228, 113),
    "clock_getres": (229, 114),
    "clock_nanosleep": (230, 115),
    "exit_group": (231, 94),
    "get_mempolicy": (239, 236),
    "newfstatat": (262, 79),
    "readlinkat": (267, 78),
    "faccessat": (269, 48),
    "ppoll": (271, 73),
    "set_robust_list": (273, 99),
    "get_robust_list": (274, 100),
    "getrandom": (318, 278),
    "membarrier": (324, 283),
    "statx": (332, 291),
    "rseq": (334, 293),
    "faccessat2": (439, 439),
}
_CLONE, _OPENAT, _IOCTL, _FCNTL = (56, 220), (257, 56), (16, 29), (72, 25)
_CLONE3 = 435
_AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_X32 = 0x40000000

_CLONE_THREAD = 0x10000
# Every other flag that the C libraries set for a new thread; what is left are processes and namespaces.
_CLONE_OF_A_THREAD = 0x7D0F00
# Not among them: whom to send a signal when a pipe has data (fcntl), and typing into a terminal (ioctl).
_HARMLESS_FCNTL = (0, 1, 2, 3, 1030)  # F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_DUPFD_CLOEXEC
_HARMLESS_IOCTL = (0x5401, 0x5413, 0x541B, 0x5450, 0x5451)  # TCGETS, TIOCGWINSZ, FIONREAD, FIONCLEX, FIOCLEX
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _KILL, _ERROR = 0x7FFF0000, 0x80000000, 0x00050000
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16

_PR_SET_SECCOMP, _MODE_FILTER = 22, 2

_Step = tuple[int, int, int, int]
_PASS: _Step = (_RETURN, 0, 0, _ALLOW)
_REFUSE: _Step = (_RETURN, 0, 0, _ERROR | errno.EPERM)


def supported() -> bool:
    """Tell whether there is a list for this system and processor."""
    return platform.system() == "Linux" and platform.machine() in _AUDIT_ARCH


def install() -> bool:
    """Put the filter on this thread and all that it starts, for ever; tell whether it holds. Needs no_new_privs."""
    if not supported():
        return False
    steps = _program(platform.machine())
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *step) for step in steps))
    program = struct.pack("@HP", len(steps), ctypes.addressof(code))
    libc = ctypes.CDLL(None, use_errno=True)
    return bool(libc.prctl(_PR_SET_SECCOMP, _MODE_FILTER, ctypes.c_char_p(program), 0, 0) == 0)


def _program(machine: str) -> list[_Step]:
    column = 0 if machine == "x86_64" else 1
    steps: list[_Step] = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUAL, 1, 0, _AUDIT_ARCH[machine]),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER),
        # The second set of numbers that x86_64 has would lead around the list.
        (_AT_LEAST, 0, 1, _X32),
        _REFUSE,
    ]
    for numbers in _CALLS.values():
        if (number := numbers[column]) is not None:
            steps += [(_EQUAL, 0, 1, number), _PASS]
    # A new thread, never a new process, nor a thread in a namespace of its own.
    steps += _flags(_CLONE[column], argument=0, refused=~_CLONE_OF_A_THREAD & 0xFFFFFFFF, needed=_CLONE_THREAD)
    # To read, never to write.
    steps += _flags(_OPENAT[column], argument=2, refused=_WRITING)
    steps += _one_of(_FCNTL[column], argument=1, values=_HARMLESS_FCNTL)
    steps += _one_of(_IOCTL[column], argument=1, values=_HARMLESS_IOCTL)
    # Its flags lie in memory, where no filter can look; the C library falls back to clone.
    steps += [(_EQUAL, 0, 1, _CLONE3), (_RETURN, 0, 0, _ERROR | errno.ENOSYS), _REFUSE]
    return steps


def _flags(number: int, *, argument: int, refused: int, needed: int = 0) -> list[_Step]:
    """Give the steps that allow one call where an argument has none of the refused bits, and one of those needed."""
    last: list[_Step] = [(_ANY_BIT, 0, 1, needed)] if needed else []
    steps = [_load(argument), (_ANY_BIT, len(last) + 1, 0, refused), *last, _PASS, _REFUSE]
    return [(_EQUAL, 0, len(steps), number), *steps]


def _one_of(number: int, *, argument: int, values: tuple[int, ...]) -> list[_Step]:
    """Give the steps that allow one call where an argument is one of some values."""
    steps = [_load(argument), *(step for value in values for step in ((_EQUAL, 0, 1, value), _PASS)), _REFUSE]
    return [(_EQUAL, 0, len(steps), number), *steps]


def _load(argument: int) -> _Step:
    # Its lower half: the kernel reads no more of these.
    return (_LOAD, 0, 0, _ARGUMENTS + 8 * argument)
