"""Model files that hide what they do in joblib's arrays, in compression or in an archive."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import struct
import zipfile
import zlib
from collections.abc import Callable
from functools import cache
from io import BytesIO

from tests.intake.opcodes import Canary, Raw, built, call, framed, named, pickled, value

WRAPPER = "joblib.numpy_pickle:NumpyArrayWrapper"
OBJECTS = call(named("numpy:dtype"), "O8", False, True)
BYTES = call(named("numpy:dtype"), "u1", False, True)
_MADE = Raw(named(WRAPPER).opcodes + b")\x81")
_PROTOCOL = b"\x80\x04"


def described(dtype: Raw, size: int, made: Raw = _MADE, **more: object) -> bytes:
    """Write joblib's description of an array; what it holds must follow."""
    state = {"subclass": named("numpy:ndarray"), "shape": (size,), "order": "C", "dtype": dtype, "allow_mmap": False}
    return built(made, {**state, **more}).opcodes


def in_joblib(inner: bytes) -> bytes:
    """Write a pickle into the array of objects of a joblib file."""
    return _PROTOCOL + described(OBJECTS, 1) + inner + b"."


def _system(canary: Canary) -> bytes:
    return pickled(call("os:system", canary.shell))


def _hidden_by_escapes(canary: Canary) -> bytes:
    # joblib takes what follows for an array's bytes, and Python for opcodes.
    hidden = call("os:system", canary.shell).opcodes
    made = Raw(value("joblib.numpy_pickle") + b"VNumpy\\u0041rrayWrapper\n\x93)\x81")
    return _PROTOCOL + described(BYTES, len(hidden), made) + hidden + b"."


def _hidden_in_frame(canary: Canary) -> bytes:
    # One reader finds the array's bytes in the frame, the other behind it.
    hidden = b"0" + call("os:system", canary.shell).opcodes
    other = b"B" + struct.pack("<I", len(hidden) - 5) + b" " * (len(hidden) - 5)
    return _PROTOCOL + framed(described(BYTES, len(hidden)) + hidden) + other + b"."


def _hidden_by_other_maker(canary: Canary) -> bytes:
    # To joblib the five bytes are an array, to others the head of a run of bytes.
    hidden = call("os:system", canary.shell).opcodes
    made = call(named("sklearn.metrics._dist_metrics:newObj"), named(WRAPPER))
    return _PROTOCOL + described(BYTES, 5, made) + b"B" + struct.pack("<I", len(hidden)) + hidden + b"."


# All of them touch the canary, some of them only if joblib opens them.
TOUCHING: dict[str, tuple[str | None, Callable[[Canary], bytes]]] = {
    "a pickle in joblib's array": ("os.system", lambda canary: in_joblib(_system(canary))),
    "a pickle in an array in an array": ("os.system", lambda canary: in_joblib(in_joblib(_system(canary)))),
    "a call after joblib's array": (
        "os.system",
        lambda canary: _PROTOCOL + described(BYTES, 3) + b"abc0" + call("os:system", canary.shell).opcodes + b".",
    ),
    "zlib": ("os.system", lambda canary: zlib.compress(_system(canary))),
    "gzip": ("os.system", lambda canary: gzip.compress(_system(canary))),
    "bz2": ("os.system", lambda canary: bz2.compress(_system(canary))),
    "xz": ("os.system", lambda canary: lzma.compress(_system(canary))),
    "lzma": ("os.system", lambda canary: lzma.compress(_system(canary), lzma.FORMAT_ALONE)),
    "a pickle in an array, compressed": ("os.system", lambda canary: zlib.compress(in_joblib(in_joblib(_system(canary))))),
    "opcodes behind a name with escapes": ("hides that joblib wrote it", _hidden_by_escapes),
    "opcodes in a frame over an array": (None, _hidden_in_frame),
    "opcodes behind another way to an array": ("uses joblib's arrays otherwise than joblib", _hidden_by_other_maker),
}


@cache
def _zeros(count: int) -> bytes:
    return bytes(count)


