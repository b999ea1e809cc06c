"""Models and the small files beside them: in a folder, or in what machines share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy.orm import Session, sessionmaker

from app.composition.given import image_limits
from app.config import Settings
from app.inference.repository import Repository
from app.services.audit_log import AuditLog
from app.services.kept_pictures import KeptPictures
from app.services.model_loader import ModelLoader
from app.services.model_uploads import ModelUploads
from app.services.pictures import Folder, PictureStore
from app.services.replay import Replays
from app.services.versions import Versions

if TYPE_CHECKING:
    from app.storage.objects import Objects


def repository_of(settings: Settings) -> Repository:
    """Give the models as the settings have them: those of a folder, which machines may share, or copies of a bucket's."""
    if not settings.bucket:
        return Repository(shipped=settings.models, own=settings.kept / "models")
    from app.services.in_a_bucket import models_in

    return models_in(settings.bucket, shipped=settings.models, data=settings.data)


def objects_of(settings: Settings) -> Objects:
    """Give where small files are kept as the settings have it: a folder, or a bucket that is asked on first use."""
    if not settings.bucket:
        return Folder(settings.kept)
    from app.services.in_a_bucket import pictures_in

    return pictures_in(settings.bucket)


def model_uploads_of(settings: Settings, repository: Repository, audit_log: AuditLog) -> ModelUploads:
    """Give where model files wait that come by the browser."""
    if not settings.bucket:
        return ModelUploads(folder=settings.kept / "uploads", repository=repository, audit_log=audit_log)
    from app.services.in_a_bucket import uploads_in

    machines = uploads_in(settings.bucket)
    return ModelUploads(folder=settings.data / "uploads", repository=repository, audit_log=audit_log, machines=machines)


def versions_of(
    settings: Settings, sessions: sessionmaker[Session], loader: ModelLoader, pictures: PictureStore, audit_log: AuditLog
) -> Versions:
    """Give what changes versions, which looks at kept pictures again first."""
    kept = KeptPictures(sessions=sessions, pictures=pictures)
    replays = Replays(loader=loader, kept=kept, limits=image_limits(settings))
    return Versions(repository=loader.repository, audit_log=audit_log, replays=replays)
