"""Landlock: from now on this process may read below some paths, and change or run nothing, anywhere (see landlock(7))."""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Iterable
from pathlib import Path

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same number on every processor
_VERSION_QUERY, _PATH_BENEATH = 1, 1
_EXECUTE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 2, 1 << 3
# How many kinds of access to files, to the network and to other processes each version of the interface can handle.
_FILE_ACCESSES = {1: 13, 2: 14, 3: 15, 4: 15}
_LATEST_FILE_ACCESSES = 16
_TCP, _SCOPES = 0b11, 0b11


def restrict(readable: Iterable[Path]) -> bool:
    """Leave this process only reading below `readable`; tell whether it holds. Needs no_new_privs."""
    libc = ctypes.CDLL(None, use_errno=True)
    version = libc.syscall(_CREATE_RULESET, None, 0, _VERSION_QUERY)
    if version < 1:
        return False
    attributes = struct.pack("=Q", (1 << _FILE_ACCESSES.get(version, _LATEST_FILE_ACCESSES)) - 1)
    if version >= 4:
        attributes += struct.pack("=Q", _TCP)
    if version >= 6:
        attributes += struct.pack("=Q", _SCOPES)
    ruleset = libc.syscall(_CREATE_RULESET, ctypes.c_char_p(attributes), len(attributes), 0)
    if ruleset < 0:
        return False
    try:
        for path in readable:
            _allow(libc, ruleset, path)
        return bool(libc.syscall(_RESTRICT_SELF, ruleset, 0) == 0)
    finally:
        os.close(ruleset)


def _allow(libc: ctypes.CDLL, ruleset: int, path: Path) -> None:
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return  # what is not there need not be read
    try:
        # Executing is what mapping a library's code is not: nothing here may be run as a program.
        access = _READ_FILE | _READ_DIR if path.is_dir() else _READ_FILE
        rule = struct.pack("=Qi", access, descriptor)
        libc.syscall(_ADD_RULE, ruleset, _PATH_BENEATH, ctypes.c_char_p(rule), 0)
    finally:
        os.close(descriptor)
