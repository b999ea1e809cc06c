"""Model files that wait for an administrator, where several machines take them: the next click may come to another one."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

from app.storage.bucket import Bucket


class WaitingUploads:
    """Keeps the folder of each file that waits in a bucket, too, as one object."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def share(self, token: str, place: Path) -> None:
        """Let the others have a folder, or raise StoreUnavailable."""
        packed = BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            for file in filter(Path.is_file, place.rglob("*")):
                archive.write(file, file.relative_to(place))
        self._bucket.write(_key(token), packed.getvalue())

    def bring(self, token: str, place: Path) -> None:
        """See that the folder is here that one of them was given, or raise FileNotFoundError or StoreUnavailable."""
        if place.is_dir() and self._bucket.present([_key(token)]):
            return
        content = self._bucket.read(_key(token))
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=place.parent, prefix=".brought-") as folder:
            with zipfile.ZipFile(BytesIO(content)) as archive:
                archive.extractall(folder)  # which leads out of the folder by no name
            shutil.rmtree(place, ignore_errors=True)
            shutil.copytree(folder, place)

    def discard(self, token: str) -> None:
        """Throw one away; none there is no error."""
        self._bucket.delete([_key(token)])

    def sweep(self, seconds: float) -> None:
        """Throw away what has waited for longer."""
        until = datetime.now(UTC) - timedelta(seconds=seconds)
        self._bucket.delete([key for key, written in self._bucket.listed("uploads") if written < until])


def _key(token: str) -> str:
    return f"uploads/{token}.zip"
