"""Which version runs in a model's shadow, on what share of its pictures, and how it stands to the one that answers."""

from __future__ import annotations

from app.errors import InvalidRequest
from app.inference.pointer import Shadow
from app.inference.repository import Repository
from app.services.audit_log import Action, Actor, AuditLog, subject_of_model
from app.services.shadow_answers import Agreement, Disagreement, ShadowAnswers


class Shadows:
    """Begins and ends shadows, each with an entry in the audit log, and tells how they agree with what was answered."""

    def __init__(self, *, repository: Repository, answers: ShadowAnswers, audit_log: AuditLog) -> None:
        self._repository = repository
        self._answers = answers
        self._audit_log = audit_log

    def state(self, name: str) -> Shadow | None:
        """Give the version that runs in a model's shadow, or None."""
        return self._repository.shadow(name)

    def begin(self, name: str, version: str, share: float, actor: Actor) -> bool:
        """Let a version run in the shadow on a share of the pictures, more than 0 and at most 1; tell whether it was recorded.

        Raises ModelNotFound, or InvalidRequest where it is the active version or no share.
        """
        self._repository.begin_shadow(name, version, share)
        return self._record(actor, "shadow begun", name, f"version {version}, on {share_in_words(share)} of the pictures")

    def end(self, name: str, actor: Actor, *, version: str | None = None) -> bool:
        """Let nothing run in a model's shadow any more; tell whether it was recorded.

        Raises ModelNotFound, or InvalidRequest where nothing runs there, or another version than the one that is named: a form
        that is sent late ends nothing else.
        """
        shadow = self._repository.end_shadow(name, version)
        return self._record(actor, "shadow ended", name, f"version {shadow.version}")

    def agreement(self, name: str, version: str) -> Agreement:
        """Give how a version stood in the shadow of the one that is active now, or raise ModelNotFound."""
        return self._answers.agreement(name, version, self._repository.active_version(name))

    def disagreements(self, name: str, version: str, account: int | None) -> list[Disagreement]:
        """Give the last pictures that it gave another class; predictions are named that belong to the account."""
        return self._answers.disagreements(name, version, self._repository.active_version(name), account)

    def _record(self, actor: Actor, action: Action, name: str, detail: str) -> bool:
        return self._audit_log.record(actor, action, subject_of_model(name), detail)


def share_of(text: str) -> float:
    """Give the share that somebody wrote, `10%` or `0.1`, or raise InvalidRequest."""
    number, percent = text.strip().removesuffix("%").strip(), text.strip().endswith("%")
    try:
        share = float(number) / (100 if percent else 1)
    except ValueError as error:
        raise InvalidRequest(f"{text!r} is no share: give a number from 0 to 1, or one with % behind it.") from error
    if not 0 < share <= 1:
        raise InvalidRequest(f"{text!r} is no share: it must be more than 0 and at most 1, or 100 %.")
    return share


def share_in_words(share: float) -> str:
    """Give a share as people read it."""
    return f"{share * 100:.4g} %"
