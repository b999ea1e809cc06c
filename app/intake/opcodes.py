"""What a pickle would build, told without building it: a pickle machine that makes descriptions instead of objects.

It follows every opcode of the protocols 0 to 5 and keeps the stack and the memo, so that it knows what each name, call and
state really is, whichever way the pickle took to put it there. Nothing is imported, called or allocated by the pickle's will.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable
from itertools import islice
from typing import BinaryIO

from app.errors import InvalidModel
from app.intake.described import Global, Made, Pairs
from app.intake.states import faults_of_call, faults_of_items, faults_of_state

# What a pickle of ten thousand boosted trees takes is a tenth of this.
_MOST_STEPS = 10_000_000
_BROKEN = (ValueError, LookupError, TypeError, OverflowError, MemoryError, RecursionError, Warning)
_FRAME_HEAD = 9  # the bytes of the opcode that begins a frame


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
        self._frame_end = 0

    def run(self) -> object:
        """Follow the pickle to its end and give a description of what it holds; raises InvalidModel where it is broken."""
        try:
            for opcode, argument, _position in islice(pickletools.genops(self.file), _MOST_STEPS):
                if opcode.name == "STOP":
                    self.leave_frame()
                    return self._found()
                _STEPS[opcode.name](self, argument)
        except _BROKEN as error:
            raise InvalidModel("The file is no whole pickle.") from error
        raise InvalidModel("The pickle has no end.")

    def leave_frame(self) -> None:
        """See that no frame reaches beyond here: Python would take what follows for a part of it, and C would not."""
        if self.file.tell() < self._frame_end:
            raise ValueError("a frame that lies")

    def _found(self) -> object:
        found = self._stack.pop()
        if isinstance(found, _Mark):
            raise ValueError("nothing but a mark")
        return found

    def _frame(self, length: object) -> None:
        if self.file.tell() - _FRAME_HEAD < self._frame_end:
            raise ValueError("a frame within a frame")
        self._frame_end = self.file.tell() + _integer(length)

    def _value(self, value: object) -> None:
        self._stack.append(value)

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
        # Python makes room for every index up to this one.
        if not 0 <= _integer(index) < _MOST_STEPS:
            raise ValueError("an index that no pickle needs")
        self._memo[_integer(index)] = self._stack[-1]

    def _memoize(self, _: object) -> None:
        self._memo[len(self._memo)] = self._stack[-1]

    def _nothing(self, _: object) -> None:
        pass

    # Containers.

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
            self.faults += faults_of_items(target, pairs)
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
        made = Made(callee, arguments)
        self.faults += faults_of_call(made)
        self._stack.append(made)

    def _build(self, _: object) -> None:
        state, target = self._stack.pop(), self._stack[-1]
        if not isinstance(target, Made):
            self.faults.append("changes something that it did not make")
            return
        target.state = state
        self.faults += faults_of_state(target)
        if self._after_build is not None:
            self._stack[-1] = self._after_build(self, target)

    # What no model file needs.

    def _unknown(self, fault: str) -> None:
        self.faults.append(fault)
        self._stack.append(Made(None, ()))

    def _extension(self, code: object) -> None:
        self._unknown(f"uses the extension code {code}")

    def _persistent(self, _: object) -> None:
        self._unknown("refers to something outside the file")

    def _persistent_of_stack(self, _: object) -> None:
        self._stack.pop()
        self._persistent(None)

    def _buffer(self, _: object) -> None:
        self._unknown("needs buffers that are outside the file")


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


_VALUES = (
    *("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT"),
    *("STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8"),
    *("BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8"),
)
_STEPS: dict[str, Callable[[PickleMachine, object], None]] = {
    **dict.fromkeys(_VALUES, PickleMachine._value),
    "NONE": lambda machine, _: machine._value(None),
    "NEWTRUE": lambda machine, _: machine._value(True),
    "NEWFALSE": lambda machine, _: machine._value(False),
    "EMPTY_TUPLE": lambda machine, _: machine._value(()),
    "EMPTY_LIST": lambda machine, _: machine._value([]),
    "EMPTY_SET": lambda machine, _: machine._value([]),
    "EMPTY_DICT": lambda machine, _: machine._value(Pairs()),
    "PROTO": PickleMachine._nothing,
    "FRAME": PickleMachine._frame,
    "MARK": PickleMachine._mark,
    "POP": PickleMachine._pop,
    "POP_MARK": PickleMachine._pop_mark,
    "DUP": PickleMachine._duplicate,
    "MEMOIZE": PickleMachine._memoize,
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
