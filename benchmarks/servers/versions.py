"""Which versions took part."""

from __future__ import annotations

import subprocess
from importlib.metadata import version

from app import __version__
from benchmarks.places import TREE, Places
from benchmarks.servers.peers import Peer

_OPENS_THE_MODEL = ("scikit-learn", "numpy", "pillow")
_VITRINE = ("gunicorn", "onnxruntime", *_OPENS_THE_MODEL)
_ASK = "import sys; from importlib.metadata import version; print(*map(version, sys.argv[1:]))"


def peer_versions(peer: Peer, places: Places) -> dict[str, str]:
    """Ask a peer's environment."""
    packages = (*peer.packages, *_OPENS_THE_MODEL)
    program = places.venvs / peer.venv / "bin" / "python"
    printed = subprocess.run([str(program), "-c", _ASK, *packages], capture_output=True, text=True, check=True).stdout
    return dict(zip(packages, printed.split(), strict=True))


def vitrine_versions() -> dict[str, str]:
    """Give Vitrine's own version, with the commit where there is one, and those of what it is made of."""
    return {"Vitrine": f"{__version__}{_commit()}", **{name: version(name) for name in _VITRINE}}


def _commit() -> str:
    told = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=TREE, capture_output=True, text=True, check=False)
    return f" at {told.stdout.strip()}" if told.returncode == 0 else ""
