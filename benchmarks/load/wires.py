"""How a picture is put into a request and an answer read, for a form and for the V2 protocol.

Every request has a number of its own inside its picture: a JPEG comment has a hole for it, so the pixels stay the same and
yet no server can answer from a cache of uploads.
"""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

Wire = Literal["form", "v2"]

TOKEN_DIGITS = 16
HOLE = b"#" * 24  # room for the token, and for moving it to where base64 can be cut
_BASE64_BYTES = TOKEN_DIGITS * 3 // 4  # sixteen digits, read as base64, stand for twelve bytes of whatever kind
_BOUNDARY = "vitrine-benchmark-8f1c5a0d"


@dataclass(frozen=True, slots=True)
class Body:
    """A request's body with a gap of sixteen digits in it."""

    content_type: str
    before: bytes
    after: bytes

    def numbered(self, number: int) -> bytes:
        """Give the whole body with that number in the gap."""
        return self.before + f"{number:0{TOKEN_DIGITS}}".encode() + self.after


class Told(NamedTuple):
    """What a server answered."""

    label: str
    probabilities: dict[str, float]


def body_with_gap(wire: Wire, file: bytes) -> Body:
    """Give the body for a JPEG that has the hole in its comment, or raise ValueError where it has none, or two."""
    if file.count(HOLE) != 1:
        raise ValueError("A measured picture has one comment of number signs.")
    start = file.index(HOLE)
    if wire == "form":
        return _form(file[:start], file[start + TOKEN_DIGITS :], "picture.jpg")
    start += -start % 3  # base64 can be cut every three bytes
    return _v2(file[:start], file[start + _BASE64_BYTES :])


def plain_body(wire: Wire, file: bytes, name: str) -> tuple[str, bytes]:
    """Give the content type and the body for a picture file as it is."""
    body = _form(file, b"", name) if wire == "form" else _v2(file, b"")
    return body.content_type, body.before + body.after


def read_answer(wire: Wire, answer: bytes) -> Told:
    """Read the label and the probabilities out of an answer, or raise ValueError."""
    try:
        told = json.loads(answer)
        if wire == "v2":
            told = json.loads(told["outputs"][0]["data"][0])
        return Told(told["label"], _probabilities(told))
    except (LookupError, TypeError, ValueError) as error:
        raise ValueError(f"not an answer: {answer[:120]!r}") from error


def _probabilities(told: dict[str, Any]) -> dict[str, float]:
    # Peers answer with an object, Vitrine with a list whose first is the likeliest.
    if "probabilities" in told:
        return dict(told["probabilities"])
    return {entry["label"]: entry["probability"] for entry in told["predictions"]}


def _form(before: bytes, after: bytes, name: str) -> Body:
    kind = "image/png" if name.endswith(".png") else "image/jpeg"
    head = f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="image"; filename="{name}"\r\nContent-Type: {kind}\r\n\r\n'
    end = f"\r\n--{_BOUNDARY}--\r\n"
    return Body(f"multipart/form-data; boundary={_BOUNDARY}", head.encode() + before, after + end.encode())


def _v2(before: bytes, after: bytes) -> Body:
    encoding = {"content_type": "base64"}
    tensor = {"name": "image", "datatype": "BYTES", "shape": [1, 1], "parameters": encoding, "data": ["HERE"]}
    head, end = json.dumps({"inputs": [tensor]}).split("HERE")
    return Body("application/json", head.encode() + b64encode(before), b64encode(after) + end.encode())
