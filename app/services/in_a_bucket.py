"""What is kept in a bucket where several machines share one, each with how long it may take."""

from __future__ import annotations

import re
from pathlib import Path

from app.services.shared_models import SharedRepository
from app.services.waiting_uploads import WaitingUploads
from app.storage.bucket import Bucket

# For one file of a model's package, which may have some hundred megabytes.
_PACKAGE_SECONDS = 120.0
# Where pictures cannot be kept now nobody waits for it again before that.
_SILENT_SECONDS = 5.0
_RETRIES = 2


def models_in(url: str, *, shipped: Path, data: Path) -> SharedRepository:
    """Give the models of a bucket, copied to a folder of its own: what came from another one is not what this one holds."""
    own = data / "store" / re.sub(r"[^A-Za-z0-9]+", "-", url) / "models"
    return SharedRepository(shipped=shipped, own=own, index=Bucket(url), packages=_patient(url))


def pictures_in(url: str) -> Bucket:
    """Give where small files are written to and read from while somebody waits."""
    return Bucket(url, silent_seconds=_SILENT_SECONDS, retries=_RETRIES)


def uploads_in(url: str) -> WaitingUploads:
    """Give where model files wait."""
    return WaitingUploads(_patient(url))


def _patient(url: str) -> Bucket:
    return Bucket(url, seconds=_PACKAGE_SECONDS, retries=_RETRIES)
