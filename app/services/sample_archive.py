"""A ZIP archive of sample pictures, one folder a class, as somebody sent it: nothing in it is believed."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from app.errors import InvalidRequest
from app.training.dataset import PICTURE_SUFFIXES

_MOST_FILES, _MOST_BYTES, _LARGEST_FILE = 2_000, 200_000_000, 20_000_000
_LONGEST_LABEL = 100
# What the library raises for archives that are broken, encrypted, or packed in a way it does not know.
_FAULTS = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    NotImplementedError,
    RuntimeError,
    EOFError,
    ValueError,
    OSError,
    zlib.error,
)
_NO_ARCHIVE = "The samples are no ZIP archive that can be read."


def unpack_samples(archive: Path, folder: Path) -> None:
    """Write the pictures of an archive below a folder that is made: FOLDER/LABEL/NUMBER.SUFFIX; raises InvalidRequest.

    A picture's label is the folder that it lies in; whatever else the archive holds or names is passed over. It is read to no
    more than 200 MB of pictures, whatever it says of itself.
    """
    folder.mkdir(mode=0o700)
    left, number = _MOST_BYTES, 0
    for label, suffix, content in _pictures(archive):
        number, left = number + 1, left - len(content)
        if number > _MOST_FILES:
            raise InvalidRequest(f"The archive holds more than {_MOST_FILES:,} pictures.")
        if left < 0 or len(content) > _LARGEST_FILE:
            raise InvalidRequest("The archive holds more than 200 MB of pictures, or one of more than 20 MB.")
        place = folder / label if label else folder
        place.mkdir(mode=0o700, exist_ok=True)
        (place / f"{number:04}{suffix}").write_bytes(content)
    if not number:
        raise InvalidRequest("There is no picture in the archive.")


def _pictures(path: Path) -> Iterator[tuple[str, str, bytes]]:
    """Give label, suffix and content of each picture."""
    try:
        with zipfile.ZipFile(path) as archive:
            for entry in archive.infolist():
                label = _label_of(entry)
                if label is not None:
                    with archive.open(entry) as file:
                        yield label, PurePosixPath(entry.filename).suffix.lower(), file.read(_LARGEST_FILE + 1)
    except _FAULTS as error:
        raise InvalidRequest(_NO_ARCHIVE) from error


def _label_of(entry: zipfile.ZipInfo) -> str | None:
    """Give the label of a picture, "" for one that lies in no folder; None for whatever is no picture."""
    path = PurePosixPath(entry.filename.replace("\\", "/"))
    hidden = any(part.startswith((".", "__MACOSX")) for part in path.parts)
    if entry.is_dir() or hidden or path.suffix.lower() not in PICTURE_SUFFIXES:
        return None
    label = path.parts[-2] if len(path.parts) > 1 else ""
    return label if len(label) <= _LONGEST_LABEL and label.isprintable() and "/" not in label else None
