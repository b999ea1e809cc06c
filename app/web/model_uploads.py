"""Importing a model in the browser: what a file is and how pictures are fed to it is shown first, and then it is imported."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

from flask import Blueprint, Response, abort, flash, make_response, redirect, render_template, request, url_for
from flask_wtf import FlaskForm
from flask_wtf.file import FileField, FileRequired
from wtforms import SelectField, StringField, SubmitField
from wtforms.validators import DataRequired, Length, Optional, Regexp

from app.errors import InvalidModel, InvalidPackage, InvalidRequest, ModelNotFound, Overloaded, UnsafeModel
from app.http.context import acting_administrator, services
from app.http.sessions import guard_administration
from app.inference.recipe import Colour, Fit, Layout, Scale
from app.services.model_uploads import Sent
from app.services.version_report import describe_recipe

_PARTS = ("size", "colour", "scale", "fit", "layout", "invert")


def _back(token: str = "") -> str:
    return url_for("model_uploads.report", token=token) if token else url_for("model_uploads.index")


blueprint = Blueprint("model_uploads", __name__, url_prefix="/administration/models/import")
guard_administration(blueprint, back=_back)


@blueprint.before_request
def _where_it_is_on() -> None:
    if not services().settings.model_uploads:
        abort(404)


def _choices(*values: str) -> list[tuple[str, str]]:
    return [("", "not known"), *((value, value) for value in values)]


class UploadForm(FlaskForm):  # type: ignore[misc] # the library is not typed
    """A model file, and what is known of it."""

    model = FileField("Model file", validators=[FileRequired("Choose the file of a trained classifier.")])
    name = StringField("Name", validators=[DataRequired("Give the model a name."), Length(max=63)])
    samples = FileField("Labelled samples")
    labels = StringField("Names of the classes", validators=[Optional(), Length(max=4000)])
    size = StringField("Size", validators=[Optional(), Regexp(r"\d{1,4}x\d{1,4}$", message="Write it like 32x32.")])
    colour = SelectField("Colours", choices=_choices(*get_args(Colour)), default="")
    scale = SelectField("Levels", choices=_choices(*get_args(Scale)), default="")
    fit = SelectField("Other shapes", choices=_choices(*get_args(Fit)), default="")
    layout = SelectField("Order of the numbers", choices=_choices(*get_args(Layout)), default="")
    invert = SelectField("Negatives", choices=_choices("no", "yes"), default="")
    submit = SubmitField("Look at it")


@blueprint.get("")
def index() -> str:
    """Ask for a file."""
    return _page(UploadForm())


@blueprint.post("")
def receive() -> Response:
    """Look at a file, and lead to what was found."""
    form = UploadForm()
    if not form.validate():
        return make_response(_page(form), 422)
    model, samples = request.files["model"], request.files.get("samples")
    said = {part: form[part].data for part in _PARTS if form[part].data}
    labels = tuple(label.strip() for label in (form.labels.data or "").split(",") if label.strip())
    sent = Sent(form.name.data.strip(), (model.filename or "a file")[:200], labels, said)
    try:
        seen = services().model_uploads.receive(sent, model.save, samples.save if samples and samples.filename else None)
    except InvalidPackage as error:
        form.name.errors = [str(error)]
    except UnsafeModel as error:
        # What the command line says beside it does not help here.
        return make_response(_page(form, refused=error.__cause__ or error, names=error.names), 422)
    except (InvalidModel, InvalidRequest) as error:
        return make_response(_page(form, refused=error), 422)
    except Overloaded as error:
        return make_response(_page(form, refused=error), 503)
    else:
        return make_response(redirect(url_for("model_uploads.report", token=seen.token), 303))
    return make_response(_page(form), 422)


@blueprint.get("/<token>")
def report(token: str) -> str:
    """Tell what a file is, and how pictures are fed to it."""
    return _report(token)


@blueprint.post("/<token>")
def finish(token: str) -> Response:
    """Import a file, fed as was chosen, and lead to the version's page, where it can be let answer."""
    here, chosen = services(), request.form.get("way", "")
    if not chosen.isdecimal() or len(chosen) > 3:
        return make_response(_report(token, problem="Choose how a picture is fed to it."), 422)
    try:
        name = here.model_uploads.look(token).name
        version = here.model_uploads.finish(token, int(chosen), acting_administrator())
    except (InvalidModel, InvalidRequest) as error:
        return make_response(_report(token, problem=str(error)), 422)
    except Overloaded as error:
        return make_response(_report(token, problem=str(error)), 503)
    flash(f"Version {version} is imported. What it answers was compared with what the file answers; see below.", "success")
    return make_response(redirect(url_for("models.version", name=name, version=version), 303))


@blueprint.post("/<token>/discard")
def discard(token: str) -> Response:
    """Throw a file away."""
    services().model_uploads.discard(token)
    flash("The file is thrown away.", "success")
    return make_response(redirect(_back(), 303))


def _page(form: UploadForm, refused: BaseException | None = None, names: Sequence[str] = ()) -> str:
    return render_template(
        "models/import.html",
        form=form,
        refused=refused,
        refused_names=names,
        megabytes=f"{services().settings.max_request_mb:g}",
    )


def _report(token: str, problem: str = "") -> str:
    try:
        seen = services().model_uploads.look(token)
    except ModelNotFound:
        abort(404)
    return render_template(
        "models/import_report.html",
        seen=seen,
        ways=[(number, way, describe_recipe(way.recipe)) for number, way in enumerate(seen.ways)],
        measured=any(way.right is not None for way in seen.ways),
        problem=problem,
    )
