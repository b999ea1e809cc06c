"""Letters: into a folder, to the console, through a real SMTP server; what cannot be sent holds nobody up."""

from __future__ import annotations

import smtplib
import ssl
import threading
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from structlog.testing import capture_logs

from app.errors import InvalidSettings
from app.services.mail import Letter, Post, carrier
from tests.serving import free_port
from tests.waiting import wait_until

LETTER = Letter("ada@example.org", "Grüße", "Ein Brief.\nMit zwei Zeilen: äöü.\n")


class Inbox:
    """What an SMTP server was given."""

    def __init__(self) -> None:
        self.letters: list[tuple[str, list[str], EmailMessage]] = []

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - the library's name
        message = message_from_bytes(envelope.content, policy=policy.default)
        self.letters.append((envelope.mail_from, envelope.rcpt_tos, message))
        return "250 OK"


def check_password(_server: Any, _session: Any, _envelope: Any, _mechanism: str, given: Any) -> AuthResult:
    good = isinstance(given, LoginPassword) and (given.login, given.password) == (b"us@er", b"p:w/d")
    return AuthResult(success=good, handled=False)


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
def server(inbox: Inbox) -> Iterator[Controller]:
    controller = Controller(
        inbox, hostname="127.0.0.1", port=free_port(), authenticator=check_password, auth_require_tls=False, auth_required=False
    )
    controller.start()
    yield controller
    controller.stop()


def post(where: str) -> Post:
    return Post(carry=carrier(where), sender="vitrine@photos.example.org")


def test_a_letter_goes_through_a_mail_server(inbox: Inbox, server: Controller) -> None:
    post(f"smtp://127.0.0.1:{server.port}").send(LETTER)
    wait_until(lambda: inbox.letters)
    ((sender, to, message),) = inbox.letters
    assert (sender, to) == ("vitrine@photos.example.org", ["ada@example.org"])
    assert (message["Subject"], message["To"]) == (LETTER.subject, LETTER.to)
    assert message["Auto-Submitted"] == "auto-generated"
    assert str(message["Message-ID"]).endswith("@photos.example.org>")
    assert message.get_content().replace("\r\n", "\n") == LETTER.text


def test_it_logs_in_with_what_the_address_says(inbox: Inbox, server: Controller) -> None:
    post(f"smtp://us%40er:p%3Aw%2Fd@127.0.0.1:{server.port}").send(LETTER)
    wait_until(lambda: inbox.letters)


def test_a_password_that_is_refused_and_a_server_that_is_gone_are_told_of_in_the_log(server: Controller) -> None:
    with capture_logs() as told:
        for where in (f"smtp://user:secret-word@127.0.0.1:{server.port}", f"smtp://127.0.0.1:{free_port()}"):
            post(where).send(LETTER)
        wait_until(lambda: len(told) == 2)
    assert {(event["event"], event["reason"]) for event in told} == {
        ("letter_not_sent", "SMTPAuthenticationError"),
        ("letter_not_sent", "ConnectionRefusedError"),
    }
    assert not any(word in str(told) for word in ("secret-word", LETTER.to, "Ein Brief"))


def test_a_server_elsewhere_is_asked_for_tls_before_anything_is_said(inbox: Inbox, server: Controller) -> None:
    carry = carrier(f"smtp://user:word@127.0.0.1:{server.port}")
    assert carry is not None
    carry._near = False  # type: ignore[attr-defined] # as if it were in another house
    with pytest.raises(smtplib.SMTPNotSupportedError):
        carry(EmailMessage())
    assert inbox.letters == []


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_nothing_is_said_to_a_server_whose_certificate_nobody_vouches_for(inbox: Inbox, host: str) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(Path(__file__).with_name("untrusted.pem"))
    impostor = Controller(inbox, hostname="127.0.0.1", port=free_port(), ssl_context=context)
    impostor.start()
    try:
        carry = carrier(f"smtps://user:word@{host}:{impostor.port}")
        assert carry is not None
        with pytest.raises(ssl.SSLCertVerificationError):
            carry(EmailMessage())
    finally:
        impostor.stop()
    assert inbox.letters == []


def test_a_folder_gets_a_file_for_its_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "letters"
    post(str(folder)).send(LETTER)
    wait_until(lambda: list(folder.glob("*.eml")) and next(folder.glob("*.eml")).stat().st_size)
    (file,) = folder.iterdir()
    assert (folder.stat().st_mode & 0o777, file.stat().st_mode & 0o777) == (0o700, 0o600)
    assert message_from_bytes(file.read_bytes(), policy=policy.default).get_content() == LETTER.text


def test_a_link_stays_whole_in_a_file(tmp_path: Path) -> None:
    link = f"http://127.0.0.1:8000/recover/{'a=' * 200}"
    post(str(tmp_path)).send(Letter("ada@example.org", "Hello", f"Look:\n\n{link}\n"))
    wait_until(lambda: any(f"\n{link}\n" in file.read_text() for file in tmp_path.glob("*.eml")))


def test_the_console_gets_them_where_it_was_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    post("console").send(Letter("ada@example.org", "Hello", "A text."))
    told: list[str] = []

    def told_it() -> bool:
        told.append(capsys.readouterr().err)
        return "A text." in "".join(told)

    wait_until(told_it)


def test_without_a_carrier_nothing_goes_and_nothing_is_started() -> None:
    nowhere = post("")
    before = threading.active_count()
    nowhere.send(LETTER)
    assert not nowhere.goes
    assert threading.active_count() == before


def test_nobody_waits_for_a_server_that_does_not_answer() -> None:
    gate = threading.Event()

    def wait(_message: EmailMessage) -> None:
        gate.wait()

    slow = Post(carry=wait, sender="a@example.org")
    with capture_logs() as told:
        for _ in range(150):
            slow.send(LETTER)
    assert not gate.is_set()
    assert [event["reason"] for event in told] == ["too many are waiting"] * 50
    gate.set()


@pytest.mark.parametrize("where", ["letters", "http://example.org", "smtp://", "smtps:///path", "ftp://host/folder"])
def test_what_carries_nothing_stops_the_start(where: str) -> None:
    with pytest.raises(InvalidSettings, match="VITRINE_MAIL"):
        carrier(where)


@pytest.mark.parametrize("header", ["ada@example.org\nBcc: eve@example.org", "ada@example.org\r\nX: y"])
def test_an_address_cannot_add_a_header(header: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="linefeed"):
        post(str(tmp_path)).send(Letter(header, "a", "b"))
    with pytest.raises(ValueError, match="linefeed"):
        post(str(tmp_path)).send(Letter("ada@example.org", header, "b"))
