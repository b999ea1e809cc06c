"""Vitrine alone against the bare pipeline in a loop: what a request costs beyond decoding and the model. Needs no peers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import click

from benchmarks.assets import Assets
from benchmarks.floors import Costs, measure_floors
from benchmarks.load.check import check
from benchmarks.load.wires import body_with_gap, plain_body
from benchmarks.load.wrk import measure
from benchmarks.places import Places
from benchmarks.plan import CASES
from benchmarks.results.values import Cell, Measured
from benchmarks.servers.running import RunningServer
from benchmarks.servers.vitrine import Setup, Site, prepare_site

# The guard against a slow creep: what a small picture and a light model may cost beyond the pipeline itself.
GUARDED, MOST_MS = "A1", 1.0
_START_SECONDS = 60.0
_ROUNDS = 3
_HEAD = ("case", "server", "pipeline", "beyond it", "pickle alone", "p50", "p99")
_ROW = "{:5}{:>10}{:>10}{:>11}{:>14}{:>10}{:>10}"


@dataclass(frozen=True)
class Seen:
    """A case: what the server did and what the pipeline costs, round by round."""

    case: str
    served: tuple[Measured, ...]
    floors: tuple[Costs, ...]

    @property
    def beyond_ms(self) -> float:
        """The median of the rounds' processor time of a request beyond the pipeline's."""
        return median(s.cpu_ms - f.pipeline_ms for s, f in zip(self.served, self.floors, strict=True))

    def line(self) -> str:
        """Show it as a row of a table."""
        numbers = (
            median(seen.cpu_ms for seen in self.served),
            median(floor.pipeline_ms for floor in self.floors),
            self.beyond_ms,
            median(floor.source_ms or 0.0 for floor in self.floors),
            median(seen.p50_ms for seen in self.served),
            median(seen.p99_ms for seen in self.served),
        )
        return _ROW.format(self.case, *(f"{number:.3f}" for number in numbers))


def guard_holds(seen: Sequence[Seen]) -> bool:
    """Tell whether the guarded case, where it was measured, stayed within what it may cost."""
    return all(case.beyond_ms <= MOST_MS for case in seen if case.case == GUARDED)


class Alone:
    """A measurement of Vitrine by itself."""

    def __init__(self, *, places: Places, assets: Assets, setup: Setup, connections: int, seconds: float) -> None:
        self._places = places
        self._assets = assets
        self._setup = setup
        self._connections = connections
        self._seconds = seconds

    def run(self, models: Sequence[str], pictures: Sequence[str]) -> list[Seen]:
        """Measure the cases, model by model, and print each as a row."""
        click.echo(f"Milliseconds of processor time a request; p50 and p99 by the clock, {self._connections} connections.")
        click.echo(_ROW.format(*_HEAD))
        found: list[Seen] = []
        for model in models:
            name, file = f"model-{model.lower()}", self._assets.model_file(model)
            site = prepare_site(self._places.sites / f"alone-{model}", name, file)
            cases = [picture for picture in CASES[model] if picture in pictures]
            for seen in self._with_site(site, model, cases):
                click.echo(seen.line())
                found.append(seen)
        return found

    def _with_site(self, site: Site, model: str, pictures: Sequence[str]) -> list[Seen]:
        launch = site.launch(self._setup)
        with RunningServer(launch, self._places.logs / f"alone-{model}.log") as server:
            server.first_answer(*plain_body(launch.wire, self._assets.picture("1"), "picture.jpg"), _START_SECONDS)
            check(server, list(self._assets.checks.items()), self._assets.expected.answers[model])
            self._served(server, model, pictures)  # to warm up
            rounds = [self._round(server, site, model, pictures) for _ in range(_ROUNDS)]
        return [
            Seen(model + picture, tuple(served[place] for served, _ in rounds), tuple(floors[place] for _, floors in rounds))
            for place, picture in enumerate(pictures)
        ]

    def _round(
        self, server: RunningServer, site: Site, model: str, pictures: Sequence[str]
    ) -> tuple[list[Measured], list[Costs]]:
        """Give what each picture costs, served and in the loop."""
        served = self._served(server, model, pictures)
        files, model_file = [self._assets.folder / f"{picture}.jpg" for picture in pictures], self._assets.model_file(model)
        server.settle()
        return served, measure_floors(site.data, site.model, files, file=model_file, seconds=self._seconds / 10)

    def _served(self, server: RunningServer, model: str, pictures: Sequence[str]) -> list[Measured]:
        seen = []
        for picture in pictures:
            server.settle()
            body = body_with_gap(server.launch.wire, self._assets.picture(picture))
            seen.append(measure(server, body, Cell(model, picture, self._connections), self._seconds))
        return seen
