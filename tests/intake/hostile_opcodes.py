"""Model files that hide what they call from a shallow reader, or that are not what a pickle is."""

from __future__ import annotations

import struct
from collections.abc import Callable

from tests.intake.opcodes import Canary, call, framed, named, pickled, value

_SYSTEM, _LIST = value("os") + value("system") + b"\x93", named("builtins:list").opcodes
_DTYPE = call(named("numpy:dtype"), "f8", False, True)


def _shell(canary: Canary) -> bytes:
    return value((canary.shell,))


# The file's body after its first two bytes; all of them touch the canary.
TOUCHING: dict[str, tuple[str | None, Callable[[Canary], bytes]]] = {
    "GLOBAL": ("os.system", lambda canary: b"cos\nsystem\n" + _shell(canary) + b"R."),
    "INST": ("os.system", lambda canary: b"(" + value(canary.shell) + b"ios\nsystem\n."),
    "OBJ": ("os.system", lambda canary: b"(" + _SYSTEM + value(canary.shell) + b"o."),
    "a call whose answer is thrown away": ("os.system", lambda canary: _SYSTEM + _shell(canary) + b"R0N."),
    "a call thrown away with a mark": ("os.system", lambda canary: b"(" + _SYSTEM + _shell(canary) + b"R1N."),
    "a call within the arguments of a good one": (
        "os.system",
        lambda canary: _LIST + b"((" + _SYSTEM + _shell(canary) + b"RttR.",
    ),
    "a call as a key": ("os.system", lambda canary: b"}" + _SYSTEM + _shell(canary) + b"RNs."),
    "a call after a frozen set": ("os.system", lambda canary: b"((" + value(1) + b"\x91" + _SYSTEM + _shell(canary) + b"Rt."),
    "DUP": ("os.system", lambda canary: _LIST + _SYSTEM + b"2" + _shell(canary) + b"R."),
    "POP of a harmless name": ("os.system", lambda canary: _SYSTEM + _LIST + b"0" + _shell(canary) + b"R."),
    "POP_MARK of a harmless name": ("os.system", lambda canary: _SYSTEM + b"(" + _LIST + b"1" + _shell(canary) + b"R."),
    "one index of the memo put twice": (
        "os.system",
        lambda canary: (
            value("builtins") + b"q\x000" + value("os") + b"q\x000h\x00" + value("system") + b"\x93" + _shell(canary) + b"R."
        ),
    ),
    "an index of the memo put over a good name": (
        "os.system",
        lambda canary: _LIST + b"q\x000" + _SYSTEM + b"q\x000h\x00" + _shell(canary) + b"R.",
    ),
    "MEMOIZE after PUT": (
        "os.system",
        lambda canary: value("os") + b"q\x050" + value("system") + b"\x940h\x05h\x01\x93" + _shell(canary) + b"R.",
    ),
    "LONG_BINPUT and GET": (
        "os.system",
        lambda canary: value("os") + b"r\x07\x00\x00\x000g7\n" + value("system") + b"\x93" + _shell(canary) + b"R.",
    ),
    "a name with escapes": ("os.system", lambda canary: b"Vo\\u0073\nV\\u0073ystem\n\x93" + _shell(canary) + b"R."),
    "a name of old text": ("os.system", lambda canary: b"S'o\\x73'\nS\"system\"\n\x93" + _shell(canary) + b"R."),
    "an APPEND to a method": ("builtins.exec", lambda canary: _extending(canary)),
    "frames of one opcode": (
        "os.system",
        lambda canary: framed(value("os")) + framed(value("system")) + framed(b"\x93" + _shell(canary) + b"R."),
    ),
}


def _extending(canary: Canary) -> bytes:
    # An object without `extend` gets its items by `append`, whatever that is.
    made = named("sklearn.svm._classes:SVC").opcodes + b")\x81}" + value("append") + named("builtins:exec").opcodes + b"sb"
    return made + value(canary.python) + b"a."


