"""What a version would change, as a page shows it: pictures that may be shown, and of the others what is answered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from flask import url_for

from app.errors import VitrineError
from app.http.context import page_owner, services
from app.inference.naming import name_of, percent
from app.inference.prediction import ClassScore
from app.services.recorder import Owner
from app.services.replay import Compared, Replay, SamplePicture
from app.services.replay_report import report_replay
from app.web.models import ShownMetric
from app.web.shown import title_of

_MOST_SHOWN = 24


@dataclass(frozen=True, slots=True)
class ShownAnswer:
    """What one version says of a picture."""

    version: str
    noun: str
    value: str


@dataclass(frozen=True, slots=True)
class ShownFlip:
    """A picture that the reader may see; without an address of its own where it is a sample."""

    picture_url: str
    alt: str
    url: str | None
    answers: tuple[ShownAnswer, ShownAnswer]
    right: str


@dataclass(frozen=True, slots=True)
class ShownChange:
    """How many pictures of other people get one answer in place of another."""

    before: str
    after: str
    pictures: int


@dataclass(frozen=True, slots=True)
class ShownEvidence:
    """Everything that the page shows."""

    name: str
    title: str
    old: str
    new: str
    sentence: str
    metrics: list[ShownMetric]
    flips: list[ShownFlip]
    more: int
    others: list[ShownChange]
    told: tuple[str, ...]
    too_many: bool


def show_replay(name: str, replay: Replay) -> ShownEvidence:
    """Give a replay as a page shows it to whoever asks: of other people's pictures the answers alone."""
    me, told = page_owner(), report_replay(replay)
    mine = [flip for flip in replay.flips if _may_be_seen(flip, me)]
    titles = {version: _titles(name, version) for version in (replay.old, replay.new)}
    others = Counter(
        (_noun(flip.before, titles[replay.old]), _noun(flip.after, titles[replay.new]))
        for flip in replay.flips
        if not _may_be_seen(flip, me)
    )
    return ShownEvidence(
        name=name,
        title=title_of(name),
        old=replay.old,
        new=replay.new,
        sentence=_sentence(replay) if replay.compared else told[0],
        metrics=_metrics(replay),
        flips=[_flip(name, flip, replay, titles) for flip in mine[:_MOST_SHOWN]],
        more=max(0, len(mine) - _MOST_SHOWN),
        others=[ShownChange(before, after, number) for (before, after), number in others.most_common()],
        told=told if replay.compared else told[1:],
        too_many=replay.figures.too_many,
    )


def _may_be_seen(flip: Compared, me: Owner) -> bool:
    # The pictures belong to those who sent them, and an administrator is no exception.
    return isinstance(flip.picture, SamplePicture) or flip.picture.owner == me


def _flip(name: str, flip: Compared, replay: Replay, titles: Mapping[str, Mapping[str, str]]) -> ShownFlip:
    picture = flip.picture
    answers = (
        ShownAnswer(replay.old, _noun(flip.before, titles[replay.old]), percent(flip.before.probability)),
        ShownAnswer(replay.new, _noun(flip.after, titles[replay.new]), percent(flip.after.probability)),
    )
    if isinstance(picture, SamplePicture):
        address = url_for("models.sample", name=name, file=picture.file, version=picture.version)
        right = name_of(picture.label, titles[picture.version]).noun if picture.label else ""
        return ShownFlip(address, picture.alt, None, answers, right)
    number = picture.prediction_id
    address = url_for("history.picture", prediction_id=number, size="thumbnail")
    return ShownFlip(address, "A photo of yours", url_for("history.show", prediction_id=number), answers, "")


def _sentence(replay: Replay) -> str:
    figures = replay.figures
    pictures = "The one picture that was" if figures.replayed == 1 else f"All {figures.replayed} pictures that were"
    if not figures.flipped:
        return f"{pictures} replayed {'gets' if figures.replayed == 1 else 'get'} the same answer from both versions."
    if figures.flipped == figures.replayed:
        return f"{pictures} replayed {'gets' if figures.replayed == 1 else 'get'} another answer from version {replay.new}."
    get = "gets" if figures.flipped == 1 else "get"
    return f"{figures.flipped} of {figures.replayed} pictures {get} another answer from version {replay.new}."


def _metrics(replay: Replay) -> list[ShownMetric]:
    figures, right = replay.figures, replay.right
    if not figures.replayed:
        return []
    counts = {"replayed": figures.replayed, "same": figures.replayed - figures.flipped, "flipped": figures.flipped}
    shown = [ShownMetric(term, str(count), None) for term, count in counts.items()]
    if right is not None:
        before, after, known = right
        shown.append(ShownMetric(f"right by version {replay.old}", f"{before} of {known}", "labelled samples"))
        shown.append(ShownMetric(f"right by version {replay.new}", f"{after} of {known}", "labelled samples"))
    return shown


def _noun(answer: ClassScore, titles: Mapping[str, str]) -> str:
    return name_of(answer.label, titles).noun


def _titles(name: str, version: str) -> Mapping[str, str]:
    try:
        return services().repository.package(name, version).manifest.titles
    except VitrineError:
        return {}