def _archive(schema: bytes, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        archive.writestr("schema.json", schema)
    return file.getvalue()


def _node(name: str, loader: str, **more: object) -> dict[str, object]:
    module, _, inner = name.partition(":")
    return {"__class__": inner, "__module__": module, "__loader__": loader, "protocol": 3, "_skops_version": "0.16", **more}


def _skops(node: dict[str, object]) -> Callable[[], bytes]:
    return lambda: _archive(json.dumps(node).encode())


def _damaged() -> bytes:
    whole = _archive(b'{"a": 1}' * 100, zipfile.ZIP_LZMA)
    return whole[:60] + b"\xff" * 20 + whole[80:]


_TEXT = _node("builtins:str", "JsonNode", content='"true"')
_SYSTEM = _node("os:system", "FunctionNode")

# Likewise, but nothing tells what these do, or they are nothing that anybody could open.
OTHERS: dict[str, tuple[str | None, Callable[[], bytes]]] = {
    "arrays in arrays without an end": (None, lambda: _PROTOCOL + (described(OBJECTS, 1) + _PROTOCOL) * 2000),
    "an array of objects that is cut": (None, lambda: in_joblib(b"\x80\x04")),
    "an array that is longer than the file": (None, lambda: _PROTOCOL + described(BYTES, 1 << 60) + b"."),
    "an array of a shape below nothing": (None, lambda: _PROTOCOL + described(BYTES, -1) + b"."),
    "an array that reads itself": ("os.system", lambda: _PROTOCOL + described(BYTES, 1, read=named("os:system")) + b"a."),
    "numbers that are called objects": (
        "describes a type of numbers falsely",
        lambda: (
            _PROTOCOL
            + described(built(call(named("numpy:dtype"), "f8", False, True), (3, "<", None, None, None, -1, -1, 63)), 1)
            + bytes(8)
            + b"."
        ),
    ),
    "a zlib that is cut": (None, lambda: zlib.compress(_zeros(10_000))[:-8]),
    "a bomb of zlib": (None, lambda: zlib.compress(_zeros(100_000_000), 1)),
    "a bomb of gzip": (None, lambda: gzip.compress(_zeros(100_000_000), 1)),
    "a bomb of bz2": (None, lambda: bz2.compress(_zeros(70_000_000), 1)),
    "a bomb of xz": (None, lambda: lzma.compress(_zeros(100_000_000), preset=0)),
    "a bomb of lzma": (None, lambda: lzma.compress(_zeros(100_000_000), lzma.FORMAT_ALONE, preset=0)),
    "LZ4": (None, lambda: b"\x04\x22\x4d\x18" + bytes(20)),
    "a function in skops": ("os.system", _skops(_SYSTEM)),
    "an object in skops": ("os.system", _skops(_node("os:system", "ObjectNode", content=_TEXT))),
    "a partial in skops": ("functools.partial", _skops(_node("functools:partial", "PartialNode", content={"func": _SYSTEM}))),
    "a type in skops": ("subprocess.Popen", _skops(_node("subprocess:Popen", "TypeNode"))),
    "a method in skops": (
        "os.system",
        _skops(_node("builtins:list", "MethodNode", content={"func": "append", "obj": _SYSTEM})),
    ),
    "a list in skops": ("os.system", _skops(_node("builtins:list", "ListNode", content=[_TEXT, _SYSTEM]))),
    "an operator in skops": ("operator.attrgetter", _skops(_node("operator:attrgetter", "OperatorFuncNode", attrs=_TEXT))),
    "a bomb as the schema of skops": (None, lambda: _archive(_zeros(100_000_000))),
    "a schema of brackets": (None, lambda: _archive(b"[" * 1_000_000)),
    "a schema that is no JSON": (None, lambda: _archive(b"os.system")),
    "a skops without a schema": (None, lambda: b"PK\x03\x04" + bytes(100)),
    "a skops that is cut": (None, lambda: _archive(b"{}")[:-10]),
    "a skops with a damaged stream": (None, _damaged),
    "no model at all": (None, lambda: b"#!/bin/sh\ntouch canary\n"),
}
