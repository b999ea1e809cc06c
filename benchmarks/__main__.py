"""The benchmark's commands: `python -m benchmarks compare`, `self`, `report` and `scaling`."""

from __future__ import annotations

import shutil
import signal
import sys
from pathlib import Path
from typing import Any, get_args

import click

from benchmarks.alone import GUARDED, MOST_MS, Alone, guard_holds
from benchmarks.assets import prepare_assets
from benchmarks.compare import Comparison
from benchmarks.machine import use_cores
from benchmarks.places import TREE, Places
from benchmarks.plan import CASES, Plan
from benchmarks.results.report import report, write_between, write_report
from benchmarks.results.values import Kind, join, read_results
from benchmarks.scaling.report import BEGIN, END, scaling_report
from benchmarks.servers.peers import PEERS
from benchmarks.servers.running import ServerFailed
from benchmarks.servers.vitrine import Setup

DOCUMENT = TREE / "docs" / "performance.md"
AT_SCALE = TREE / "docs" / "scaling.md"
_SETUPS: tuple[Setup, ...] = get_args(Setup)
_CONNECTIONS = tuple(str(number) for number in range(1, 257))


class Several(click.ParamType[tuple[str, ...]]):
    """Words separated by commas, each one of a list; `none` is none of them."""

    name = "list"

    def __init__(self, words: tuple[str, ...]) -> None:
        self._words = words

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        """Take the words apart."""
        if isinstance(value, tuple):
            return value
        chosen = tuple(word.strip() for word in value.split(",")) if value != "none" else ()
        for word in chosen:
            if word not in self._words:
                self.fail(f"{word!r} is none of {', '.join(self._words)}", param, ctx)
        return chosen


_photos = click.option(
    "--photos",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Photos to make models and pictures of: a sub-folder a class, or a labels.csv. Made up where none are given.",
)
_models = click.option("--models", type=Several(tuple(CASES)), default="A,B,C,D", help="Default: all; D has no peers.")
_pictures = click.option("--pictures", type=Several(("1", "2", "3")), default="1,2,3", help="Default: all.")
_cores = click.option("--cores", type=click.IntRange(1), default=2, show_default=True, help="For server and load together.")


@click.group()
def benchmarks() -> None:
    """Measure Vitrine beside other servers of the same model file, or alone."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that servers are ended on the way out


@benchmarks.command()
@click.option("--peers", type=Several(tuple(PEERS)), default=",".join(PEERS), help="Or none. Default: all.")
@click.option("--setups", type=Several(_SETUPS), default=",".join(_SETUPS), help="Of Vitrine. Default: all on, and bare.")
@_models
@_pictures
@click.option("--connections", type=Several(_CONNECTIONS), default="1,8,32", show_default=True)
@click.option("--seconds", type=click.FloatRange(1, 20), default=2, show_default=True, help="Of a cell; thrice for picture 3.")
@click.option("--rounds", type=click.IntRange(1, 50), default=5, show_default=True)
@click.option("--plain/--no-plain", default=True, help="Peers as people write them.")
@click.option("--draft/--no-draft", default=True, help="Peers that are given JPEG draft, too.")
@_cores
@_photos
@click.option("--out", type=click.Path(path_type=Path), help="Where the results go; below $BENCH_HOME where none is named.")
@click.option("--document", type=click.Path(path_type=Path), default=DOCUMENT, help="Whose generated part is written.")
def compare(cores: int, photos: Path | None, out: Path | None, document: Path, plain: bool, draft: bool, **chosen: Any) -> None:
    """Let every server take its turn, and write docs/performance.md. Ends with 1 where Vitrine failed."""
    _settle_down(cores)
    places = Places.from_environment()
    chosen["connections"] = sorted(map(int, chosen["connections"]))
    kinds: dict[Kind, bool] = {"plain": plain, "draft": draft}
    plan = Plan(**chosen, kinds=[kind for kind, wanted in kinds.items() if wanted])
    for name in plan.peers:
        if not PEERS[name].program(places).exists():
            raise click.ClickException(f"{name} is not installed: run benchmarks/install peers, or leave it out of --peers.")
    click.echo(f"This takes about {plan.minutes:.0f} minutes.")
    assets = prepare_assets(places.assets, photos)
    results = Comparison(plan=plan, places=places, assets=assets, out=out or places.results).run()
    write_report(results, document)
    click.echo(f"\n{report(results)}\n\nThe results are in {out or places.results}; the report is in {document}.")
    if any(failure.server in _SETUPS for failure in results.failures):
        raise click.ClickException("Vitrine failed; the reason stands under Errors.")


@benchmarks.command("self")
@click.option("--setup", type=click.Choice(_SETUPS), default="vitrine", show_default=True)
@click.option("--models", type=Several(("A", "B", "C")), default="A,B,C", help="Default: all.")
@click.option("--pictures", type=Several(("1", "2", "3")), default="1,2", show_default=True)
@click.option("--connections", type=click.IntRange(1, 256), default=8, show_default=True)
@click.option("--seconds", type=click.FloatRange(1, 20), default=1, show_default=True, help="Of each of three measurements.")
@_cores
@_photos
def alone(
    setup: Setup,
    models: tuple[str, ...],
    pictures: tuple[str, ...],
    connections: int,
    seconds: float,
    cores: int,
    photos: Path | None,
) -> None:
    """Measure Vitrine alone; ends with 1 where a light request costs too much beyond the pipeline itself."""
    _settle_down(cores)
    places = Places.from_environment()
    assets = prepare_assets(places.assets, photos)
    measurement = Alone(places=places, assets=assets, setup=setup, connections=connections, seconds=seconds)
    try:
        seen = measurement.run(models, pictures)
    except ServerFailed as error:
        raise click.ClickException(f"Vitrine failed: {error}") from error
    if not guard_holds(seen):
        raise click.ClickException(f"A request of {GUARDED} costs more than {MOST_MS} ms beyond the pipeline.")


@benchmarks.command("report")
@click.argument("files", type=click.Path(path_type=Path, exists=True, dir_okay=False), nargs=-1, required=True)
@click.option("--document", type=click.Path(path_type=Path), default=DOCUMENT, help="Whose generated part is written.")
def rewrite(files: tuple[Path, ...], document: Path) -> None:
    """Write the report again from results; those of several runs on one machine are joined."""
    results = join(*(read_results(file) for file in files))
    write_report(results, document)
    click.echo(report(results))


@benchmarks.command()
@click.argument("files", type=click.Path(path_type=Path, exists=True, dir_okay=False), nargs=-1, required=True)
@click.option("--document", type=click.Path(path_type=Path), default=AT_SCALE, help="Whose generated part is written.")
def scaling(files: tuple[Path, ...], document: Path) -> None:
    """Simulate many machines from what one was measured to do, and write docs/scaling.md."""
    text = scaling_report(join(*(read_results(file) for file in files)))
    write_between(BEGIN, END, text, document)
    click.echo(text)


def _settle_down(cores: int) -> None:
    """Refuse to start without wrk, and keep to these cores with all that is started."""
    if shutil.which("wrk") is None:
        raise click.ClickException("wrk is missing: run benchmarks/install wrk.")
    use_cores(cores)


if __name__ == "__main__":
    benchmarks(prog_name="python -m benchmarks")
