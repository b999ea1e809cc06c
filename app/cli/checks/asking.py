"""One question to a web server, over a connection of its own; what an address leads to is not followed."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

_SECONDS = 5.0
_MOST_BYTES = 1_000_000
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Answer:
    """A status, headers by their names in small letters, and the body as it came."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def ask(origin: str, path: str, **headers: str) -> Answer:
    """Ask `GET path` of an origin; raises OSError where nobody answers within seconds, and ValueError where it is no HTTP.

    Over https the certificate must be one that this system trusts.
    """
    parts = urlsplit(origin)
    until = time.monotonic() + _SECONDS
    sent = {"Host": parts.netloc, "Connection": "close", **{name.replace("_", "-"): value for name, value in headers.items()}}
    request = "".join([f"GET {path} HTTP/1.1\r\n", *(f"{name}: {value}\r\n" for name, value in sent.items()), "\r\n"])
    content = bytearray()
    place = (parts.hostname or "", parts.port or _PORTS[parts.scheme])
    with socket.create_connection(place, timeout=_SECONDS) as bare, _secured(bare, parts) as stream:
        stream.sendall(request.encode("ascii"))
        while len(content) < _MOST_BYTES and (part := stream.recv(65_536)):
            content += part
            if time.monotonic() > until:
                raise TimeoutError("it takes too long")
    return _parsed(bytes(content))


def _secured(bare: socket.socket, parts: SplitResult) -> socket.socket:
    if parts.scheme == "http":
        return bare
    return ssl.create_default_context().wrap_socket(bare, server_hostname=parts.hostname)


def _parsed(content: bytes) -> Answer:
    head, _, body = content.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    protocol, _, rest = first.partition(" ")
    if not protocol.startswith("HTTP/") or not rest[:3].isdigit():
        raise ValueError("no HTTP")
    pairs = (line.partition(":") for line in lines)
    return Answer(int(rest[:3]), {name.strip().lower(): value.strip() for name, _, value in pairs}, body)
