"""Everything that is there for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy.orm import Session, sessionmaker

from app.composition.given import signing_key
from app.composition.services import AccountServices
from app.config import Settings
from app.errors import InvalidSettings
from app.services.accounts.accounts import Accounts
from app.services.accounts.address_changes import AddressChanges
from app.services.accounts.api_keys import ApiKeys
from app.services.accounts.authenticators import Authenticators
from app.services.accounts.identities import Identities
from app.services.accounts.invitations import Invitations
from app.services.accounts.logins import Logins
from app.services.accounts.passkeys import Passkeys
from app.services.accounts.passwords import Passwords
from app.services.accounts.people import People
from app.services.accounts.personal_data import PersonalData
from app.services.accounts.recorded_keys import RecordedKeys
from app.services.accounts.recovery_codes import RecoveryCodes
from app.services.accounts.second_factors import SecondFactors
from app.services.accounts.vault import Vault
from app.services.audit_log import AuditLog
from app.services.pictures import PictureStore

if TYPE_CHECKING:
    from app.services.accounts.identity_provider import IdentityProvider


def account_services(
    settings: Settings, sessions: sessionmaker[Session], pictures: PictureStore, passwords: Passwords
) -> AccountServices:
    """Wire what is there for people."""
    audit_log = AuditLog(sessions=sessions)
    vault = Vault(key=lambda: signing_key(settings))
    machines = vault if settings.database_url else None
    accounts = Accounts(sessions=sessions, setup_file=settings.data / "setup_token", passwords=passwords, machines=machines)
    api_keys = ApiKeys(sessions=sessions)
    return AccountServices(
        accounts=accounts,
        passwords=passwords,
        invitations=Invitations(sessions=sessions, accounts=accounts, audit_log=audit_log, registration=settings.registration),
        address_changes=AddressChanges(sessions=sessions, audit_log=audit_log),
        people=People(sessions=sessions, audit_log=audit_log),
        identities=Identities(sessions=sessions, audit_log=audit_log, make_accounts=settings.oidc_accounts == "anybody"),
        identity_provider=_identity_provider(settings),
        personal_data=PersonalData(sessions=sessions, pictures=pictures, audit_log=audit_log),
        api_keys=api_keys,
        recorded_keys=RecordedKeys(api_keys=api_keys, audit_log=audit_log),
        logins=Logins(sessions=sessions, days=settings.login_days, idle_hours=settings.idle_hours),
        second_factors=SecondFactors(sessions=sessions, required=settings.second_factor),
        authenticators=Authenticators(sessions=sessions, vault=vault, audit_log=audit_log),
        passkeys=Passkeys(sessions=sessions, audit_log=audit_log, domain=settings.passkey_domain, origin=settings.origin),
        recovery_codes=RecoveryCodes(sessions=sessions, audit_log=audit_log),
        audit_log=audit_log,
    )


def _identity_provider(settings: Settings) -> IdentityProvider | None:
    if not settings.oidc_url:
        return None
    try:
        from app.services.accounts.identity_provider import IdentityProvider
    except ModuleNotFoundError as error:
        raise InvalidSettings(
            f"VITRINE_OIDC_URL needs {str(error.name).partition('.')[0]}, which comes with the extra oidc: "
            "run .venv/bin/pip install -e '.[oidc]' first."
        ) from error
    return IdentityProvider(
        issuer=settings.oidc_url,
        client=settings.oidc_client,
        secret=settings.oidc_secret.get_secret_value(),
        return_to=f"{settings.address}/login/oidc/callback",
    )
