"""The comparison: every server takes its turn with every model, round after round."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import click

from benchmarks import bundled
from benchmarks.assets import Assets
from benchmarks.machine import describe_machine, today
from benchmarks.places import Places
from benchmarks.plan import Plan, Taker
from benchmarks.results.values import Failure, Results, Server, Turn, write_results
from benchmarks.servers.peers import PEERS
from benchmarks.servers.running import Launch, ServerFailed
from benchmarks.servers.versions import peer_versions, vitrine_versions
from benchmarks.servers.vitrine import TITLES, Setup, Site, prepare_site
from benchmarks.turn import Work, take_turn

_ATTEMPTS = 2


class Comparison:
    """A run that is under way."""

    def __init__(self, *, plan: Plan, places: Places, assets: Assets, out: Path) -> None:
        self._plan = plan
        self._places = places
        self._assets = assets
        self._out = out
        self._sites: dict[str, Site] = {}

    def run(self) -> Results:
        """Measure everything; the results are written after every turn."""
        results = Results(
            date=today(),
            machine=describe_machine(),
            pictures=self._assets.expected.source,
            seconds=self._plan.seconds,
            servers=tuple(self._servers()),
        )
        for number in range(1, self._plan.rounds + 1):
            for model in self._plan.models:
                for taker in self._plan.takers(model, number):
                    results = self._with_turn(results, taker, model, number)
                    write_results(results, self._out)
                if model == "D" and self._plan.takers(model):
                    floor = bundled.bundled_floor(self._site(model).data, self._assets.folder / "2.jpg", number)
                    results = replace(results, floors=(*results.floors, floor))
                    write_results(results, self._out)
        return results

    def _with_turn(self, results: Results, taker: Taker, model: str, number: int) -> Results:
        """Add a turn, or the reason why there is none; who failed with a model is not asked again."""
        if any((failure.server, failure.model) == (taker.server, model) for failure in results.failures):
            return results
        launch = self._launch(taker, model)
        click.echo(f"Round {number}, model {model}: {launch.title}")
        reason = ""
        for _ in range(_ATTEMPTS):
            try:
                turn = self._take_turn(launch, model, number)
            except (ServerFailed, OSError) as error:
                reason = str(error)
                click.echo(f"    failed: {reason}")
            else:
                return replace(results, turns=(*results.turns, turn))
        return replace(results, failures=(*results.failures, Failure(taker.server, model, number, reason)))

    def _take_turn(self, launch: Launch, model: str, number: int) -> Turn:
        cells = self._plan.cells(model, launch.kind)
        work = Work(
            model=model,
            round=number,
            cells=[(cell, self._plan.seconds_of(cell)) for cell in cells],
            pictures={cell.picture: self._assets.picture(cell.picture) for cell in cells},
            checks=self._assets.checks,
            expected=self._expected(model),
        )
        return take_turn(launch, work, self._places.logs / f"{launch.name}-{model}.log")

    def _launch(self, taker: Taker, model: str) -> Launch:
        if taker.kind == "vitrine":
            setup: Setup = "vitrine-bare" if taker.name == "vitrine-bare" else "vitrine"
            return self._site(model).launch(setup)
        return PEERS[taker.name].launch(self._places, self._assets.model_file(model), draft=taker.kind == "draft")

    def _site(self, model: str) -> Site:
        if model not in self._sites:
            click.echo(f"Preparing Vitrine's data folder for model {model}.")
            data = self._places.sites / model
            if model == "D":
                self._sites[model] = prepare_site(data, bundled.NAME)
            else:
                self._sites[model] = prepare_site(data, f"model-{model.lower()}", self._assets.model_file(model))
        return self._sites[model]

    def _expected(self, model: str) -> Mapping[str, Mapping[str, float]]:
        return self._bundled_answers if model == "D" else self._assets.expected.answers[model]

    @cached_property
    def _bundled_answers(self) -> dict[str, dict[str, float]]:
        return bundled.bundled_answers({**self._assets.checks, "2.jpg": self._assets.picture("2")})

    def _servers(self) -> Iterator[Server]:
        for setup in self._plan.setups:
            yield Server(setup, TITLES[setup], "vitrine", vitrine_versions())
        for kind in self._plan.kinds:
            for name in self._plan.peers:
                launch = PEERS[name].launch(self._places, self._assets.folder, draft=kind == "draft")
                yield Server(launch.name, launch.title, kind, peer_versions(PEERS[name], self._places))
