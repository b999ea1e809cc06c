"""The page people come for: photos in, a sentence out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, jsonify, make_response, redirect, render_template, request, url_for
from werkzeug.datastructures import FileStorage
from werkzeug.exceptions import RequestEntityTooLarge

from app.errors import ImageTooLarge, InvalidImage, InvalidRequest, ModelNotFound, TooManyRequests, VitrineError
from app.http.allowances import count_pictures, tell_allowance
from app.http.context import page_owner, services, visitor, wants_json
from app.http.errors import problem_of
from app.http.headers import server_timing
from app.http.sessions import guard
from app.inference.naming import percent
from app.services.classification import Answer
from app.services.history import HistoryItem
from app.web.frame import problem_json
from app.web.models import list_models
from app.web.shown import Shown, show

blueprint = Blueprint("classify", __name__)
guard(blueprint, guests=True)
tell_allowance(blueprint)

_SAMPLES = 6


@dataclass(frozen=True, slots=True)
class Upload:
    """One picture as it came with a form, and the model it is for."""

    file_name: str
    content: bytes
    model: str | None


@dataclass(frozen=True, slots=True)
class Failure:
    """What was not answered, and why; without a name where it is the request and not one of its files."""

    file_name: str | None
    error: VitrineError

    @property
    def sentence(self) -> str:
        """Why, for a person."""
        return str(self.error)


@blueprint.get("/")
def index() -> str:
    """Show the form."""
    return _form([], [], request.args.get("model"))


@blueprint.post("/")
def classify() -> Response:
    """Answer for every photo of the form: one leads to its own page, of several the good and the bad are listed."""
    files = [file for file in request.files.getlist("images") if file.filename]
    _count(len(files))
    return _respond(*_answer_all(_uploads(files)), chosen=request.form.get("model"))


@blueprint.errorhandler(TooManyRequests)
def too_many(error: TooManyRequests) -> Response:
    """Show the form with a sentence; nothing was looked at."""
    return _respond([], [Failure(None, error)], chosen=request.form.get("model"))


@blueprint.errorhandler(RequestEntityTooLarge)
def too_large(_error: RequestEntityTooLarge) -> Response:
    """Show the form with a sentence; nothing of the request can be read, its token and its model included."""
    settings = services().settings
    sentence = f"Send at most {settings.max_photos} photos at once, together of at most {settings.max_request_mb:g} MB."
    return _respond([], [Failure(None, ImageTooLarge(sentence))], chosen=None)


def _count(photos: int) -> None:
    user = visitor()
    # A sample is a picture too, and a form without any is a request all the same.
    if user is None:
        count_pictures("address", request.remote_addr or "", max(1, photos))
    else:
        count_pictures("account", str(user.id), max(1, photos))


def _respond(answers: list[Shown], failures: list[Failure], chosen: str | None) -> Response:
    response = _as_json(answers, failures) if wants_json() else _as_page(answers, failures, chosen)
    if len(answers) == 1:
        response.headers["Server-Timing"] = server_timing(answers[0].timings)
    return response


def _as_page(answers: list[Shown], failures: list[Failure], chosen: str | None) -> Response:
    address = answers[0].url if len(answers) == 1 and not failures else None
    if address is not None:
        return make_response(redirect(address, 303))
    response = make_response(_form(answers, failures, chosen))
    if not answers:
        problem = problem_of(failures[0].error)
        response.status_code = problem.status
        response.headers.update(problem.headers)
    return response


def _uploads(files: list[FileStorage]) -> Iterable[Upload | Failure]:
    settings, form = services().settings, request.form
    if form.get("sample"):
        return [_sample(form["sample"])]
    if not files:
        return [Failure(None, InvalidRequest("Choose a photo first."))]
    if len(files) > settings.max_photos:
        return [Failure(None, InvalidRequest(f"Send at most {settings.max_photos} photos at once."))]
    return (_upload(file, form.get("model") or None) for file in files)


def _upload(file: FileStorage, model: str | None) -> Upload:
    return Upload(file.filename or "", file.stream.read(), model)


def _sample(reference: str) -> Upload | Failure:
    name, _, file = reference.partition("/")
    package = services().repository.package(name)
    if file not in {sample.file for sample in package.manifest.samples}:
        return Failure(None, ModelNotFound("There is no such sample."))
    return Upload(file.rpartition("/")[2], package.pinned(file), name)


def _answer_all(uploads: Iterable[Upload | Failure]) -> tuple[list[Shown], list[Failure]]:
    answers, failures = [], []
    for upload in uploads:
        if isinstance(upload, Failure):
            failures.append(upload)
            continue
        try:
            answers.append(_answer(upload))
        except VitrineError as error:
            failures.append(Failure(upload.file_name, error))
    return answers, failures


def _answer(upload: Upload) -> Shown:
    here, owner = services(), page_owner()
    answer: Answer = here.classification.classify(upload.content, owner=owner, model=upload.model, file_name=upload.file_name)
    try:
        kept = answer.stored and here.pictures.keep(answer.prediction.id, upload.content)
    except InvalidImage:
        kept = False  # the answer stands; only its picture cannot be shown
    return show(HistoryItem(answer.prediction, upload.file_name, kept), answer.manifest, stored=answer.stored)


def _as_json(answers: list[Shown], failures: list[Failure]) -> Response:
    if failures:
        problem = problem_of(failures[0].error)
        response = problem_json(problem)
        response.status_code = problem.status
        response.headers.update(problem.headers)
        return response
    shown = answers[0]
    body: dict[str, Any] = {
        "url": shown.url,
        "sentence": shown.sentence,
        "probability": percent(shown.probability),
        "picture": shown.thumbnail_url,
    }
    return jsonify(body)


def _form(answers: list[Shown], failures: list[Failure], chosen: str | None) -> str:
    models = list_models()
    chosen = chosen if chosen in {model.name for model in models} else default_name()
    samples = [
        {"model": model.name, "file": sample.file, "url": sample.url, "alt": sample.alt}
        for model in models
        for sample in model.samples
    ]
    samples = sorted(samples, key=lambda sample: sample["model"] != chosen)[:_SAMPLES]
    shown_models = {sample["model"] for sample in samples}
    return render_template(
        "classify/index.html",
        models=[
            {"name": m.name, "title": m.title, "version": m.version, "expects": m.expects, "selected": m.name == chosen}
            for m in models
        ],
        samples=samples,
        samples_attribution=[m.attribution for m in models if m.name in shown_models and m.attribution],
        failures=failures,
        answers=answers,
        action=url_for("classify.classify"),
    )


def default_name() -> str | None:
    """Give the model that is chosen at first, or None where there is no such."""
    try:
        return services().loader.default_name()
    except VitrineError:
        return None
