"""A picture comes in as a form's file, as raw bytes or as base64: what is no such thing is the client's error, cheaply."""

from __future__ import annotations

import base64
import http.client
import json
import resource
from contextlib import closing
from io import BytesIO
from typing import Any, BinaryIO

import numpy as np
import pytest
from flask import Request
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.test import EnvironBuilder

from app.api.uploads import read_upload
from app.errors import InvalidRequest
from tests.api.asking import as_form, as_json, as_parts, assert_problem, send
from tests.factories import EIGHT
from tests.serving import Reply, RunningSite

DIGITS = "/api/v1/models/digits/predict"
PHOTO = EIGHT.read_bytes()
TEXT = base64.b64encode(PHOTO).decode()
FORM = as_form(("image", "8.png", PHOTO))
TOO_MUCH = {
    "thousands of parts": [('name="a"', b"1")] * 2000,
    "a hundred files": [('name="image"; filename="8.png"', PHOTO)] * 100,
    "a huge text": [('name="image"', b"1" * 1_000_000)],
}


def send_json(site: RunningSite, image: Any) -> Reply:
    return send(site, *as_json({"image": image}), DIGITS)


def probabilities(reply: Reply) -> list[float]:
    assert reply.status == 200, reply.body
    return [p["probability"] for p in sorted(reply.json["predictions"], key=lambda p: str(p["label"]))]


def read(body: bytes, content_type: str, largest: int = 1000) -> bytes:
    """Read an upload without a site."""
    return read_upload(Request(EnvironBuilder(method="POST", data=body, content_type=content_type).get_environ()), largest)


def asking(stream: BinaryIO, content_type: str) -> Request:
    """Give a request whose body comes from a stream that can be asked how far it was read."""
    given = {"REQUEST_METHOD": "POST", "CONTENT_TYPE": content_type, "wsgi.input": stream, "wsgi.input_terminated": True}
    return Request({**EnvironBuilder().get_environ(), "CONTENT_LENGTH": "", **given})


def test_every_way_to_write_one_picture_gets_one_answer(site: RunningSite) -> None:
    json_body, _ = as_json({"image": TEXT})
    replies = [
        send(site, PHOTO, {}, DIGITS),
        send(site, PHOTO, {"Content-Type": "text/plain"}, DIGITS),
        send(site, *as_form(("image", "", PHOTO)), DIGITS),
        send(site, *as_form(("image", "../../etc/passwd", PHOTO)), DIGITS),
        send(site, json_body, {"Content-Type": "Application/JSON; charset=utf-8"}, DIGITS),
        send_json(site, f"data:;base64,{TEXT}"),
        send_json(site, f"DATA:IMAGE/PNG;BASE64,{TEXT}"),
        send_json(site, f"data:image/svg+xml;charset=utf-8;name=8.png;base64,{TEXT}"),
    ]
    rows = np.array([probabilities(reply) for reply in replies])
    assert np.abs(rows - rows[0]).max() < 1e-6
    assert {reply.json["label"] for reply in replies} == {"8"}


@pytest.mark.parametrize(
    "image",
    [
        TEXT.rstrip("="),
        TEXT[:40] + "\n" + TEXT[40:],
        TEXT.replace("A", "-"),
        f" {TEXT}",
        f"é{TEXT}",
        f"{TEXT}🐱",
        "data:image/png,abc",
        f"data:image/png;base64;{TEXT}",
        f"{TEXT[:8]}data:;base64,{TEXT[8:]}",
        f"data:;base64,data:;base64,{TEXT}",
    ],
)
def test_text_that_is_not_base64_is_refused(site: RunningSite, image: str) -> None:
    reply = send_json(site, image)
    assert_problem(reply, 400, "invalid_request")
    assert reply.json["detail"] == "The field 'image' is not valid base64."


@pytest.mark.parametrize(
    "body",
    [
        PHOTO,
        b'{"image": "\xff"}',
        b'{"image": "\\ud800"}',
        b'\xef\xbb\xbf{"image": "YQ=="}',
        b'{"image": NaN}',
        b'{"image": "YQ=="} {}',
        b"[" * 100_000,
        b'{"Image": "YQ=="}',
        b'[{"image": "YQ=="}]',
        b'{"image": {"image": "YQ=="}}',
    ],
    ids=lambda body: str(body[:20]),
)
def test_json_that_cannot_be_read_is_refused(site: RunningSite, body: bytes) -> None:
    assert_problem(send(site, body, {"Content-Type": "application/json"}, DIGITS), 400, "invalid_request")


def test_a_prefix_of_millions_of_parameters_costs_no_memory() -> None:
    body, headers = as_json({"image": "data:" + ";a" * 10_000_000})
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(InvalidRequest, match="not valid base64"):
        read(body, headers["Content-Type"], largest=20_000_000)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300_000


