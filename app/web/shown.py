"""A prediction as a page shows it: said in a sentence, with bars and small print."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime

from flask import url_for

from app.errors import VitrineError
from app.http.context import services
from app.inference.naming import Name, name_of
from app.inference.package import Manifest
from app.inference.prediction import Prediction, Timings
from app.services.history import HistoryItem

_SURE_FROM = 0.6
# What the bars are where they are no probabilities.
_CAUTIONS = {
    "decision_function": "This model gives scores, not probabilities: the bars tell which class is ahead, not how sure it is.",
    "logits": "This model's network gives logits; what is shown is their softmax.",
    "predict": "This model names a class and does not say how sure it is.",
}


@dataclass(frozen=True, slots=True)
class Bar:
    """One class with its probability."""

    label: str
    noun: str
    probability: float


@dataclass(frozen=True, slots=True)
class ShownModel:
    """The model that answered."""

    name: str
    title: str
    version: str
    url: str


@dataclass(frozen=True, slots=True)
class Shown:
    """What `history/show.html` and the tiles are given; what was not stored has no address and no end."""

    id: str
    article: str
    noun: str
    low: bool
    probability: float
    bars: tuple[Bar, ...]
    model: ShownModel
    caution: str
    steps: tuple[str, ...]
    format: str
    width: int
    height: int
    file_name: str | None
    timings: Timings
    picture_url: str | None
    thumbnail_url: str | None
    url: str | None
    created_at: datetime
    expires_on: date | None

    @property
    def sentence(self) -> str:
        """The answer in words."""
        verb = "may be" if self.low else "is"
        return f"This image {verb} {Name(self.article, self.noun)}"


def title_of(name: str) -> str:
    """Give a model's name as people write it: cats-vs-dogs is "Cats vs dogs"."""
    words = name.replace("-", " ")
    return words[:1].upper() + words[1:]


def show(item: HistoryItem, manifest: Manifest | None = None, *, stored: bool = True) -> Shown:
    """Give one prediction as a page shows it; one that was not stored has no page of its own."""
    shown = next(iter(show_all([item], manifest)))
    return shown if stored else replace(shown, url=None, expires_on=None)


def show_all(items: Iterable[HistoryItem], manifest: Manifest | None = None) -> list[Shown]:
    """Give stored predictions as a page shows them; each model's titles are read once."""
    manifests: dict[tuple[str, str], Manifest | None] = {}
    if manifest is not None:
        manifests[manifest.name, manifest.version] = manifest
    shown = []
    for item in items:
        key = item.prediction.model, item.prediction.version
        if key not in manifests:
            manifests[key] = _manifest(*key)
        shown.append(_shown(item, manifests[key]))
    return shown


def _manifest(name: str, version: str) -> Manifest | None:
    try:
        return services().repository.package(name, version).manifest
    except VitrineError:
        return None  # the version is gone: its labels are still worth reading


def _shown(item: HistoryItem, manifest: Manifest | None) -> Shown:
    made: Prediction = item.prediction
    titles = {} if manifest is None else manifest.titles
    top = name_of(made.top.label, titles)

    def picture(size: str) -> str | None:
        return url_for("history.picture", prediction_id=made.id, size=size) if item.has_picture else None

    return Shown(
        id=made.id,
        article=top.article,
        noun=top.noun,
        low=made.top.probability < _SURE_FROM,
        probability=made.top.probability,
        bars=tuple(Bar(score.label, name_of(score.label, titles).noun, score.probability) for score in made.scores),
        model=ShownModel(made.model, title_of(made.model), made.version, url_for("models.show", name=made.model)),
        caution=_CAUTIONS.get(manifest.answers, "") if manifest is not None else "",
        steps=made.picture.steps,
        format=made.picture.format,
        width=made.picture.width,
        height=made.picture.height,
        file_name=item.file_name,
        timings=made.timings,
        picture_url=picture("picture"),
        thumbnail_url=picture("thumbnail"),
        url=url_for("history.show", prediction_id=made.id),
        created_at=made.created_at,
        expires_on=services().history.expires_on(made).date(),
    )
