"""Every request has a number of its own in its picture, and the picture stays what it is."""

from __future__ import annotations

import json
from base64 import b64decode
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from benchmarks.assets.pictures import jpeg
from benchmarks.load.wires import HOLE, body_with_gap, plain_body, read_answer

NOISE = Image.fromarray(np.random.default_rng(1).integers(0, 256, (40, 50, 3), dtype=np.uint8))
NUMBER = 1_700_000_000_123_456


def pixels(file: bytes) -> bytes:
    with Image.open(BytesIO(file)) as image:
        return image.tobytes()


def in_form(body: bytes) -> bytes:
    return body.partition(b"\r\n\r\n")[2].rpartition(b"\r\n--")[0]


def in_tensor(body: bytes) -> bytes:
    return b64decode(json.loads(body)["inputs"][0]["data"][0], validate=True)


def test_a_form_carries_the_number_in_the_comment_and_the_same_pixels() -> None:
    file = jpeg(NOISE)
    sent = in_form(body_with_gap("form", file).numbered(NUMBER))
    assert str(NUMBER).encode() in sent
    assert len(sent) == len(file)
    assert pixels(sent) == pixels(file)


@pytest.mark.parametrize("shift", [0, 1, 2])
def test_a_tensor_carries_another_comment_for_every_number_and_the_same_pixels(shift: int) -> None:
    # Wherever the comment lies, base64 is cut between its groups.
    file = jpeg(NOISE).replace(b"\xff\xfe", b"\xff\xfe" + (2 + shift).to_bytes(2, "big") + b"x" * shift + b"\xff\xfe", 1)
    body = body_with_gap("v2", file)
    first, second = (in_tensor(body.numbered(number)) for number in (NUMBER, NUMBER + 1))
    assert first != second
    assert len(first) == len(second) == len(file)
    assert pixels(first) == pixels(second) == pixels(file)


@pytest.mark.parametrize("file", [b"\xff\xd8 no comment", HOLE + b" and once more " + HOLE])
def test_a_picture_without_its_hole_is_refused(file: bytes) -> None:
    with pytest.raises(ValueError, match="comment"):
        body_with_gap("form", file)


def test_a_picture_is_sent_as_it_is() -> None:
    kind, body = plain_body("form", b"some bytes", "cat.png")
    assert kind.startswith("multipart/form-data")
    assert b'name="image"; filename="cat.png"\r\nContent-Type: image/png' in body
    assert in_form(body) == b"some bytes"
    assert in_tensor(plain_body("v2", b"some bytes", "cat.png")[1]) == b"some bytes"


def test_answers_of_all_servers_read_alike() -> None:
    peer = {"label": "cat", "probabilities": {"cat": 0.75, "dog": 0.25}}
    listed = [{"label": "cat", "probability": 0.75}, {"label": "dog", "probability": 0.25}]
    vitrine = {"label": "cat", "predictions": listed}
    tensor = {"outputs": [{"data": [json.dumps(peer)]}]}
    told = [read_answer("form", json.dumps(peer).encode()), read_answer("form", json.dumps(vitrine).encode())]
    assert [*told, read_answer("v2", json.dumps(tensor).encode())] == [("cat", {"cat": 0.75, "dog": 0.25})] * 3


@pytest.mark.parametrize("answer", [b"<html>", b"{}", b"[]", b'{"label": "cat"}'])
def test_what_is_no_answer_is_told_apart(answer: bytes) -> None:
    with pytest.raises(ValueError, match="not an answer"):
        read_answer("form", answer)
