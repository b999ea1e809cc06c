"""One question to a web server."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable

import pytest

from app.cli.checks import asking
from app.cli.checks.asking import ask
from tests.cli.checks.answering import CERTIFICATE, Said, answering


def said_by(talk: Callable[[socket.socket], object]) -> str:
    """Let a socket answer one connection, and give its origin."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with listening, listening.accept()[0] as line:
            line.recv(4096)
            talk(line)

    threading.Thread(target=serve, daemon=True).start()
    return f"http://127.0.0.1:{listening.getsockname()[1]}"


def test_an_answer_is_given_as_it_came() -> None:
    sent: dict[str, str] = {}

    def say(path: str, headers: dict[str, str]) -> Said:
        sent.update(headers, path=path)
        return Said(308, b"body", {"Location": "https://elsewhere.example/", "X-Two": "a: b"})

    with answering(say) as server:
        answer = ask(
            f"http://127.0.0.1:{server.server_port}", "/livez?a=1", Host="photos.example.org", X_Forwarded_Proto="http"
        )
    assert (answer.status, answer.body) == (308, b"body")
    assert (answer.headers["location"], answer.headers["x-two"]) == ("https://elsewhere.example/", "a: b")
    assert sent == {"Host": "photos.example.org", "Connection": "close", "X-Forwarded-Proto": "http", "path": "/livez?a=1"}


def test_what_is_no_http_is_told_apart() -> None:
    for talk in (lambda line: line.sendall(b"220 mail.example.org ESMTP\r\n"), lambda line: line.close()):
        with pytest.raises(ValueError, match="no HTTP"):
            ask(said_by(talk), "/")


def test_who_does_not_answer_or_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConnectionRefusedError):
        ask("http://127.0.0.1:1", "/")
    monkeypatch.setattr(asking, "_SECONDS", 0.2)

    def drip(line: socket.socket) -> None:
        try:
            while True:
                line.sendall(b"HTTP/1.1 200 OK\r\n")
        except OSError:
            return

    monkeypatch.setattr(asking, "_MOST_BYTES", 10**12)
    with pytest.raises(TimeoutError):
        ask(said_by(drip), "/")
    done = threading.Event()
    with pytest.raises(TimeoutError):
        ask(said_by(lambda _line: done.wait(5)), "/")
    done.set()


def test_an_endless_answer_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "_MOST_BYTES", 100_000)
    with answering(lambda _path, _headers: Said(body=bytes(1_000_000))) as server:
        assert len(ask(f"http://127.0.0.1:{server.server_port}", "/").body) < 200_000


def test_over_https_the_certificate_must_be_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(lambda _path, _headers: Said(body=b"secure"), tls=True) as server:
        origin = f"https://127.0.0.1:{server.server_port}"
        with pytest.raises(ssl.SSLCertVerificationError):
            ask(origin, "/")
        monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
        assert ask(origin, "/").body == b"secure"
