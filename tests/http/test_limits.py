"""Bodies that cannot be read, raw on the socket of real Gunicorn."""

from __future__ import annotations

import socket

import pytest

from tests.serving import RunningSite
from tests.web.visiting import make_visitor

FORM = "multipart/form-data; boundary=x"
KINDS = ["application/octet-stream", "application/json", FORM, "application/x-www-form-urlencoded"]
BROKEN = {
    "no size": b"zz\r\nabc\r\n0\r\n\r\n",
    "a negative size": b"-3\r\nabc\r\n0\r\n\r\n",
    "more than its size": b"3\r\nabcdef\r\n0\r\n\r\n",
    "an endless size": b"f" * 4000 + b"\r\nabc\r\n0\r\n\r\n",
    "broken off": b"ff\r\nabc",
}


def send_chunks(site: RunningSite, path: str, kind: str, chunks: bytes, *headers: str) -> tuple[int, bytes]:
    """Send a chunked body and close our end; give the status and everything that came back."""
    lines = [f"POST {path} HTTP/1.1", f"Host: 127.0.0.1:{site.port}", f"Content-Type: {kind}", *headers]
    head = "\r\n".join([*lines, "Transfer-Encoding: chunked", "Connection: close", "", ""])
    with socket.create_connection(("127.0.0.1", site.port), timeout=30) as connection:
        connection.sendall(head.encode() + chunks)
        connection.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: connection.recv(65_536), b""))
    return int(answer.split(b" ", 2)[1]), answer


@pytest.mark.parametrize("fault", BROKEN)
@pytest.mark.parametrize("kind", KINDS)
def test_broken_chunks_are_the_clients_error_on_the_api(site: RunningSite, kind: str, fault: str) -> None:
    before = len(site.log)
    status, answer = send_chunks(site, "/api/v1/predict", kind, BROKEN[fault], f"Authorization: Bearer {site.key}")
    assert status == 400
    assert b'"code":"invalid_request"' in answer
    assert '"level":"error"' not in site.log[before:]


@pytest.mark.parametrize("fault", BROKEN)
def test_broken_chunks_are_the_clients_error_on_a_page(site: RunningSite, fault: str) -> None:
    ada, before = make_visitor(site), len(site.log)
    token = ada.token_of("/")
    status, answer = send_chunks(
        site, "/", FORM, BROKEN[fault], f"X-CSRFToken: {token}", f"Cookie: vitrine={ada.cookies['vitrine']}"
    )
    assert status == 400
    assert b"The body of the request could not be read." in answer
    assert '"level":"error"' not in site.log[before:]


def test_whole_chunks_are_as_good_as_any_body(site: RunningSite) -> None:
    key = f"Authorization: Bearer {site.key}"
    status, answer = send_chunks(site, "/api/v1/predict", KINDS[0], b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", key)
    assert status == 415
    assert b'"code":"unsupported_image"' in answer
