from __future__ import annotations

import json
import struct
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import InvalidModel
from app.intake.wire import Message, pack, read, unpack

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


def framed(head: Any, rest: bytes = b"") -> bytes:
    text = head if isinstance(head, bytes) else json.dumps(head).encode()
    return struct.pack(">Q", len(text)) + text + rest


@given(st.dictionaries(TEXT, PLAIN, max_size=4), st.dictionaries(TEXT, st.binary(), max_size=4))
def test_what_is_packed_is_unpacked_as_it_was(values: dict[str, Any], blobs: dict[str, bytes]) -> None:
    assert unpack(pack(Message(values, blobs))) == Message(values, blobs)


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_but_a_refusal(data: bytes) -> None:
    for given_bytes in (data, framed(data), bytearray(data)):
        try:
            unpack(given_bytes)
        except InvalidModel:
            continue


@given(PLAIN, PLAIN)
def test_no_head_raises_anything_but_a_refusal(values: Any, sizes: Any) -> None:
    try:
        unpack(framed({"values": values, "sizes": sizes}, b"some bytes"))
    except InvalidModel:
        return


@pytest.mark.parametrize("cut", range(0, 60, 7))
def test_a_message_cut_off_anywhere_is_refused(cut: int) -> None:
    whole = pack(Message({"name": "value"}, {"blob": bytes(20)}))
    with pytest.raises(InvalidModel, match="no answer that can be read"):
        unpack(whole[:cut])


def test_bytes_behind_a_message_are_refused_and_left_alone_where_a_file_goes_on() -> None:
    twice = pack(Message({"a": 1}, {"b": b"c"})) * 2
    with pytest.raises(InvalidModel, match="more than its answer"):
        unpack(twice)
    file = BytesIO(twice)
    assert read(file) == read(file)


def test_a_head_may_be_four_megabytes_and_no_longer() -> None:
    head = {"values": {"text": ""}, "sizes": {}}
    room = 4_000_000 - len(json.dumps(head))
    assert len(unpack(framed({"values": {"text": "x" * room}, "sizes": {}})).values["text"]) == room
    with pytest.raises(InvalidModel):
        unpack(framed({"values": {"text": "x" * (room + 1)}, "sizes": {}}))


@pytest.mark.parametrize("size", [-1, 3, 2**63, 10**40, 2.0, "2", True, None, [2], float("inf"), float("nan")])
def test_a_size_that_is_none_or_lies_is_refused(size: object) -> None:
    with pytest.raises(InvalidModel):
        unpack(framed({"values": {}, "sizes": {"blob": size}}, b"ab"))


@pytest.mark.parametrize("values", [{"name": "\ud800"}, {"\udfff": 1}, {"deep": [["\ud800"]]}])
def test_text_that_could_not_be_stored_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(InvalidModel):
        unpack(framed({"values": values, "sizes": {}}))
