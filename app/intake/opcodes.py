"""What a pickle would build, told without building it: a pickle machine that makes descriptions instead of objects.

It follows every opcode of the protocols 0 to 5 and keeps the stack and the memo, so that it knows what each name, call and
state really is, whichever way the pickle took to put it there. Nothing is imported, called or allocated by the pickle's will.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import BinaryIO

from app.errors import InvalidModel

_NUMBERS_AND_TEXTS = frozenset(
    [
        "INT",
        "BININT",
        "BININT1",
        "BININT2",
        "LONG",
        "LONG1",
        "LONG4",
        "FLOAT",
        "BINFLOAT",
        "STRING",
        "BINSTRING",
        "SHORT_BINSTRING",
        "BINBYTES",
        "SHORT_BINBYTES",
        "BINBYTES8",
        "BYTEARRAY8",
        "UNICODE",
        "SHORT_BINUNICODE",
        "BINUNICODE",
        "BINUNICODE8",
    ]
)


@dataclass(frozen=True, slots=True)
class Global:
    """Something of a module that a pickle names."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"


@dataclass(eq=False, slots=True)
class Pairs:
    """A dictionary; its keys may be descriptions, so it is kept as pairs."""

    pairs: list[tuple[object, object]] = field(default_factory=list)

    def get(self, key: str) -> object:
        """Give the last value of a text key, or None."""
        return next((value for known, value in reversed(self.pairs) if isinstance(known, str) and known == key), None)


@dataclass(eq=False, slots=True)
class Made:
    """An object that the pickle would make by a call, and what it would do to it afterwards."""

    callee: object
    arguments: tuple[object, ...]
    state: object = None
    items: list[object] = field(default_factory=list)
    pairs: Pairs = field(default_factory=Pairs)


class _Mark:
    """Where a run of things on the stack begins."""


class PickleMachine:
    """Reads one pickle from where `file` stands to its end; `globals` and `faults` fill up on the way.

    `after_build` is called with each object whose state was set, and gives what stands in its place: joblib writes the raw
    bytes of an array into the stream at that point.
    """

    def __init__(self, file: BinaryIO, after_build: Callable[[PickleMachine, Made], object] | None = None) -> None:
        self.file = file
        self.globals: dict[Global, None] = {}  # a set that keeps the order
        self.faults: list[str] = []
        self._after_build = after_build
        self._stack: list[object] = []
        self._memo: dict[int, object] = {}

    def run(self) -> object:
        """Follow the pickle to its end and give a description of what it holds; raises InvalidModel where it is broken."""
        try:
            for opcode, argument, _position in pickletools.genops(self.file):
                if opcode.name == "STOP":
                    return self._stack.pop()
                self._step(opcode.name, argument)
        except (ValueError, IndexError, KeyError, TypeError, OverflowError, MemoryError) as error:
            raise InvalidModel("The file is no whole pickle.") from error
        raise InvalidModel("The pickle has no end.")

    def _step(self, name: str, argument: object) -> None:
        if name in _NUMBERS_AND_TEXTS:
            self._stack.append(argument)
        elif name in _CONSTANTS:
            self._stack.append(_CONSTANTS[name])
        else:
            _STEPS[name](self, argument)

    # The stack and the memo.

    def _mark(self, _: object) -> None:
        self._stack.append(_Mark())

    def _since_mark(self) -> list[object]:
        at = len(self._stack) - 1
        while not isinstance(self._stack[at], _Mark):
            at -= 1
            if at < 0:
                raise ValueError("no mark")
        run = self._stack[at + 1 :]
        del self._stack[at:]
        return run

    def _pop(self, _: object) -> None:
        self._stack.pop()

    def _pop_mark(self, _: object) -> None:
        self._since_mark()

    def _duplicate(self, _: object) -> None:
        self._stack.append(self._stack[-1])

    def _get(self, index: object) -> None:
        self._stack.append(self._memo[_integer(index)])

    def _put(self, index: object) -> None:
        self._memo[_integer(index)] = self._stack[-1]

    def _memoize(self, _: object) -> None:
        self._memo[len(self._memo)] = self._stack[-1]

    def _nothing(self, _: object) -> None:
        pass

    # Containers.

    def _empty_list(self, _: object) -> None:
        self._stack.append([])

    def _empty_dictionary(self, _: object) -> None:
        self._stack.append(Pairs())

    def _list(self, _: object) -> None:
        self._stack.append(self._since_mark())

    def _tuple(self, _: object) -> None:
        self._stack.append(tuple(self._since_mark()))

    def _dictionary(self, _: object) -> None:
        self._stack.append(Pairs(_paired(self._since_mark())))

    def _tuple_of(self, count: int) -> None:
        run = self._stack[len(self._stack) - count :]
        if len(run) < count:
            raise IndexError("too little on the stack")
        del self._stack[len(self._stack) - count :]
        self._stack.append(tuple(run))

    def _append(self, _: object) -> None:
        self._extend([self._stack.pop()])

    def _appends(self, _: object) -> None:
        self._extend(self._since_mark())

    def _extend(self, items: list[object]) -> None:
        target = self._stack[-1]
        if isinstance(target, Made):
            target.items += items
        elif isinstance(target, list):
            target += items
        else:
            raise TypeError("appends to what is no list")

    def _set_item(self, _: object) -> None:
        value, key = self._stack.pop(), self._stack.pop()
        self._update([(key, value)])

    def _set_items(self, _: object) -> None:
        self._update(_paired(self._since_mark()))

    def _update(self, pairs: list[tuple[object, object]]) -> None:
        target = self._stack[-1]
        if isinstance(target, Made):
            target = target.pairs
        if not isinstance(target, Pairs):
            raise TypeError("sets an item of what has none")
        target.pairs += pairs

    # Names and calls.

    def _global(self, argument: object) -> None:
        self._stack.append(self._named(*_two_words(argument)))

    def _stack_global(self, _: object) -> None:
        name, module = self._stack.pop(), self._stack.pop()
        if type(name) is not str or type(module) is not str:
            raise TypeError("a name that is no text")
        self._stack.append(self._named(module, name))

    def _named(self, module: str, name: str) -> Global:
        found = Global(module, name)
        self.globals[found] = None
        return found

    def _instance(self, argument: object) -> None:
        arguments = self._since_mark()
        self._call(self._named(*_two_words(argument)), tuple(arguments))

    def _object(self, _: object) -> None:
        callee, *arguments = self._since_mark()
        self._call(callee, tuple(arguments))

    def _reduce(self, _: object) -> None:
        arguments, callee = self._stack.pop(), self._stack.pop()
        self._call(callee, arguments)

    def _new_object_with_keywords(self, _: object) -> None:
        keywords, arguments, callee = self._stack.pop(), self._stack.pop(), self._stack.pop()
        if not isinstance(arguments, tuple):
            raise TypeError("calls with what are no arguments")
        self._call(callee, (*arguments, keywords))

    def _call(self, callee: object, arguments: object) -> None:
        if not isinstance(arguments, tuple):
            raise TypeError("calls with what are no arguments")
        if not isinstance(callee, Global):
            self.faults.append("calls something that it made itself")
        self._stack.append(Made(callee, arguments))

    def _build(self, _: object) -> None:
        state, target = self._stack.pop(), self._stack[-1]
        if not isinstance(target, Made):
            self.faults.append("changes something that it did not make")
            return
        target.state = state
        if self._after_build is not None:
            self._stack[-1] = self._after_build(self, target)

    # What no model file needs.

    def _extension(self, code: object) -> None:
        self.faults.append(f"uses the extension code {code}")
        self._stack.append(Made(None, ()))

    def _persistent(self, _: object) -> None:
        self.faults.append("refers to something outside the file")
        self._stack.append(Made(None, ()))

    def _persistent_of_stack(self, _: object) -> None:
        self._stack.pop()
        self._persistent(None)

    def _buffer(self, _: object) -> None:
        self.faults.append("needs buffers that are outside the file")
        self._stack.append(Made(None, ()))


