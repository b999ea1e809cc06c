"""What the accounts library lacks: accounts from the command line, and the one-time link for the first administrator."""

from __future__ import annotations

import hmac
import secrets
import uuid
from pathlib import Path

from email_validator import EmailNotValidError, validate_email
from sqlalchemy import delete, func, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker

from app.errors import InvalidAccount, InvalidSetupLink
from app.services.accounts.passwords import Passwords, check_password
from app.services.accounts.vault import Vault
from app.services.private_files import write_private
from app.storage.tables import Attempt, Role, User

# What is sealed in the link that is good on several machines, and for how long it is.
_SETUP, _SETUP_SECONDS = "set-up link", 86_400
_JUST_USED = "This set-up link has just been used."


class Accounts:
    """Makes accounts; the password's hash is one that the accounts library verifies."""

    def __init__(
        self, *, sessions: sessionmaker[Session], setup_file: Path, passwords: Passwords, machines: Vault | None = None
    ) -> None:
        self._sessions = sessions
        self._setup_file = setup_file
        self._passwords = passwords
        # Where several machines share the accounts: a visitor may come to another than the one that printed the link.
        self._machines = machines

    def create(self, email: str, password: str, *, admin: bool = False) -> int:
        """Make an account and give its number, or raise InvalidAccount."""
        return self.add(email, self.hashed(email, password), admin=admin)

    def hashed(self, email: str, password: str) -> str:
        """Give the hash of a password for an account that is to be; raises InvalidAccount, or Overloaded.

        What is good once is taken after that and no sooner, for it would be lost otherwise.
        """
        check_password(password, checked_email(email))
        return self._passwords.hash(password)

    def add(self, email: str, hashed: str, *, admin: bool = False, first: bool = False) -> int:
        """Make an account with the hash of its password and give its number, or raise InvalidAccount.

        With `first` raise InvalidSetupLink where there is any account, also one that another machine is making now.
        """
        address = checked_email(email)
        user = User(email=address, password=hashed, active=True, fs_uniquifier=uuid.uuid4().hex)
        taken = f"There is an account for {address} already."
        try:
            with self._sessions.begin() as session:
                if first:
                    _wait_for_others(session)
                    if session.scalar(select(User.id).limit(1)) is not None:
                        raise InvalidSetupLink(_JUST_USED)
                if session.scalar(select(User.id).where(func.lower(User.email) == address.lower())) is not None:
                    raise InvalidAccount(taken)
                if admin:
                    user.roles.append(admin_role(session))
                session.add(user)
                session.flush()
                return user.id
        except IntegrityError as error:  # somebody was quicker by a moment
            raise InvalidAccount(taken) from error

    def exists(self, email: str) -> bool:
        """Tell whether there is an account for that address."""
        with self._sessions() as session:
            return session.scalar(select(User.id).where(func.lower(User.email) == email.strip().lower())) is not None

    def known_address(self, email: str) -> str | None:
        """Give that address as its account has it; None where there is no such account."""
        with self._sessions() as session:
            return session.scalar(select(User.email).where(func.lower(User.email) == email.strip().lower()))

    def number_of(self, email: str) -> int:
        """Give the number of the account with that address, or raise InvalidAccount."""
        with self._sessions() as session:
            number = session.scalar(select(User.id).where(func.lower(User.email) == email.strip().lower()))
        if number is None:
            raise InvalidAccount(f"There is no account for {email}.")
        return number

    def is_empty(self) -> bool:
        """Tell whether nobody has an account yet."""
        with self._sessions() as session:
            return session.scalar(select(User.id).limit(1)) is None

    def setup_token(self, *, renew: bool = False) -> str | None:
        """Give the token of the set-up link, a new one where asked or where there is none; None once anybody has an account."""
        if not self.is_empty():
            self._setup_file.unlink(missing_ok=True)
            return None
        known = self._known_token()
        if not renew and self._is_good(known):
            return known
        token = secrets.token_urlsafe(24) if self._machines is None else self._machines.seal(_SETUP)
        write_private(self._setup_file, token)
        return token

    def check_setup_token(self, token: str) -> None:
        """Raise InvalidSetupLink unless the token is the present one, or one of these machines', and nobody has an account."""
        if not self._is_good(token) or not self.is_empty():
            raise InvalidSetupLink("This set-up link is used or was replaced by a newer one.")

    def set_up(self, token: str, email: str, password: str) -> int:
        """Make the first administrator, once: the link dies here; raises InvalidSetupLink or InvalidAccount."""
        self.check_setup_token(token)
        hashed = self.hashed(email, password)
        try:
            # Whoever removes the file holds the link; of two at once, one finds it gone. On several machines one finds the
            # other's account.
            self._setup_file.unlink(missing_ok=self._machines is not None)
        except FileNotFoundError as error:
            raise InvalidSetupLink(_JUST_USED) from error
        return self.add(email, hashed, admin=True, first=True)

    def _is_good(self, token: str) -> bool:
        if self._machines is not None:
            return self._machines.open(token, within=_SETUP_SECONDS) == _SETUP
        known = self._known_token()
        return bool(known) and hmac.compare_digest(known.encode(), token.encode())

    def _known_token(self) -> str:
        try:
            return self._setup_file.read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError):
            return ""


def _wait_for_others(session: Session) -> None:
    """Let nobody else make the first account until this transaction is over: a row of that key is there once."""
    session.execute(insert(Attempt).values(key=_SETUP, amount=0, expires_at=0.0))
    session.execute(delete(Attempt).where(Attempt.key == _SETUP))


def checked_email(email: str) -> str:
    """Give an e-mail address in its normal form, or raise InvalidAccount; nothing is asked of the network."""
    try:
        return validate_email(email.strip(), check_deliverability=False).normalized
    except EmailNotValidError as error:
        raise InvalidAccount(f"{email.strip() or 'An empty text'} is not an e-mail address.") from error


def admin_role(session: Session) -> Role:
    """Give the role that lets an account administer the site, made where there is none yet."""
    role = session.scalar(select(Role).where(Role.name == "admin"))
    return role or Role(name="admin", description="May administer the site")
