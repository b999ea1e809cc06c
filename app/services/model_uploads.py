"""Model files that administrators send in the browser: kept aside, examined, and imported once somebody has seen the report."""

from __future__ import annotations

import base64
import contextlib
import fcntl
import os
import re
import secrets
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import TypeAdapter, ValidationError

from app.errors import InvalidImage, InvalidPackage, InvalidRequest, ModelNotFound, Overloaded
from app.inference.images import decode, shrink
from app.inference.package import valid_name
from app.inference.recipe import Recipe
from app.inference.repository import Repository
from app.services.audit_log import Actor, AuditLog, subject_of_model

if TYPE_CHECKING:
    from app.services.importing import Examined, Given, ImportingService
    from app.services.waiting_uploads import WaitingUploads

# What nobody has imported by then is thrown away.
_KEPT_SECONDS = 3600
_MOST_WAYS, _MOST_PREVIEWS, _PREVIEW_SIDE = 12, 8, 160
_TOKEN = re.compile(r"[0-9a-f]{32}")
_MODEL, _SAMPLES, _ZIP, _SEEN = "model.bin", "samples", "samples.zip", "seen.json"


@dataclass(frozen=True, slots=True)
class Sent:
    """What an administrator sends beside the files; `said` are parts of the recipe by name, as texts, none empty."""

    name: str
    file_name: str
    labels: tuple[str, ...]
    said: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Way:
    """A way to feed pictures, and how often it was right on the samples with its 95 % interval; none where there are none."""

    recipe: Recipe
    right: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Preview:
    """A sample: its label, and a small JPEG in base64."""

    label: str
    picture: str


@dataclass(frozen=True, slots=True)
class Seen:
    """What was found out of a file that waits; `chosen` counts from 0 and is None where somebody has to choose."""

    token: str
    name: str
    file_name: str
    labels: tuple[str, ...]
    sha256: str
    holds: tuple[str, ...]
    libraries: dict[str, str]
    ways: tuple[Way, ...]
    chosen: int | None
    notes: tuple[str, ...]
    previews: tuple[Preview, ...]


_SEEN_FORM = TypeAdapter(Seen)


