"""Runs the sandbox where the kernel refuses some features, as containers and old systems do, and prints what came of it.

The refusing is a system call filter around everything that runs here, which is how containers do it.
"""

from __future__ import annotations

import ctypes
import errno
import json
import platform
import struct
import sys
from pathlib import Path

from app.errors import InvalidModel
from app.intake.sandbox import Sandbox
from app.intake.wire import Message

# For each feature: the call's numbers on x86_64 and aarch64, and which first argument of it is refused, where not all are.
_FEATURES = {
    "files": ((444, 444), None),
    "namespaces": ((272, 97), None),
    "system calls": ((157, 167), 22),
    "privileges": ((126, 91), None),
}
_LOAD, _EQUAL, _RETURN, _ALLOW, _REFUSE = 0x20, 0x15, 0x06, 0x7FFF0000, 0x00050000 | errno.EPERM


def refuse(feature: str) -> None:
    """Have the kernel refuse a feature to this process and its children, for ever."""
    numbers, argument = _FEATURES[feature]
    steps = [(_LOAD, 0, 0, 0), (_EQUAL, 0, 3 if argument else 1, numbers[platform.machine() == "aarch64"])]
    if argument:
        steps += [(_LOAD, 0, 0, 16), (_EQUAL, 0, 1, argument)]
    steps += [(_RETURN, 0, 0, _REFUSE), (_RETURN, 0, 0, _ALLOW)]
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *step) for step in steps))
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.prctl(38, 1, 0, 0, 0) == 0
    assert libc.prctl(22, 2, ctypes.c_char_p(struct.pack("@HP", len(steps), ctypes.addressof(code))), 0, 0) == 0


def outcome(*, weak: bool, code: tuple[Path, ...]) -> list[str] | str:
    """Give what held, or why the import stopped; the job is too large for a pipe, so that nobody may wait for its end."""
    job = Message({"how": "nothing"}, {"large": bytes(5_000_000)})
    try:
        answer = Sandbox(weak=weak, code=code).run("misdeeds:misbehave", job)
    except InvalidModel as error:
        return str(error)
    return sorted(answer.values["confinement"])


if __name__ == "__main__":
    refuse(sys.argv[1])
    places = (Path(__file__).parent,)
    json.dump({"strict": outcome(weak=False, code=places), "weak": outcome(weak=True, code=places)}, sys.stdout)
