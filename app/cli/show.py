"""`vitrine models show`: what a version is, and what shows that it can be trusted."""

from __future__ import annotations

from collections.abc import Iterator

import click

from app.cli.house import catch_up
from app.cli.tables import plain, show_table
from app.composition import repository_of
from app.config import load_settings
from app.inference.package import CARD, ModelPackage
from app.services.version_report import CandidateReport, VersionReport, report_on

_MARGIN = 14


@click.command()
@click.argument("name")
@click.argument("version", required=False)
def show(name: str, version: str | None) -> None:
    """Tell what the model NAME is: the active version, or VERSION."""
    repository = repository_of(load_settings())
    catch_up(repository)
    package = repository.package(name, version)
    manifest, report = package.manifest, report_on(package.manifest)
    active = ", the active version" if repository.active_version(name) == manifest.version else ""
    click.echo(f"{name} {manifest.version}{active}")
    for term, value in _facts(package, report):
        if value:
            click.echo(plain(f"{term:<{_MARGIN}}{value}"))
    for sentence in (report.trusted, report.answers, *report.differences):
        if sentence:
            click.echo(plain(sentence))
    if report.proof is None:
        return
    click.echo(report.proof.sentence)
    if report.proof.weakness:
        click.echo(report.proof.weakness)
    _print(report.proof.rows)


def _facts(package: ModelPackage, report: VersionReport) -> Iterator[tuple[str, str]]:
    manifest, source = package.manifest, report.source
    yield "summary", manifest.summary
    yield "origin", f"{report.origin}, {manifest.created_at}"
    yield "classes", ", ".join(manifest.classes)
    yield "a picture is", report.recipe
    yield "served by", f"{report.runtime}, from {manifest.artifact}"
    yield "figures", ", ".join(f"{metric.name} {metric.value:.4g}" for metric in manifest.metrics)
    if source is not None:
        yield "holds", report.holds
        yield "written with", report.written_with
        yield "confined by", report.confinement
        yield "digest", f"sha256:{source.sha256}"
    yield "card", str(package.folder / CARD) if package.card else ""


def _print(rows: tuple[CandidateReport, ...]) -> None:
    head = ("form", "labels equal", "largest difference", "one, ms", "32, ms", "state")
    show_table(head, [(row.form, row.labels, row.difference, row.one_ms, row.batch_ms, _state(row)) for row in rows])


def _state(row: CandidateReport) -> str:
    return plain(f"refused: {row.refused}" if row.refused else "serves" if row.serves else "")
