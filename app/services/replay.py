"""What a version would change: pictures are answered again by the version that answers now and by the one that is to."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass

import structlog

from app.errors import DatabaseUnavailable, InvalidImage, InvalidModel, InvalidPackage, VitrineError
from app.inference.batching import Gate
from app.inference.images import Image, ImageLimits, decode
from app.inference.prediction import ClassScore, ranked
from app.services.kept_pictures import KeptPicture, KeptPictures
from app.services.loaded_model import LoadedModel
from app.services.model_loader import ModelLoader

_MOST_KEPT = 200
_SECONDS = 10.0
_LOOKING_SECONDS = 2.0
# So many answers may flip before somebody has to confirm it: one, which may be chance or put right, and one in twenty of many
# pictures, since a model that was trained once more differs from itself in a few of a hundred.
_FLIPS_UNASKED = 1
_SHARE_UNASKED = 0.05
_BUSY = "Two versions are being compared already; please try again in a moment."

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class SamplePicture:
    """A picture that comes with a version; `label` is empty where nobody said what is right."""

    version: str
    file: str
    alt: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class Compared:
    """One picture, and what each version answered for it."""

    picture: SamplePicture | KeptPicture
    before: ClassScore
    after: ClassScore

    @property
    def flips(self) -> bool:
        """Whether the new version names another class."""
        return self.before.label != self.after.label


@dataclass(frozen=True, slots=True)
class Figures:
    """How many of the replayed pictures get another answer."""

    old: str
    new: str
    replayed: int
    flipped: int

    @property
    def too_many(self) -> bool:
        """Whether so many flip that somebody has to confirm it."""
        return self.flipped > max(_FLIPS_UNASKED, _SHARE_UNASKED * self.replayed)

    def __str__(self) -> str:
        return f"{self.flipped} of {self.replayed} replayed {'picture' if self.replayed == 1 else 'pictures'} flipped"


@dataclass(frozen=True, slots=True)
class Replay:
    """Everything that was compared, and what was not: pictures that could not be read, and those there was no time for.

    `trouble` says in a sentence what kept more from being compared; it is empty as a rule.
    """

    old: str
    new: str
    compared: tuple[Compared, ...] = ()
    passed_over: int = 0
    left: int = 0
    trouble: str = ""

    @property
    def flips(self) -> tuple[Compared, ...]:
        """What gets another answer."""
        return tuple(each for each in self.compared if each.flips)

    @property
    def figures(self) -> Figures:
        """How many that are."""
        return Figures(self.old, self.new, len(self.compared), len(self.flips))

    @property
    def samples(self) -> int:
        """How many of the pictures came with a version; the others are kept ones."""
        return sum(isinstance(each.picture, SamplePicture) for each in self.compared)

    @property
    def right(self) -> tuple[int, int, int] | None:
        """How many labelled samples the old version has right, how many the new one, and of how many; None of none."""
        samples = [(each.picture.label, each) for each in self.compared if isinstance(each.picture, SamplePicture)]
        known = [(label, each.before.label, each.after.label) for label, each in samples if label]
        before, after = (sum(label == answers[side] for label, *answers in known) for side in (0, 1))
        return (before, after, len(known)) if known else None


class Replays:
    """Compares two versions on what there is: the samples of both, and the newest pictures that are kept of their model."""

    def __init__(self, *, loader: ModelLoader, kept: KeptPictures, limits: ImageLimits, seconds: float = _SECONDS) -> None:
        self._loader = loader
        self._kept = kept
        self._limits = limits
        self._seconds = seconds
        self._turn = Gate(1, busy=_BUSY)

    def between(self, name: str, old: str, new: str) -> Replay:
        """Let both versions answer, for some seconds at most.

        Raises InvalidPackage or InvalidModel where the new one cannot be opened or does not answer. Where the old one cannot,
        there is nothing to compare with.
        """
        with self._turn.passage(time.monotonic() + self._seconds):
            pictures, trouble = self._found(name, old, new)
            if not pictures:
                return Replay(old, new, trouble=trouble)
            after = self._opened(name, new)
            try:
                before = self._opened(name, old)
            except VitrineError as error:
                return Replay(old, new, trouble=f"There is nothing to compare with: version {old} cannot be opened. {error}")
            return self._replayed(before, after, pictures, trouble)

    def _found(self, name: str, old: str, new: str) -> tuple[list[SamplePicture | KeptPicture], str]:
        samples = self._samples(name, (new, old))
        try:
            kept = self._kept.newest(name, _MOST_KEPT, time.monotonic() + _LOOKING_SECONDS)
        except DatabaseUnavailable:
            return [*samples], "Kept pictures could not be looked for, since the database does not answer."
        return [*samples, *kept], ""

    def _samples(self, name: str, versions: Iterable[str]) -> Iterable[SamplePicture]:
        found: dict[str, SamplePicture] = {}  # by digest, for versions of one model come with the same, not always labelled
        for version in versions:
            try:
                manifest = self._loader.repository.package(name, version).manifest
            except VitrineError:
                continue
            for sample in manifest.samples:
                digest = manifest.digests.get(sample.file, "")
                if digest not in found or (sample.label and not found[digest].label):
                    found[digest] = SamplePicture(version, sample.file, sample.alt, sample.label)
        return found.values()

    def _opened(self, name: str, version: str) -> LoadedModel:
        try:
            return self._loader.get(name, version)
        except VitrineError:
            raise
        except Exception as error:  # what a classifier is opened with may raise anything
            log.error("model_not_opened", model=name, version=version, exc_info=error)
            raise InvalidModel(f"Version {version} of {name} cannot be opened; the log says why.") from error

    def _replayed(
        self, before: LoadedModel, after: LoadedModel, pictures: list[SamplePicture | KeptPicture], trouble: str
    ) -> Replay:
        until, compared, seen = time.monotonic() + self._seconds, [], 0
        for picture in pictures:
            answers, seen = self._answers(before, after, picture), seen + 1
            if answers is not None:
                compared.append(Compared(picture, *answers))
            if time.monotonic() >= until:
                break
        old, new = before.manifest.version, after.manifest.version
        return Replay(old, new, tuple(compared), seen - len(compared), len(pictures) - seen, trouble)

    def _answers(
        self, before: LoadedModel, after: LoadedModel, picture: SamplePicture | KeptPicture
    ) -> tuple[ClassScore, ClassScore] | None:
        """Give what both answer for a picture, or None where it is gone, is none, or is more than the old one can answer."""
        sizes = before.manifest.recipe.size, after.manifest.recipe.size
        try:
            content = self._read(after.manifest.name, picture)
            if content is None:
                return None
            seen = {size: decode(content, fit=size, limits=self._limits) for size in {*sizes}}
        except (InvalidImage, InvalidPackage):
            return None
        new = self._answer(after, seen[sizes[1]])
        try:
            return self._answer(before, seen[sizes[0]]), new
        except InvalidModel:
            return None

    def _read(self, name: str, picture: SamplePicture | KeptPicture) -> bytes | None:
        if isinstance(picture, KeptPicture):
            return self._kept.read(picture)
        return self._loader.repository.package(name, picture.version).pinned(picture.file)

    def _answer(self, loaded: LoadedModel, image: Image) -> ClassScore:
        manifest = loaded.manifest
        try:
            row = loaded.predictor.prepare(image)
            # In line with those who ask at the same time, so that nobody waits longer than for one more visitor.
            answer = loaded.batcher.submit(row, time.monotonic() + self._seconds)
        except VitrineError:
            raise
        except Exception as error:  # as may what it answers with
            raise InvalidModel(f"Version {manifest.version} of {manifest.name} does not answer.") from error
        return ranked(manifest.classes, answer.result)[0]
