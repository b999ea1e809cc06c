from __future__ import annotations

import errno
import os
import platform

import pytest

from app.intake import seccomp

X86_64, AARCH64 = 0xC000003E, 0xC00000B7
ALLOWED, KILLED = 0x7FFF0000, 0x80000000
EPERM, ENOSYS = 0x00050000 | errno.EPERM, 0x00050000 | errno.ENOSYS

# What glibc and musl start a thread with, and what may not come with it.
THREADS = (0x3D0F00, 0x7D0F00)
VFORK, NEW = 0x4000, (0x00020000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000)

# The numbers on x86_64 (asm/unistd_64.h) and on aarch64 (asm-generic/unistd.h) of calls that must never be on the list.
REFUSED = {
    "open": (2, None),
    "creat": (85, None),
    "openat2": (437, 437),
    "open_by_handle_at": (304, 265),
    "socket": (41, 198),
    "socketpair": (53, 199),
    "connect": (42, 203),
    "bind": (49, 200),
    "sendto": (44, 206),
    "sendmsg": (46, 211),
    "fork": (57, None),
    "vfork": (58, None),
    "execve": (59, 221),
    "execveat": (322, 281),
    "memfd_create": (319, 279),
    "kill": (62, 129),
    "tkill": (200, 130),
    "tgkill": (234, 131),
    "rt_sigqueueinfo": (129, 138),
    "pidfd_open": (434, 434),
    "pidfd_send_signal": (424, 424),
    "pidfd_getfd": (438, 438),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "kcmp": (312, 272),
    "perf_event_open": (298, 241),
    "bpf": (321, 280),
    "userfaultfd": (323, 282),
    "keyctl": (250, 219),
    "io_uring_setup": (425, 425),
    "io_setup": (206, 0),
    "mount": (165, 40),
    "fsopen": (430, 430),
    "chroot": (161, 51),
    "unshare": (272, 97),
    "setns": (308, 268),
    "prctl": (157, 167),
    "seccomp": (317, 277),
    "prlimit64": (302, 261),
    "setrlimit": (160, 164),
    "setuid": (105, 146),
    "capset": (126, 91),
    "unlink": (87, None),
    "unlinkat": (263, 35),
    "renameat2": (316, 276),
    "linkat": (265, 37),
    "symlinkat": (266, 36),
    "mkdirat": (258, 34),
    "mknodat": (259, 33),
    "truncate": (76, 45),
    "ftruncate": (77, 46),
    "fallocate": (285, 47),
    "fchmod": (91, 52),
    "fchmodat": (268, 53),
    "fchownat": (260, 54),
    "utimensat": (280, 88),
    "setxattr": (188, 5),
    "shmget": (29, 194),
    "mq_open": (240, 180),
    "setitimer": (38, 103),
    "chdir": (80, 49),
    "reboot": (169, 142),
    "settimeofday": (164, 170),
}


def decide(machine: str, number: int, *arguments: int, architecture: int | None = None) -> int:
    """Run the filter as the kernel does: the words of a call go in, what becomes of it comes out."""
    words = {0: number, 4: {"x86_64": X86_64, "aarch64": AARCH64}[machine] if architecture is None else architecture}
    words |= {16 + 8 * place: argument & 0xFFFFFFFF for place, argument in enumerate(arguments)}
    steps, place, word = seccomp._program(machine), 0, 0
    while True:
        code, if_true, if_false, value = steps[place]
        place += 1
        if code == 0x20:
            word = words[value]
        elif code == 0x06:
            return value
        else:
            true = {0x15: word == value, 0x35: word >= value, 0x45: bool(word & value)}[code]
            place += if_true if true else if_false


@pytest.fixture(params=["x86_64", "aarch64"])
def machine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def number(pair: tuple[int, int], machine: str) -> int:
    return pair[machine == "aarch64"]


@pytest.mark.parametrize("name", REFUSED)
def test_what_could_reach_anything_is_refused(name: str, machine: str) -> None:
    call = REFUSED[name][machine == "aarch64"]
    assert call is None or decide(machine, call) == EPERM


def test_what_is_on_the_list_is_allowed_and_every_other_number_is_not(machine: str) -> None:
    listed = {pair[machine == "aarch64"] for pair in seccomp._CALLS.values()} - {None}
    judged = {(56, 220), (257, 56), (16, 29), (72, 25)}
    open_numbers = listed | {number(pair, machine) for pair in judged} | {435}
    assert all(decide(machine, call) == ALLOWED for call in listed if call is not None)
    assert {decide(machine, call) for call in range(2000) if call not in open_numbers} == {EPERM}


def test_a_thread_may_be_started_but_no_process_and_no_namespace(machine: str) -> None:
    clone = number((56, 220), machine)
    assert [decide(machine, clone, flags) for flags in THREADS] == [ALLOWED, ALLOWED]
    for flags in (0, 17, VFORK | 17, THREADS[0] & ~0x10000, *(THREADS[0] | flag for flag in (*NEW, VFORK, 17))):
        assert decide(machine, clone, flags) == EPERM


def test_the_other_way_to_clone_is_said_not_to_exist(machine: str) -> None:
    assert decide(machine, 435, 0, 88) == ENOSYS


def test_a_file_may_be_opened_to_be_read_only(machine: str) -> None:
    openat = number((257, 56), machine)
    for flags in (os.O_RDONLY, os.O_RDONLY | os.O_CLOEXEC | os.O_DIRECTORY, os.O_RDONLY | os.O_NOFOLLOW):
        assert decide(machine, openat, -100, 0, flags) == ALLOWED
    for flags in (os.O_WRONLY, os.O_RDWR, 3, os.O_CREAT, os.O_TRUNC, os.O_APPEND, os.O_TMPFILE | os.O_RDWR):
        assert decide(machine, openat, -100, 0, flags | os.O_CLOEXEC) == EPERM


def test_a_descriptor_may_be_asked_and_doubled_but_sends_no_signal_and_types_nothing(machine: str) -> None:
    fcntl, ioctl = number((72, 25), machine), number((16, 29), machine)
    assert {decide(machine, fcntl, 0, command) for command in (0, 1, 2, 3, 1030)} == {ALLOWED}
    assert {decide(machine, fcntl, 0, command) for command in (4, 6, 8, 10, 15, 1024, 1031, 1033)} == {EPERM}
    assert {decide(machine, ioctl, 0, command) for command in (0x5401, 0x5413, 0x541B, 0x5450, 0x5451)} == {ALLOWED}
    assert {decide(machine, ioctl, 0, command) for command in (0x5412, 0x541C, 0x5452, 0x540E, 0x40049409)} == {EPERM}


def test_another_set_of_numbers_leads_nowhere(machine: str) -> None:
    assert {decide(machine, call, architecture=0x40000003) for call in (3, 11, 102)} == {KILLED}
    assert {decide(machine, call | 0x40000000) for call in (0, 1, 56, 257, 520)} == {EPERM}


def test_the_filter_fits_into_what_the_kernel_takes(machine: str) -> None:
    steps = seccomp._program(machine)
    assert len(steps) <= 4096
    assert all(0 <= jump <= 255 for _, if_true, if_false, _ in steps for jump in (if_true, if_false))


@pytest.mark.parametrize(("system", "processor"), [("Darwin", "arm64"), ("Linux", "riscv64"), ("Linux", "i686")])
def test_where_there_is_no_list_nothing_is_said_to_hold(system: str, processor: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "system", lambda: system)
    monkeypatch.setattr(platform, "machine", lambda: processor)
    assert not seccomp.supported()
    assert not seccomp.install()
