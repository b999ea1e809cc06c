"""What is served here: the models, and the card of each."""

from __future__ import annotations

import mimetypes
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache

from flask import Blueprint, Response, abort, make_response, render_template, request, url_for
from markupsafe import Markup

from app.errors import VitrineError
from app.http.context import administrator, services
from app.http.sessions import guard
from app.inference.libraries import differences
from app.inference.naming import name_of, percent
from app.inference.package import Metric, ModelPackage
from app.services.version_report import RUNTIMES, report_on
from app.web.shadow import shown_shadow
from app.web.shown import title_of

blueprint = Blueprint("models", __name__)
guard(blueprint, guests=True)


@dataclass(frozen=True, slots=True)
class ShownMetric:
    """One measured figure in words."""

    name: str
    value: str
    interval: str | None


@dataclass(frozen=True, slots=True)
class ShownSample:
    """One picture that comes with a model."""

    file: str
    url: str
    alt: str


@dataclass(frozen=True, slots=True)
class ShownVersion:
    """One line in the list of a model's versions; what could not be read of it is None."""

    number: str
    url: str
    active: bool
    made_on: date | None
    accuracy: str | None


@dataclass(frozen=True, slots=True)
class ShownPackage:
    """A version of a model as the pages show it."""

    name: str
    title: str
    version: str
    summary: str
    expects: str
    classes: list[str]
    metrics: list[ShownMetric]
    runtime: str
    warnings: list[str]
    samples: list[ShownSample]
    attribution: str | None
    url: str


@blueprint.get("/models")
def index() -> str:
    """List the models."""
    may_import = services().settings.model_uploads and administrator() is not None
    return render_template("models/index.html", models=list_models(), may_import=may_import)


@blueprint.get("/models/<name>", endpoint="show")
def show_one(name: str) -> str:
    """Show a model's card."""
    package = services().repository.package(name)
    return render_template("models/show.html", model=_shown(package), versions=_versions(name), card=_as_html(package.card))


@blueprint.get("/models/<name>/versions/<version>", endpoint="version")
def show_version(name: str, version: str) -> str:
    """Show one version: its card, its figures and its proof; administrators find there what they may do with it."""
    here = services()
    package, active = here.repository.package(name, version), here.repository.active_version(name)
    return render_template(
        "models/version.html",
        model=_shown(package, version=version),
        versions=_versions(name),
        report=report_on(package.manifest),
        made_on=_day(package.manifest.created_at),
        card=_as_html(package.card),
        active=active,
        previous=here.versions.previous(name),
        deeds=here.versions.deeds(name) if administrator() else None,
        shadow=shown_shadow(package.manifest, active) if administrator() else None,
    )


@blueprint.get("/models/<name>/samples/<path:file>")
def sample(name: str, file: str) -> Response:
    """Give a picture that comes with a version (`?version=`), the active one by default; only what its manifest lists."""
    package = services().repository.package(name, request.args.get("version"))
    if file not in {sample.file for sample in package.manifest.samples}:
        abort(404)
    response = make_response(package.pinned(file))
    response.mimetype = mimetypes.guess_type(file)[0] or "application/octet-stream"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response.headers["Cache-Control"] = "private, max-age=3600"
    return response


def list_models() -> list[ShownPackage]:
    """Give every model whose manifest can be read."""
    repository, shown = services().repository, []
    for name in repository.names():
        try:
            shown.append(_shown(repository.package(name)))
        except VitrineError:
            continue  # readiness tells the operator; a visitor is not shown what cannot answer
    return shown


def _shown(package: ModelPackage, version: str | None = None) -> ShownPackage:
    manifest = package.manifest

    def picture(file: str) -> str:
        return url_for("models.sample", name=manifest.name, file=file, version=version)

    return ShownPackage(
        name=manifest.name,
        title=title_of(manifest.name),
        version=manifest.version,
        summary=manifest.summary,
        expects=manifest.expects,
        classes=[name_of(label, manifest.titles).noun for label in manifest.classes],
        metrics=[_metric(metric) for metric in manifest.metrics],
        runtime=RUNTIMES[manifest.runtime],
        warnings=differences(manifest.libraries),
        samples=[ShownSample(sample.file, picture(sample.file), sample.alt) for sample in manifest.samples],
        attribution=manifest.attribution,
        url=url_for("models.show", name=manifest.name),
    )


def _versions(name: str) -> list[ShownVersion]:
    repository, shown = services().repository, []
    active = repository.active_version(name)
    for number in reversed(repository.versions(name)):
        url, accuracy, made_on = url_for("models.version", name=name, version=number), None, None
        try:
            manifest = repository.package(name, number).manifest
        except VitrineError:
            pass  # it stands in the list all the same: its own page says what is wrong
        else:
            made_on, measured = _day(manifest.created_at), manifest.metric("accuracy")
            accuracy = percent(measured.value) if measured else None
        shown.append(ShownVersion(number, url, number == active, made_on, accuracy))
    return shown


def _day(moment: str) -> date | None:
    try:
        return datetime.fromisoformat(moment).date()
    except ValueError:  # a manifest may have been written by hand
        return None


def _metric(metric: Metric) -> ShownMetric:
    as_text = percent if "accuracy" in metric.name else "{:.3f}".format
    interval = None
    if metric.low is not None and metric.high is not None:
        interval = f"{as_text(metric.low)} to {as_text(metric.high)}"
    return ShownMetric(metric.name, as_text(metric.value), interval)


@cache
def _as_html(card: str) -> Markup:
    """Give the sections of a card; its title and summary stand at the head of the page already."""
    import mistune  # here, since few visits show a card, and every start would wait for it

    sections = card[card.find("\n## ") + 1 :]
    # Markup in a card is shown as text: a card can come with somebody else's model.
    html = str(mistune.create_markdown(escape=True, plugins=["table"])(sections))
    # A column without a name has no heading: an empty one would be read out as nothing.
    return Markup(html.replace("<th></th>", "<td></td>"))  # noqa: S704
