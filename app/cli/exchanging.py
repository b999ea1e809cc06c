"""`vitrine export` and `vitrine import`: data out of a site and into one. Models are imported by `vitrine models import`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePath

import click

from app.cli.house import open_house
from app.composition import Services
from app.errors import InvalidRequest
from app.services.exchange.exporting import Exporter, Step
from app.services.exchange.importing import Importer
from app.services.exchange.moving import EVERYTHING, Mover
from app.services.exchange.shapes import SHAPES

_MODEL_FILES = (".pkl", ".pickle", ".joblib", ".skops", ".onnx")


class _What(click.ParamType[str]):
    """What is exchanged, and a word to whoever means a model."""

    name = "what"

    def __init__(self, *further: str) -> None:
        self._known = (*SHAPES, *further)

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Give the word, or say which there are."""
        if value in self._known:
            return value
        if PurePath(value).suffix.lower() in _MODEL_FILES:
            raise InvalidRequest(f"That is a model: import it with vitrine models import {value} --name NAME.")
        if value == EVERYTHING:
            raise InvalidRequest("A whole site is moved from where it is: run vitrine export everything --to URL there.")
        return self.fail(f"{value!r} is none of {', '.join(self._known)}.", param, ctx)


@click.command()
@click.argument("what", type=_What(EVERYTHING))
@click.option("--to", "url", required=True, metavar="URL", help="A file (*.csv, *.jsonl), - for CSV, or a database's URL.")
def export(what: str, url: str) -> None:
    """Write WHAT the site keeps somewhere else: predictions, users, audit-log, or everything.

    Who calls it again goes on after the last row that is there. Users come without passwords, second factors and whatever else
    lets somebody in. Everything is the site itself, secrets included: it goes into an empty database, and each row is compared.
    """
    house = open_house()
    if what == EVERYTHING:
        _move(house, url)
        return
    shape = SHAPES[what]
    exporter = Exporter(engine=house.engine, audit_log=house.audit_log, answer_within=house.settings.answer_within)
    export = exporter.open(shape, url)
    if export.after is not None:
        click.echo(f"Going on after {export.after}, the last that is there.", err=True)
    with _progress(export.length) as step:
        done = export.run(step)
    left = f"; {done.left:,} too new to be whole left for another call" if done.left else ""
    click.echo(f"{shape.told(done.rows)} exported{left}.", err=True)


@click.command("import")
@click.argument("what", type=_What())
@click.option("--from", "url", required=True, metavar="URL", help="A file (*.csv, *.jsonl), - for CSV, or a database's URL.")
def import_(what: str, url: str) -> None:
    """Take predictions, users or an audit-log into the site, as an export has written WHAT, or from another site's database.

    What is there already stays as it is, so whoever calls it again goes on. Users have no password then: they ask for a link to
    a new one. A model is imported by `vitrine models import`.
    """
    house, shape = open_house(), SHAPES[what]
    taken = Importer(engine=house.engine, audit_log=house.audit_log).open(shape, url)
    with _progress(taken.length) as step:
        done = taken.run(step)
    notes = [f"{done.known:,} {'was' if done.known == 1 else 'were'} there already"] * bool(done.known)
    notes += [f"{done.ownerless:,} left out, whose owners have no account here: import users first"] * bool(done.ownerless)
    notes += [_mended(done.mended)] * bool(done.mended)
    click.echo(f"{'; '.join([f'{shape.told(done.rows)} imported', *notes])}.", err=True)


def _move(house: Services, url: str) -> None:
    mover = Mover(engine=house.engine, audit_log=house.audit_log, copies=house.settings.data / "copies")
    with mover.open(url) as move, _progress(move.length) as step:
        moved = move.run(step)
    notes = f"; {_mended(moved.mended)}" if moved.mended else ""
    click.echo(f"{moved.rows:,} rows in {moved.tables} tables moved, and each is the same in both databases{notes}.", err=True)


def _mended(count: int) -> str:
    return f"in {count:,} of the texts \N{REPLACEMENT CHARACTER} stands for a character that the database cannot hold"


@contextmanager
def _progress(length: int) -> Iterator[Step]:
    """Give what is told of each step, and show a bar where somebody looks at a terminal."""
    if not length or not sys.stderr.isatty():
        yield lambda _step: None
        return
    with click.progressbar(range(length), file=sys.stderr) as bar:
        yield bar.update
