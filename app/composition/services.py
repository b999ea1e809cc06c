"""What the doors, the command line and workers may call."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import Engine
from sqlalchemy.orm import Session, scoped_session, sessionmaker

from app.config import Settings
from app.inference.repository import Repository
from app.services.accounts.accounts import Accounts
from app.services.accounts.address_changes import AddressChanges
from app.services.accounts.api_keys import ApiKeys
from app.services.accounts.attempts import LoginAttempts
from app.services.accounts.authenticators import Authenticators
from app.services.accounts.identities import Identities
from app.services.accounts.invitations import Invitations
from app.services.accounts.key_usage import KeyUsage
from app.services.accounts.logins import Logins
from app.services.accounts.passkeys import Passkeys
from app.services.accounts.passwords import Passwords
from app.services.accounts.people import People
from app.services.accounts.personal_data import PersonalData
from app.services.accounts.recorded_keys import RecordedKeys
from app.services.accounts.recovery_codes import RecoveryCodes
from app.services.accounts.second_factors import SecondFactors
from app.services.audit_log import AuditLog
from app.services.classification import ClassificationService
from app.services.history import History
from app.services.idempotency import Idempotency
from app.services.listings.lists import Lists
from app.services.mail import Post
from app.services.model_loader import ModelLoader
from app.services.model_uploads import ModelUploads
from app.services.pictures import PictureStore
from app.services.request_limits import RequestLimits
from app.services.shadow_runner import ShadowRunner
from app.services.shadows import Shadows
from app.services.telemetry.metrics import Metrics
from app.services.telemetry.traffic import Traffic
from app.services.telemetry.vital_signs import VitalSigns
from app.services.versions import Versions

if TYPE_CHECKING:
    from app.services.accounts.identity_provider import IdentityProvider
    from app.services.telemetry.tracing import Tracing


@dataclass(frozen=True)
class AccountServices:
    """What a door may call for people: who they are, what lets them in, and what is kept of them."""

    accounts: Accounts
    passwords: Passwords
    invitations: Invitations
    address_changes: AddressChanges
    people: People
    identities: Identities
    identity_provider: IdentityProvider | None
    personal_data: PersonalData
    api_keys: ApiKeys
    recorded_keys: RecordedKeys
    logins: Logins
    second_factors: SecondFactors
    authenticators: Authenticators
    passkeys: Passkeys
    recovery_codes: RecoveryCodes
    audit_log: AuditLog


@dataclass(frozen=True)
class Services(AccountServices):
    """Everything a door may call."""

    settings: Settings
    engine: Engine
    sessions: sessionmaker[Session]
    repository: Repository
    loader: ModelLoader
    metrics: Metrics
    tracing: Tracing | None
    traffic: Traffic
    vital_signs: VitalSigns
    classification: ClassificationService
    request_limits: RequestLimits
    key_usage: KeyUsage
    attempts: LoginAttempts
    pictures: PictureStore
    history: History
    idempotency: Idempotency
    post: Post
    lists: Lists
    versions: Versions
    model_uploads: ModelUploads
    shadows: Shadows
    shadow_runner: ShadowRunner

    def warm_up(self) -> None:
        """Do once, in this process, what the first visitor would otherwise wait for."""
        self.metrics.warm_up()
        if self.tracing is not None:
            self.tracing.warm_up()
        self.loader.warm_up()

    def session_of(self, scope: Callable[[], Hashable]) -> scoped_session[Session]:
        """Give a database session that is opened on first use in each scope; whoever ends the scope removes it."""
        return scoped_session(self.sessions, scopefunc=scope)
