"""The floor under a server: the same work in a loop in one process, milliseconds of processor time a picture.

    python -m benchmarks.floors DATA MODEL PICTURE... [--file MODEL_FILE] [--seconds S]

A process of its own each time, so that nothing else is warm or in the way. Prints JSON.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

import click
import joblib
import numpy as np

from app.config import TREE
from app.inference.images import Image, decode
from app.inference.predictor import Predictor
from app.inference.repository import Repository
from benchmarks.servers.running import clean_environment, single_threaded

_FEWEST_CALLS = 5
_PATIENCE_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Costs:
    """What each step costs, median milliseconds of processor time; `source_ms` is the model file's own predict_proba."""

    decode_ms: float
    prepare_ms: float
    predict_ms: float
    source_ms: float | None

    @property
    def pipeline_ms(self) -> float:
        """Everything that an answer needs."""
        return self.decode_ms + self.prepare_ms + self.predict_ms


def measure_floors(
    data: Path, model: str, pictures: Sequence[Path], *, file: Path | None = None, seconds: float = 0.5
) -> list[Costs]:
    """Measure a model of a data folder on each picture, in a process of its own; `seconds` is for each step."""
    command = [sys.executable, "-m", "benchmarks.floors", str(data), model, *map(str, pictures), f"--seconds={seconds}"]
    command += [f"--file={file}"] if file else []
    environment = single_threaded(clean_environment())
    done = subprocess.run(
        command, cwd=TREE, env=environment, capture_output=True, text=True, timeout=_PATIENCE_SECONDS, check=False
    )
    if done.returncode != 0:
        raise click.ClickException(f"The floor could not be measured: {done.stderr[-400:]}")
    return [Costs(**costs) for costs in json.loads(done.stdout)]


@click.command()
@click.argument("data", type=click.Path(path_type=Path))
@click.argument("model")
@click.argument("pictures", type=click.Path(path_type=Path), nargs=-1)
@click.option("--file", type=click.Path(path_type=Path), help="The model file, to time its own predict_proba.")
@click.option("--seconds", type=float, default=0.5, help="How long each step is repeated.")
def main(data: Path, model: str, pictures: tuple[Path, ...], file: Path | None, seconds: float) -> None:
    """Time the steps and print them as JSON."""
    predictor = Predictor(Repository(shipped=TREE / "models", own=data / "models").package(model))
    source = joblib.load(file) if file else None
    click.echo(json.dumps([asdict(_costs(predictor, source, path.read_bytes(), seconds)) for path in pictures]))


def _costs(predictor: Predictor, source: Any, upload: bytes, seconds: float) -> Costs:
    size = predictor.manifest.recipe.size

    def decoded() -> Image:
        return decode(upload, fit=size)

    image = decoded()
    rows = predictor.prepare(image)[np.newaxis]
    return Costs(
        decode_ms=_cost(decoded, seconds),
        prepare_ms=_cost(lambda: predictor.prepare(image), seconds),
        predict_ms=_cost(lambda: predictor.probabilities(rows), seconds),
        source_ms=None if source is None else _cost(lambda: source.predict_proba(rows), seconds),
    )


def _cost(call: Callable[[], object], seconds: float) -> float:
    """Give the median processor time of a call; the clock on the wall would count others that use the core."""
    call()
    spent: list[float] = []
    end = time.monotonic() + seconds
    while len(spent) < _FEWEST_CALLS or time.monotonic() < end:
        started = time.process_time()
        call()
        spent.append(time.process_time() - started)
    return 1000 * median(spent)


if __name__ == "__main__":
    main()