def test_json_under_a_type_of_its_own_making_is_no_picture(site: RunningSite) -> None:
    body, _ = as_json({"image": TEXT})
    for content_type in ("application/octet-stream", "text/json", "application/vnd.api+json", "image/png"):
        assert_problem(send(site, body, {"Content-Type": content_type}, DIGITS), 415, "unsupported_image")


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        as_parts(('name="image"', PHOTO)),
        as_parts(('name="image"; filename="8.png"', PHOTO), ('name="top_k"', b"1")),
        as_parts(('name="image"; filename="8.png"', PHOTO), ('name="image"', b"1")),
        as_form(("image", "8.png", PHOTO), ("mask", "8.png", PHOTO)),
        (FORM[0], {"Content-Type": "multipart/form-data"}),
        (FORM[0], {"Content-Type": "multipart/form-data; boundary=another"}),
        (FORM[0][:-40], FORM[1]),
        (b"", FORM[1]),
    ],
    ids=["text", "other text", "same text", "other file", "no boundary", "wrong boundary", "cut off", "empty"],
)
def test_a_form_that_holds_anything_else_is_refused(site: RunningSite, body: bytes, headers: dict[str, str]) -> None:
    reply = send(site, body, headers, DIGITS)
    assert_problem(reply, 400, "invalid_request")
    assert reply.json["detail"] == "Send one file in the form field 'image' and nothing else."


@pytest.mark.parametrize("parts", TOO_MUCH.values(), ids=TOO_MUCH)
def test_a_form_that_is_too_much_to_read_is_refused(site: RunningSite, parts: list[tuple[str, bytes]]) -> None:
    reply = send(site, *as_parts(*parts), DIGITS)
    assert_problem(reply, 400, "invalid_request")
    assert reply.json["detail"] == "Send one file in the form field 'image' and nothing else."


@pytest.mark.parametrize("parts", TOO_MUCH.values(), ids=TOO_MUCH)
def test_reading_ends_at_the_first_thing_that_is_not_the_picture(parts: list[tuple[str, bytes]]) -> None:
    body, headers = as_parts(*parts, ('name="more"; filename="more"', b"\xff" * 5_000_000))
    stream = BytesIO(body)
    with pytest.raises(InvalidRequest, match="one file"):
        read_upload(asking(stream, headers["Content-Type"]), 20_000_000)
    assert stream.tell() < 1_000_000


def test_a_form_of_unknown_length_is_read_no_further_than_its_limit(site: RunningSite) -> None:
    body, headers = as_form(("image", "8.png", b"\xff" * 21_000_000))
    pieces = (body[begin : begin + 1_000_000] for begin in range(0, len(body), 1_000_000))
    connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=60)
    with closing(connection):
        sent = {**headers, "Authorization": f"Bearer {site.key}"}
        connection.request("POST", DIGITS, pieces, sent, encode_chunked=True)
        answer = connection.getresponse()
        assert (answer.status, answer.headers["Content-Type"]) == (413, "application/problem+json")


def test_a_form_in_pieces_of_unknown_length_is_taken(site: RunningSite) -> None:
    body, headers = FORM
    connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=60)
    with closing(connection):
        sent = {**headers, "Authorization": f"Bearer {site.key}"}
        connection.request("POST", DIGITS, (body[begin : begin + 7] for begin in range(0, len(body), 7)), sent)
        answer = connection.getresponse()
        assert (answer.status, json.loads(answer.read())["label"]) == (200, "8")


@settings(deadline=None)
@given(st.binary(max_size=3000), st.sampled_from([1, 2, 3, 17, 100]))
def test_whatever_a_file_holds_comes_out_of_a_form_as_it_went_in(content: bytes, times: int) -> None:
    body, headers = as_form(("image", "a.png", content * times))
    assert read_upload(asking(BytesIO(body), headers["Content-Type"]), 1_000_000) == content * times


@pytest.mark.parametrize("content_type", ["image/png", "application/json", FORM[1]["Content-Type"]])
def test_a_length_beyond_the_limit_is_refused_before_anything_is_sent(site: RunningSite, content_type: str) -> None:
    headers = {"Content-Type": content_type, "Content-Length": "999999999999"}
    assert_problem(send(site, b"", headers, DIGITS), 413, "image_too_large")


def test_an_empty_picture_is_told_as_such_in_every_way(site: RunningSite) -> None:
    for body, headers in (as_form(("image", "8.png", b"")), as_json({"image": "data:image/png;base64,"}), (b"", {})):
        reply = send(site, body, headers, DIGITS)
        assert_problem(reply, 422, "invalid_image")
        assert reply.json["detail"] == "This file is empty."


def test_the_limit_counts_the_bytes_of_the_picture_in_every_way(site: RunningSite) -> None:
    photo = b"\xff" * 20_000_001
    for body, headers in (as_form(("image", "8.png", photo)), as_json({"image": base64.b64encode(photo).decode()})):
        assert_problem(send(site, body, headers, DIGITS), 413, "image_too_large")
    assert send(site, PHOTO, {}, DIGITS).status == 200


@settings(deadline=None, max_examples=200)
@given(
    st.lists(
        st.sampled_from([b"\r", b"\n", b"\r\n", b"--", b"x", b"--x", b"--xy", b"--x--", b"\xff", b"photo", b'"']), max_size=12
    ),
    st.sampled_from([0, 200_000, 262_000, 262_030, 262_060, 300_000, 900_000]),
)
def test_what_is_cut_out_of_a_plain_form_is_what_the_parser_finds(pieces: list[bytes], before: int) -> None:
    content = b"." * before + b"".join(pieces)
    head = b'--x\r\nContent-Disposition: form-data; name="image"; filename="8.png"\r\nContent-Type: image/png\r\n\r\n'
    body = head + content + b"\r\n--x--\r\n"

    def found(content_type: str) -> bytes | str:
        try:
            return read(body, content_type, 1_000_000)
        except InvalidRequest as error:
            return str(error)

    # The quotes mean the same, and only the parser reads them.
    assert found("multipart/form-data; boundary=x") == found('multipart/form-data; boundary="x"')