# Likewise, but Python refuses them too, or nothing tells what they did.
OTHERS: dict[str, tuple[str | None, bytes]] = {
    "a name with a space": (None, b"cbuiltins exec\neval\n."),
    "a name with a line break": ("os\nsystem.x", value("os\nsystem") + value("x") + b"\x93."),
    "a name with a zero": ("os\0.system", value("os\0") + value("system") + b"\x93."),
    "a name without a module": (".system", value("") + value("system") + b"\x93."),
    "a name of bytes": (None, value(b"os") + value(b"system") + b"\x93."),
    "a name made by encode": (None, call(named("_codecs:encode"), "os", "ascii").opcodes + value("system") + b"\x93."),
    "a name made by str": (None, call(named("builtins:str"), "os").opcodes + value("system") + b"\x93."),
    "a name made by bytes": (None, call(named("builtins:bytes"), b"os").opcodes + value("system") + b"\x93."),
    "a call of what was made": ("calls something that it made itself", value(call(_DTYPE, 1)) + b"."),
    "a call of a text": ("calls something that it made itself", value("os.system") + value(("true",)) + b"R."),
    "a call of a call": ("calls something that it made itself", call(call(call(_DTYPE))).opcodes + b"."),
    "a state for a class": (
        "changes something that it did not make",
        named("sklearn.svm._classes:SVC").opcodes + value({"a": 1}) + b"b.",
    ),
    "slots for a class": ("os.system", named("sklearn.svm._classes:SVC").opcodes + b"N}" + value("fit") + _SYSTEM + b"s\x86b."),
    "slots that put a callee in place": (
        "os.system",
        named("sklearn.svm._classes:SVC").opcodes + b")\x81N}" + value("append") + _SYSTEM + b"s\x86b" + value("true") + b"a.",
    ),
    "NEWOBJ of a forbidden class": ("subprocess.Popen", value("subprocess") + value("Popen") + b"\x93)\x81."),
    "NEWOBJ_EX": ("subprocess.Popen", value("subprocess") + value("Popen") + b"\x93" + value(("true",)) + b"}\x92."),
    "EXT1": ("uses the extension code 1", b"\x82\x01."),
    "EXT2": ("uses the extension code 256", b"\x83\x00\x01."),
    "EXT4": ("uses the extension code 65536", b"\x84\x00\x00\x01\x00."),
    "PERSID": ("refers to something outside the file", b"Pos.system\n."),
    "BINPERSID": ("refers to something outside the file", value("os.system") + b"Q."),
    "NEXT_BUFFER": ("needs buffers that are outside the file", b"\x97."),
    "READONLY_BUFFER": ("needs buffers that are outside the file", b"\x97\x98."),
    "two pickles": ("7 bytes after its end", value(1) + b"." + b"\x80\x04" + value(2) + b".\n\n"),
    "bytes after the end": ("3 bytes after its end", value(1) + b".abc"),
    "a huge LONG4": (None, b"\x8b\xff\xff\xff\x7f\x01."),
    "a LONG4 below nothing": (None, b"\x8b\xff\xff\xff\xff\x01."),
    "a huge BINBYTES8": (None, b"\x8e" + struct.pack("<Q", 1 << 62) + b"."),
    "a BINBYTES8 beyond all": (None, b"\x8e" + struct.pack("<Q", (1 << 64) - 1) + b"."),
    "a huge BINUNICODE8": (None, b"\x8d" + struct.pack("<Q", 1 << 40) + b"."),
    "a huge BYTEARRAY8": (None, b"\x96" + struct.pack("<Q", 1 << 40) + b"."),
    "a text without an end": (None, b"S'os"),
    "a name without an end": (None, b"cos\nsystem"),
    "a number without an end": (None, b"I123"),
    "a number of a million digits": (None, b"L" + b"9" * 1_000_000 + b"L\n."),
    "a frame that is longer than the file": (None, framed(value(1) + b".", length=1000)),
    "a frame within a frame": (None, framed(framed(value(1)) + b".", length=100)),
    "marks without an end": (None, b"(" * 300_000 + b"."),
    "tuples within tuples": (None, b")" + b"\x85" * 300_000),
    "a pickle that grows by doubling": (None, b")" + b"2\x86" * 100_000),
    "GET of nothing": (None, b"h\x09."),
    "POP of nothing": (None, b"000."),
    "an unknown opcode": (None, b"\xff."),
    "an unknown protocol": (None, b"\x80\xff" + b"N"),
    "nothing": (None, b""),
    "a cut forest": (None, pickled(call(named("sklearn.tree._classes:DecisionTreeClassifier")))[2:-5]),
}
