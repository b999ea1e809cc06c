"""Where the benchmark keeps what it makes: below one folder, outside the tree."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
TREE = HERE.parent


@dataclass(frozen=True, slots=True)
class Places:
    """The folders below `$BENCH_HOME`, which is ~/.cache/vitrine-bench where nobody says otherwise."""

    home: Path

    @classmethod
    def from_environment(cls) -> Places:
        """Read `BENCH_HOME`."""
        return cls(Path(os.environ.get("BENCH_HOME") or "~/.cache/vitrine-bench").expanduser().resolve())

    @property
    def venvs(self) -> Path:
        """The peers' environments, made by benchmarks/install."""
        return self.home / "venvs"

    @property
    def assets(self) -> Path:
        """Models, pictures and the answers to expect."""
        return self.home / "vitrine" / "assets"

    @property
    def sites(self) -> Path:
        """Vitrine's data folders, one a model, made anew by every run."""
        return self.home / "vitrine" / "sites"

    @property
    def logs(self) -> Path:
        """What each server printed in its latest turn."""
        return self.home / "vitrine" / "logs"

    @property
    def results(self) -> Path:
        """The results of the latest run, where `--out` names no other file."""
        return self.home / "vitrine" / "results.json"
