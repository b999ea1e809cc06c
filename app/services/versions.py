"""Which version of a model answers, and for whom that was changed."""

from __future__ import annotations

from dataclasses import dataclass, replace

from app.errors import AnswersFlip, InvalidRequest
from app.inference.repository import Repository
from app.services.audit_log import Action, Actor, AuditLog, Deed, subject_of_model
from app.services.replay import Figures, Replay, Replays


@dataclass(frozen=True, slots=True)
class Change:
    """What was done: the version that answers now, whether it could be written down who did it, and what a replay came to."""

    active: str
    recorded: bool
    figures: Figures | None = None


class Versions:
    """Activates, rolls back and removes versions, each with an entry in the audit log."""

    def __init__(self, *, repository: Repository, audit_log: AuditLog, replays: Replays) -> None:
        self._repository = repository
        self._audit_log = audit_log
        self._replays = replays

    def rehearse(self, name: str, version: str) -> Replay | None:
        """Give what a version would change, or None where it answers already.

        Raise ModelNotFound where it is not there, InvalidPackage or InvalidModel where it cannot answer.
        """
        before = self._repository.active_version(name)
        self._repository.package(name, version)
        return None if version == before else self._replays.between(name, before, version)

    def activate(
        self, name: str, version: str, actor: Actor, *, figures: Figures | None = None, confirmed: bool = False
    ) -> Change:
        """Let a version answer from now on; what is rehearsed already, its figures tell.

        Raise what `rehearse` raises, and AnswersFlip where too many answers flip and nobody has confirmed it.
        """
        before = self._repository.active_version(name)
        if figures is None or (figures.old, figures.new) != (before, version):
            replay = self.rehearse(name, version)
            figures = None if replay is None else replay.figures
        if figures is not None and figures.too_many and not confirmed:
            raise AnswersFlip(
                f"Version {version} answers {figures.flipped} of {figures.replayed} replayed pictures otherwise than version "
                f"{before}, which is to be confirmed: nothing was changed."
            )
        self._repository.activate(name, version)
        in_place = "" if version == before else f" in place of {before}"
        told = figures if figures is not None and figures.replayed else None
        detail = f"version {version}{in_place}{'' if told is None else f', {told}'}"
        return replace(self._changed(actor, "activated", name, detail, version), figures=told)

    def roll_back(self, name: str, actor: Actor, *, leave: str | None = None) -> Change:
        """Let the version answer that was active before, or raise a VitrineError where there is none.

        Where a version to leave is named, InvalidRequest is raised unless it is the active one: a form that is sent twice goes
        back once.
        """
        before = self._repository.active_version(name)
        if leave not in (None, before):
            raise InvalidRequest(f"Version {leave!r} of {name!r} is not the active one, so nothing was rolled back.")
        version = self._repository.rollback(name)
        return self._changed(actor, "rolled back", name, f"from version {before} to {version}", version)

    def previous(self, name: str) -> str | None:
        """Give the version that a roll-back would lead to, or None."""
        active, there = self._repository.active_version(name), self._repository.versions(name)
        later = (version for version in self._repository.activations(name) if version in there and version != active)
        return next(later, None)

    def remove(self, name: str, version: str, actor: Actor) -> Change:
        """Remove a version for good, or raise a VitrineError where it may not go."""
        self._repository.remove(name, version)
        return self._changed(actor, "removed", name, f"version {version}", "")

    def deeds(self, name: str) -> list[Deed]:
        """Give what was done to a model, newest first."""
        return self._audit_log.about(subject_of_model(name))

    def _changed(self, actor: Actor, action: Action, name: str, detail: str, active: str) -> Change:
        return Change(active, self._audit_log.record(actor, action, subject_of_model(name), detail))