def _integer(value: object) -> int:
    if not isinstance(value, int):
        raise TypeError("an index that is no number")
    return value


def _two_words(argument: object) -> tuple[str, str]:
    # The reader joins module and name by a space; with another space in either, which is which could not be told.
    module, name = str(argument).split(" ")
    return module, name


def _paired(run: list[object]) -> list[tuple[object, object]]:
    if len(run) % 2:
        raise ValueError("a key without a value")
    return list(zip(run[::2], run[1::2], strict=True))


_CONSTANTS: dict[str, object] = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False, "EMPTY_TUPLE": ()}
_STEPS: dict[str, Callable[[PickleMachine, object], None]] = {
    "PROTO": PickleMachine._nothing,
    "FRAME": PickleMachine._nothing,
    "MARK": PickleMachine._mark,
    "POP": PickleMachine._pop,
    "POP_MARK": PickleMachine._pop_mark,
    "DUP": PickleMachine._duplicate,
    "MEMOIZE": PickleMachine._memoize,
    "EMPTY_LIST": PickleMachine._empty_list,
    "EMPTY_SET": PickleMachine._empty_list,
    "EMPTY_DICT": PickleMachine._empty_dictionary,
    "LIST": PickleMachine._list,
    "TUPLE": PickleMachine._tuple,
    "FROZENSET": PickleMachine._tuple,
    "DICT": PickleMachine._dictionary,
    "TUPLE1": lambda machine, _: machine._tuple_of(1),
    "TUPLE2": lambda machine, _: machine._tuple_of(2),
    "TUPLE3": lambda machine, _: machine._tuple_of(3),
    "APPEND": PickleMachine._append,
    "APPENDS": PickleMachine._appends,
    "ADDITEMS": PickleMachine._appends,
    "SETITEM": PickleMachine._set_item,
    "SETITEMS": PickleMachine._set_items,
    "GLOBAL": PickleMachine._global,
    "STACK_GLOBAL": PickleMachine._stack_global,
    "INST": PickleMachine._instance,
    "OBJ": PickleMachine._object,
    "NEWOBJ": PickleMachine._reduce,
    "NEWOBJ_EX": PickleMachine._new_object_with_keywords,
    "REDUCE": PickleMachine._reduce,
    "BUILD": PickleMachine._build,
    "PERSID": PickleMachine._persistent,
    "BINPERSID": PickleMachine._persistent_of_stack,
    "NEXT_BUFFER": PickleMachine._buffer,
    "READONLY_BUFFER": PickleMachine._nothing,
    **dict.fromkeys(("GET", "BINGET", "LONG_BINGET"), PickleMachine._get),
    **dict.fromkeys(("PUT", "BINPUT", "LONG_BINPUT"), PickleMachine._put),
    **dict.fromkeys(("EXT1", "EXT2", "EXT4"), PickleMachine._extension),
}
