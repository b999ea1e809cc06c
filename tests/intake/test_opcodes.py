from __future__ import annotations

import pickle
import pickletools
from collections import OrderedDict
from io import BytesIO

import pytest

from app.errors import InvalidModel
from app.intake.described import Global, Made, Pairs
from app.intake.opcodes import _STEPS, PickleMachine
from tests.intake.opcodes import framed, named, value

PLAIN = {
    "a": [1, 2.5, None, True],
    "b": (b"x", "é", 10**30),
    "c": {1: -1},
    "d": (),
    "e": [(1,), (1, 2), (1, 2, 3), (1, 2, 3, 4)],
}


def read(body: bytes) -> tuple[object, PickleMachine]:
    machine = PickleMachine(BytesIO(body))
    return machine.run(), machine


def plain(found: object) -> object:
    """Give what a description of plain values describes."""
    if isinstance(found, Pairs):
        return {plain(key): plain(held) for key, held in found.pairs}
    if isinstance(found, Made):
        return found.callee, plain(found.arguments)
    if isinstance(found, (list, tuple)):
        return type(found)(map(plain, found))
    return found


def test_every_opcode_of_python_is_followed() -> None:
    assert {opcode.name for opcode in pickletools.opcodes} - {"STOP"} == _STEPS.keys()


@pytest.mark.parametrize("protocol", range(3, 6))
def test_plain_values_are_described_as_they_are(protocol: int) -> None:
    found, machine = read(pickle.dumps(PLAIN, protocol=protocol))
    assert plain(found) == PLAIN
    assert (machine.globals, machine.faults) == ({}, [])


@pytest.mark.parametrize("protocol", range(3))
def test_old_protocols_name_what_makes_bytes(protocol: int) -> None:
    found, machine = read(pickle.dumps([1, "é", None, 10**30, b"x"], protocol=protocol))
    assert plain(found) == [1, "é", None, 10**30, (Global("_codecs", "encode"), ("x", "latin1"))]
    assert list(machine.globals) == [Global("_codecs", "encode")]


@pytest.mark.parametrize("protocol", range(4, 6))
def test_sets_are_described_as_what_they_hold(protocol: int) -> None:
    assert plain(read(pickle.dumps([{1}, frozenset({2})], protocol=protocol))[0]) == [[1], (2,)]


def test_what_is_held_twice_is_described_once() -> None:
    shared: list[int] = [1]
    found, _ = read(pickle.dumps([shared, shared]))
    assert isinstance(found, list)
    assert found[0] is found[1]


def test_a_list_that_holds_itself_is_followed() -> None:
    endless: list[object] = []
    endless.append(endless)
    found, _ = read(pickle.dumps(endless))
    assert isinstance(found, list)
    assert found[0] is found


def test_an_object_is_described_by_its_call_its_items_and_its_state() -> None:
    found, machine = read(pickle.dumps(OrderedDict(a=1)))
    assert isinstance(found, Made)
    assert (found.callee, found.arguments, plain(found.pairs)) == (Global("collections", "OrderedDict"), (), {"a": 1})
    assert str(next(iter(machine.globals))) == "collections.OrderedDict"
    state, _ = read(named("sklearn.svm._classes:SVC").opcodes + b")\x81" + value({"C": 1}) + b"b.")
    assert isinstance(state, Made)
    assert isinstance(state.state, Pairs)
    assert (state.state.get("C"), state.state.get("D")) == (1, None)


@pytest.mark.parametrize("length", [0, 1, 1000])
def test_a_frame_of_another_length_is_refused(length: int) -> None:
    body = value([1, 2]) + b"."
    assert plain(read(framed(body))[0]) == [1, 2]
    if length > len(body):
        with pytest.raises(InvalidModel):
            read(framed(body, length))


BROKEN = (
    *(b"", b"N", b".", b"(.", b"0.", b"a.", b"(a.", b"]a.", b"Na.", b"]NNs.", b"}(Nu.", b"(Nd.", b"NR.", b"\x81.", b"\x85."),
    *(b"\x86.", b"\x93.", b"NN\x93.", b"t.", b"l.", b"o.", b"h\x00.", b"gx\n.", b"1.", b"2.", b"Ix\n.", b"\x8a\x05.", b"b."),
    *(b"Nr\xff\xff\xff\xff.", b"Np-1\n.", b"Np99999999\n."),
)


@pytest.mark.parametrize("body", BROKEN, ids=repr)
def test_a_broken_pickle_is_an_invalid_model(body: bytes) -> None:
    with pytest.raises(InvalidModel):
        read(body)


def test_a_pickle_has_only_so_many_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.intake.opcodes._MOST_STEPS", 100)
    assert read(b"N0" * 49 + b"N.")[0] is None
    with pytest.raises(InvalidModel, match="no end"):
        read(b"N0" * 50 + b"N.")
