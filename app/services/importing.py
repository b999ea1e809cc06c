"""A model file becomes a package: read without being run, opened in confinement, converted, proven, published."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.errors import InvalidImage, InvalidModel, InvalidRequest, RecipeUndecided, UnsafeModel
from app.inference.images import decode
from app.inference.libraries import differences, installed
from app.inference.package import CARD, Manifest, ModelPackage
from app.inference.provenance import Source
from app.inference.recipe import Recipe
from app.inference.repository import Repository
from app.intake.graph_input import read_input
from app.intake.recipe_guess import RecipeWish, as_options, recipe_for
from app.intake.recipe_search import Finding, Trial
from app.intake.sandbox import Sandbox
from app.intake.scan import Report, scan
from app.intake.source import SourceFile, read_source
from app.services.conversion import ConversionService, Converted
from app.services.import_card import write_import_card
from app.services.recipe_finding import Found, RecipeFinder, labelled_samples

_ENDINGS = {"pickle": "pkl", "skops": "skops", "onnx": "onnx"}
_MOST_SAMPLES = 1000
_LARGEST_CODE = 10_000_000
_MOST_TOLD = 8


@dataclass(frozen=True, slots=True)
class Given:
    """What somebody wants imported, and what was said with it.

    `trust` is the file's digest where its owner vouches for it: then a file that the scan refuses is opened all the same,
    and the workers open the pickle itself. `code` is a folder of modules that such a pickle needs.
    """

    path: Path
    name: str
    wish: RecipeWish = field(default_factory=RecipeWish)
    labels: tuple[str, ...] = ()
    samples: Path | None = None
    trust: str = ""
    code: Path | None = None


@dataclass(frozen=True)
class Examined:
    """A file that was read without being run, and how pictures are fed to its classifier as far as that is known.

    Where labelled samples were given, `found` is what they say. `recipe` is None where they leave it open: then somebody has to
    choose among the ways in `found`.
    """

    given: Given
    source: SourceFile
    report: Report
    code: Mapping[str, bytes]
    vouched: bool
    recipe: Recipe | None
    found: Found | None
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Imported:
    """The published package, what the scan read, and sentences on what was concluded on the way."""

    package: ModelPackage
    report: Report
    notes: tuple[str, ...]
    found: Found | None = None


class ImportingService:
    """Imports model files into a repository."""

    def __init__(self, *, repository: Repository, conversion: ConversionService, recipes: RecipeFinder) -> None:
        self._repository = repository
        self._conversion = conversion
        self._recipes = recipes

    def bring_in(self, given: Given) -> Imported:
        """Import a file as the next version of a model; raises InvalidRequest, InvalidModel or its child UnsafeModel."""
        return self.complete(self.examine(given))

    def examine(self, given: Given) -> Examined:
        """Read a file and find how it is fed; raises what `bring_in` does."""
        source = read_source(given.path)
        report = scan(source)
        vouched = _vouched(source, report, given.trust)
        code = _code(given.code, vouched)
        if not vouched:
            _require_safe(source, report)
        samples = labelled_samples(given.samples) if given.samples is not None and not vouched else ()
        if not samples:
            recipe, notes = self._recipe(source, report, given.wish)
            return Examined(given, source, report, code, vouched, recipe, None, tuple(notes))
        found = self._recipes.find(source.body, source.format, report.n_features, given.wish.known, samples, given.labels)
        return Examined(given, source, report, code, vouched, found.finding.chosen, found, found.notes)

    def complete(self, examined: Examined, recipe: Recipe | None = None) -> Imported:
        """Convert, prove and publish what was examined; raises RecipeUndecided where no recipe is known and none is given."""
        recipe = recipe or examined.recipe
        if recipe is None:
            assert examined.found is not None  # noqa: S101 - without samples a recipe is concluded, or examining fails
            raise RecipeUndecided(_question(examined.found.finding))
        source, given = examined.source, examined.given
        files = {f"source.{_ENDINGS[source.format]}": source.content, **examined.code}
        if examined.vouched:
            converted = self._conversion.inspect(source.content, recipe, examined.code)
        else:
            converted, artifact = self._conversion.convert(source.body, source.format, recipe, _pictures(given.samples, recipe))
            files[converted.file] = artifact
        manifest = _manifest(examined, recipe, converted)
        files[CARD] = write_import_card(manifest, _measured(examined.found, recipe)).encode()
        return Imported(self._repository.publish(manifest, files), examined.report, examined.notes, examined.found)

    def _recipe(self, source: SourceFile, report: Report, wish: RecipeWish) -> tuple[Recipe, list[str]]:
        """Give the recipe with what was concluded; a graph itself tells what pictures it takes, in confinement."""
        if source.format != "onnx":
            return recipe_for(report, wish)
        seen = read_input(self._conversion.input_shape(source.body), wish, wish.layout)
        recipe, notes = recipe_for(replace(report, n_features=seen.n_features), seen.wish)
        return replace(recipe, layout=seen.layout), [*seen.notes, *notes]


def importing_into(repository: Repository, sandbox: Sandbox) -> ImportingService:
    """Give the service that imports into a repository, and opens files in that confinement."""
    return ImportingService(
        repository=repository, conversion=ConversionService(sandbox=sandbox), recipes=RecipeFinder(sandbox=sandbox)
    )


def _question(finding: Finding) -> str:
    ways = [
        f"{trial.accuracy:.1%} {as_options(trial.recipe)}" for trial in finding.trials[: 1 + len(finding.rivals)][:_MOST_TOLD]
    ]
    return f"{finding.reason} Say which it is:\n" + "\n".join(ways)


def _measured(found: Found | None, recipe: Recipe) -> Trial | None:
    return None if found is None else next((trial for trial in found.finding.trials if trial.recipe == recipe), None)


def _manifest(examined: Examined, recipe: Recipe, converted: Converted) -> Manifest:
    given, source, report = examined.given, examined.source, examined.report
    classes = given.labels or (examined.found.classes if examined.found is not None else converted.classes)
    if len(classes) != len(converted.classes):
        raise InvalidModel(f"The classifier has {len(converted.classes)} classes, but {len(classes)} labels were given.")
    vouched = converted.file == "source.pkl"
    return Manifest(
        name=given.name,
        version="",
        classes=classes,
        recipe=recipe,
        runtime=converted.runtime,
        artifact=converted.file,
        digests={},
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        origin="imported",
        summary=f"{_kind(report)}, {'served as the pickle its owner vouched for' if vouched else 'imported from a file'}.",
        expects=f"A picture like those it was trained on; it is seen at {recipe.width}x{recipe.height} pixels.",
        libraries=installed(),
        answers=converted.answers,
        features=converted.features,
        proof=converted.proof,
        source=Source(
            format=source.format,
            sha256=source.sha256,
            estimators=report.estimators[:20],
            libraries=report.libraries,
            differences=(*differences(_comparable(report.libraries)), *converted.repairs),
            confinement=converted.confinement,
            trusted=vouched,
        ),
    )


def _kind(report: Report) -> str:
    """Give what the file holds as a title: the steps of a pipeline, or the classifier; not the trees of a forest."""
    if not report.estimators:
        return "A classifier"
    first, *others = dict.fromkeys(report.estimators)
    steps = [name for name in others if not name.startswith("DecisionTree")][:3] if first == "Pipeline" else []
    return " + ".join(steps) or first


def _comparable(libraries: Mapping[str, str]) -> dict[str, str]:
    """Give the versions that tell a difference: of NumPy a file tells only which of its two ages wrote it."""
    return {name: version for name, version in libraries.items() if name != "numpy" or version == "1"}


def _vouched(source: SourceFile, report: Report, trust: str) -> bool:
    """Tell whether the pickle itself is to be opened: only where its owner vouches for it and nothing less will do."""
    if not trust:
        return False
    if trust.lower() != f"sha256:{source.sha256}":
        raise InvalidRequest(f"The file's digest is sha256:{source.sha256}, not {trust}.")
    return bool(report.refused) and source.format == "pickle"


def _require_safe(source: SourceFile, report: Report) -> None:
    try:
        report.require_safe()
    except UnsafeModel as error:
        raise UnsafeModel(
            f"{error} If these are classes of your own, put their module into a folder and say --code FOLDER "
            f"--trust sha256:{source.sha256}; then the file itself is opened, which runs what it names.",
            error.names,
        ) from error


def _code(folder: Path | None, vouched: bool) -> dict[str, bytes]:
    if folder is None:
        return {}
    if not vouched:
        raise InvalidRequest("--code is taken only together with --trust, for a file that cannot do without it.")
    files = {f"code/{path.relative_to(folder).as_posix()}": path.read_bytes() for path in sorted(folder.rglob("*.py"))}
    if not files or sum(map(len, files.values())) > _LARGEST_CODE:
        raise InvalidRequest(f"There is no Python code in {folder}, or too much of it.")
    return files


def _pictures(folder: Path | None, recipe: Recipe) -> NDArray[np.uint8]:
    """Give the pictures in a folder as the model sees them, shape (n, height, width, 3); what is none is passed over."""
    found: list[NDArray[np.uint8]] = []
    paths: Sequence[Path] = sorted(folder.rglob("*")) if folder is not None else ()
    for path in paths:
        if path.is_file() and len(found) < _MOST_SAMPLES:
            try:
                found.append(recipe.resized(decode(path.read_bytes(), fit=recipe.size)))
            except (InvalidImage, OSError):
                continue
    if folder is not None and not found:
        raise InvalidRequest(f"There is no picture in {folder}.")
    return np.array(found, np.uint8)
