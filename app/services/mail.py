"""Letters to people: by SMTP, into a folder, or to the console."""

from __future__ import annotations

import ssl
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from pathlib import Path
from urllib.parse import unquote, urlsplit

import structlog
from ulid import ULID

from app.errors import InvalidSettings

_SMTP_SECONDS = 20.0
_MOST_WAITING = 100
# A letter is carried when the request that asked for it has been answered: both would share the processor, and the
# answer's time tell whether there is an account.
_AFTER_SECONDS = 0.1
_PORTS = {"smtp": 587, "smtps": 465}

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Letter:
    """A text for one address."""

    to: str
    subject: str
    text: str


Carry = Callable[[EmailMessage], None]


class Post:
    """Sends letters one after the other behind the request that asked for them, which so takes as long as one that sends none.

    A letter that cannot be sent is told of in the log, without its address or its text, and is lost: people ask again.
    """

    def __init__(self, *, carry: Carry | None, sender: str) -> None:
        self._carry = carry
        self._sender = sender
        self._waiting = threading.BoundedSemaphore(_MOST_WAITING)
        self._making = threading.Lock()
        self._thread: ThreadPoolExecutor | None = None

    @property
    def goes(self) -> bool:
        """Whether letters are sent at all."""
        return self._carry is not None

    def send(self, letter: Letter) -> None:
        """Send a letter soon."""
        if self._carry is None:
            return
        if not self._waiting.acquire(blocking=False):
            log.error("letter_not_sent", reason="too many are waiting")
            return
        with self._making:
            # On the first letter, after the fork; the interpreter waits for it before it ends.
            self._thread = self._thread or ThreadPoolExecutor(1, "post")
        self._thread.submit(self._deliver, self._carry, self._message(letter), time.monotonic() + _AFTER_SECONDS)

    def _deliver(self, carry: Carry, message: EmailMessage, begin: float) -> None:
        time.sleep(max(0.0, begin - time.monotonic()))
        try:
            carry(message)
        except OSError as error:
            log.error("letter_not_sent", reason=type(error).__name__)
        finally:
            self._waiting.release()

    def _message(self, letter: Letter) -> EmailMessage:
        message = EmailMessage()
        message["From"] = self._sender
        message["To"] = letter.to
        message["Subject"] = letter.subject
        message["Date"] = formatdate()
        message["Message-ID"] = make_msgid(domain=self._sender.rpartition("@")[2])
        # Nobody is away from an automatic letter.
        message["Auto-Submitted"] = "auto-generated"
        # Whole lines where that is possible: a link is then whole in a folder and on a console, too.
        message.set_content(letter.text, cte="7bit" if letter.text.isascii() else "quoted-printable")
        return message


def carrier(where: str) -> Carry | None:
    """Give what carries letters to `smtp://user:password@host:587`, `smtps://host`, a folder or `console`; None for nowhere.

    Raises InvalidSettings for anything else.
    """
    if not where:
        return None
    if where == "console":
        return _to_console
    if where.startswith(("smtp://", "smtps://")):
        return _Smtp(where)
    folder = Path(where).expanduser()
    if "://" in where or not folder.is_absolute():
        raise InvalidSettings("VITRINE_MAIL must be smtp://..., smtps://..., the path of a folder, or console.")
    return _Folder(folder)


class _Smtp:
    """An SMTP server; the connection is one over TLS unless the server is on this machine."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if not parts.hostname:
            raise InvalidSettings("VITRINE_MAIL names no mail server.")
        self._tls = parts.scheme == "smtps"
        self._host, self._port = parts.hostname, parts.port or _PORTS[parts.scheme]
        self._user, self._password = unquote(parts.username or ""), unquote(parts.password or "")
        self._near = self._host in ("localhost", "127.0.0.1", "::1")

    def __call__(self, message: EmailMessage) -> None:
        """Send a letter, or raise OSError, as all that goes wrong with SMTP is."""
        # Imported here, for most starts send nothing.
        import smtplib

        context = ssl.create_default_context()
        if self._tls:
            server: smtplib.SMTP = smtplib.SMTP_SSL(self._host, self._port, timeout=_SMTP_SECONDS, context=context)
        else:
            server = smtplib.SMTP(self._host, self._port, timeout=_SMTP_SECONDS)
        with server:
            if not self._tls and not self._near:
                server.starttls(context=context)
            if self._user:
                server.login(self._user, self._password)
            server.send_message(message)


class _Folder:
    """A folder that one file a letter is put into, for its owner alone."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __call__(self, message: EmailMessage) -> None:
        """Write a letter, or raise OSError."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = self._folder / f"{ULID()}.eml"
        file.touch(mode=0o600)
        file.write_bytes(message.as_bytes())


def _to_console(message: EmailMessage) -> None:
    print(message.as_string(), file=sys.stderr, flush=True)
