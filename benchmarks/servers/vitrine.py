"""Vitrine as an operator starts it: a data folder, an imported model, an account, a key, and `vitrine serve`."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import click

from benchmarks.places import TREE
from benchmarks.servers.running import Launch, clean_environment

Setup = Literal["vitrine", "vitrine-bare"]

TITLES: dict[Setup, str] = {"vitrine": "Vitrine, all on", "vitrine-bare": "Vitrine, bare"}
# All on: the limiter counts, but never refuses. Bare: nothing is counted and nothing is kept. Neither writes a line for each
# request, since no peer does.
_SETTINGS: dict[Setup, dict[str, str]] = {
    "vitrine": {"VITRINE_KEY_LIMIT": "1000000000", "VITRINE_LOG_REQUESTS": "no"},
    "vitrine-bare": {"VITRINE_KEY_LIMIT": "0", "VITRINE_HISTORY": "no", "VITRINE_LOG_REQUESTS": "no"},
}
_EMAIL, _PASSWORD = "bench@example.org", "one long phrase for a benchmark"
_VITRINE = Path(sys.executable).with_name("vitrine")
_IMPORT_SECONDS = 900


@dataclass(frozen=True)
class Site:
    """A data folder that is ready to be served, with a key to it."""

    data: Path
    model: str
    key: str
    alone: bool  # or beside the models that come along

    def launch(self, setup: Setup) -> Launch:
        """Say how it is started: two workers, for two cores."""
        return Launch(
            name=setup,
            title=TITLES[setup],
            kind="vitrine",
            command=(str(_VITRINE), "serve", "--host", "127.0.0.1", "--port", "{port}"),
            folder=TREE,
            path="/api/v1/predict",
            environment={**_environment(self.data, self.model, alone=self.alone), "VITRINE_WORKERS": "2", **_SETTINGS[setup]},
            headers={"Authorization": f"Bearer {self.key}"},
        )


def prepare_site(data: Path, name: str, file: Path | None = None) -> Site:
    """Make a data folder anew, import the model file where one is given, and make an administrator with a key.

    A model that is given is served alone, as the peers serve it.
    """
    shutil.rmtree(data, ignore_errors=True)
    data.parent.mkdir(parents=True, exist_ok=True)
    if file is not None:
        _vitrine(data, "models", "import", str(file), "--name", name, "--size", "32x32", "--scale", "0-1", "--fit", "stretch")
    _vitrine(data, "users", "create", _EMAIL, "--admin", "--password-stdin", given=_PASSWORD)
    key = _vitrine(data, "keys", "create", "--user", _EMAIL, "--name", "benchmark", "--scope", "predict")
    return Site(data, name, key.strip(), alone=file is not None)


def _environment(data: Path, model: str = "", *, alone: bool = False) -> dict[str, str]:
    given = {"VITRINE_DATA": str(data), "VITRINE_DEFAULT_MODEL": model, "VITRINE_LOG_FORMAT": "json"}
    return {**given, "VITRINE_MODELS": str(data / "none")} if alone else given


def _vitrine(data: Path, *words: str, given: str = "") -> str:
    done = subprocess.run(
        [str(_VITRINE), *words],
        cwd=TREE,
        env={**clean_environment(), **_environment(data)},
        input=given,
        capture_output=True,
        text=True,
        timeout=_IMPORT_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        raise click.ClickException(f"vitrine {' '.join(words[:2])} failed: {done.stderr.strip()}")
    return done.stdout
