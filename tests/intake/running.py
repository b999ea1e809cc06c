"""Opens files as people do who trust them: whatever they hold is run. A program, for processes of its own."""

from __future__ import annotations

import contextlib
import os
import pickle
import sys
import tempfile
from io import BytesIO
from pathlib import Path

import joblib
import sklearn.utils._testing  # once for all the processes below


def _open(content: bytes) -> None:
    for load in (pickle.loads, lambda body: joblib.load(BytesIO(body))):
        with contextlib.suppress(Exception):
            load(content)


def main(folder: Path) -> None:
    """Open every file of a folder in a process of its own."""
    assert sklearn.utils._testing
    for path in sorted(folder.iterdir()):
        if os.fork() == 0:
            quiet = os.open(os.devnull, os.O_RDWR)
            for descriptor in range(3):
                os.dup2(quiet, descriptor)
            os.chdir(tempfile.mkdtemp(dir=folder.parent))
            _open(path.read_bytes())
            os._exit(0)
        os.wait()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