class ModelUploads:
    """Takes model files in two steps: `receive` examines one, `finish` imports it; both open it in confinement alone."""

    def __init__(
        self,
        *,
        folder: Path,
        repository: Repository,
        audit_log: AuditLog,
        machines: WaitingUploads | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._folder = folder
        self._machines = machines
        self._repository = repository
        self._audit_log = audit_log
        self._clock = clock

    def receive(self, sent: Sent, model: Callable[[Path], object], samples: Callable[[Path], object] | None) -> Seen:
        """Keep the files aside and tell what they are; `model` and `samples` (a ZIP archive) save theirs to a path.

        Raises InvalidRequest, InvalidPackage for a name that cannot be, InvalidModel or UnsafeModel, and Overloaded where
        another file is being looked at: then nothing is kept.
        """
        if not valid_name(sent.name):
            raise InvalidPackage(f"A model cannot be called {sent.name!r}: use lower-case letters, digits and dashes.")
        with self._alone():
            self.sweep()
            token = secrets.token_hex(16)
            place = self._folder / token
            place.mkdir(mode=0o700)
            try:
                model(place / _MODEL)
                if samples is not None:
                    from app.services.sample_archive import unpack_samples

                    samples(place / _ZIP)
                    unpack_samples(place / _ZIP, place / _SAMPLES)
                seen = _seen(token, sent, self._importing().examine(_given(place, sent.name, sent.labels, sent.said)), place)
                (place / _SEEN).write_bytes(_SEEN_FORM.dump_json(seen))
                if self._machines is not None:
                    self._machines.share(token, place)
            except BaseException:
                shutil.rmtree(place, ignore_errors=True)
                raise
        return seen

    def look(self, token: str) -> Seen:
        """Give what was found out of a file, or raise ModelNotFound where it has gone."""
        place = self._place(token)
        try:
            if self._machines is not None:
                self._machines.bring(token, place)
            return _SEEN_FORM.validate_json((place / _SEEN).read_bytes())
        except (OSError, ValidationError) as error:
            raise ModelNotFound("That file is not kept any more: send it again.") from error

    def finish(self, token: str, way: int, actor: Actor) -> str:
        """Import a file that waits, fed in one of the ways that were found, and give the version, which does not answer yet.

        Raises what `receive` does, ModelNotFound where the file has gone, and InvalidRequest for a way that there is not.
        """
        seen = self.look(token)
        if not 0 <= way < len(seen.ways):
            raise InvalidRequest("Choose one of the ways in the table.")
        recipe, place = seen.ways[way].recipe, self._place(token)
        with self._alone():
            service = self._importing()
            examined = service.examine(_given(place, seen.name, seen.labels, _said(recipe)))
            imported = service.complete(examined, recipe)
        self.discard(token)
        version = imported.package.manifest.version
        self._audit_log.record(actor, "imported", subject_of_model(seen.name), f"version {version} from {seen.file_name}")
        return version

    def discard(self, token: str) -> None:
        """Throw a file away; none there is no error."""
        shutil.rmtree(self._place(token), ignore_errors=True)
        if self._machines is not None:
            self._machines.discard(token)

    def sweep(self) -> None:
        """Throw away what nobody has imported in time."""
        if self._machines is not None:
            self._machines.sweep(_KEPT_SECONDS)
        for place in self._folder.glob("*"):
            with contextlib.suppress(OSError):
                if _TOKEN.fullmatch(place.name) and place.stat().st_mtime < self._clock() - _KEPT_SECONDS:
                    shutil.rmtree(place, ignore_errors=True)

    def _place(self, token: str) -> Path:
        if not _TOKEN.fullmatch(token):
            raise ModelNotFound("That file is not kept any more: send it again.")
        return self._folder / token

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Hold everybody else off, in this process and in others: an import takes gigabytes and a core."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self._folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise Overloaded("Another model is being looked at; try again in a minute.", 30) from error
            yield
        finally:
            os.close(descriptor)

    def _importing(self) -> ImportingService:
        from app.intake.sandbox import Sandbox
        from app.services.importing import importing_into

        return importing_into(self._repository, Sandbox())


def _given(place: Path, name: str, labels: tuple[str, ...], said: Mapping[str, str]) -> Given:
    from app.intake.recipe_guess import wish_of
    from app.services.importing import Given

    samples = place / _SAMPLES
    return Given(place / _MODEL, name, wish=wish_of(said), labels=labels, samples=samples if samples.is_dir() else None)


def _said(recipe: Recipe) -> dict[str, str]:
    """Give a recipe as one that was said whole."""
    parts = {name: str(getattr(recipe, name)) for name in ("colour", "scale", "fit", "layout")}
    return {"size": f"{recipe.width}x{recipe.height}", "invert": "yes" if recipe.invert else "no", **parts}


def _seen(token: str, sent: Sent, examined: Examined, place: Path) -> Seen:
    found = examined.found
    if found is None:
        assert examined.recipe is not None  # noqa: S101 - without samples a recipe is concluded, or examining fails
        ways: tuple[Way, ...] = (Way(examined.recipe, None),)
        reason = ""
    else:
        trials = found.finding.trials[: min(_MOST_WAYS, max(5, 1 + len(found.finding.rivals)))]
        ways = tuple(Way(trial.recipe, trial.accuracy, *trial.interval) for trial in trials)
        reason = found.finding.reason
    return Seen(
        token=token,
        name=sent.name,
        file_name=sent.file_name,
        labels=found.classes if found is not None else sent.labels,
        sha256=examined.source.sha256,
        holds=tuple(dict.fromkeys(name.rpartition(".")[2] for name in examined.report.estimators)),
        libraries=dict(examined.report.libraries),
        ways=ways,
        chosen=0 if examined.recipe is not None else None,
        notes=tuple(filter(None, (*examined.notes, reason))),
        previews=tuple(_previews(place / _SAMPLES)),
    )


def _previews(folder: Path) -> Iterator[Preview]:
    """Give some samples, of each class in turn."""
    files = [sorted(sub.iterdir()) for sub in sorted(folder.glob("*")) if sub.is_dir()]
    in_turn = [group[number] for number in range(_MOST_PREVIEWS) for group in files if number < len(group)]
    for file in in_turn[:_MOST_PREVIEWS]:
        with contextlib.suppress(InvalidImage, OSError):
            small = shrink(decode(file.read_bytes(), fit=(_PREVIEW_SIDE, _PREVIEW_SIDE)), _PREVIEW_SIDE)
            yield Preview(file.parent.name, base64.b64encode(small).decode("ascii"))
