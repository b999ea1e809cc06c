"""Makes and revokes keys for people, and writes each of it down."""

from __future__ import annotations

from app.services.accounts.api_keys import USUAL_SCOPES, ApiKeys
from app.services.audit_log import Actor, AuditLog, subject_of_key


class RecordedKeys:
    """What one does to one's own keys, and administrators to anybody's; neither a key nor its secret is written down."""

    def __init__(self, *, api_keys: ApiKeys, audit_log: AuditLog) -> None:
        self._api_keys = api_keys
        self._audit_log = audit_log

    def create(
        self,
        account: int,
        name: str,
        actor: Actor,
        *,
        scopes: tuple[str, ...] = USUAL_SCOPES,
        days: int | None = None,
        daily: int | None = None,
    ) -> str:
        """Make a key for an account and give it, this once; raises InvalidRequest."""
        key = self._api_keys.create(account, name, scopes=scopes, days=days, daily=daily)
        self._audit_log.record(actor, "key made", subject_of_key(key.split("_")[1]), name.strip())
        return key

    def revoke(self, account: int, key_id: str, actor: Actor) -> bool:
        """End a key of an account; False where it has no such key."""
        if not self._api_keys.revoke(account, key_id):
            return False
        self._audit_log.record(actor, "key revoked", subject_of_key(key_id))
        return True

    def revoke_of_anybody(self, key_id: str, actor: Actor) -> str | None:
        """End a key, whoever's it is, and give its owner's address; None where there is no such key."""
        owner = self._api_keys.revoke_of_anybody(key_id)
        if owner is not None:
            self._audit_log.record(actor, "key revoked", subject_of_key(key_id), f"of {owner}")
        return owner
