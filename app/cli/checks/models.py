"""The models: whether what answers can be opened, and whether everything else is whole."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from app.cli.checks.finding import Case, Finding, error, good, warning
from app.composition import repository_of
from app.errors import VitrineError
from app.inference.package import ModelPackage, valid_name
from app.inference.pointer import LEFTOVERS, Pointer
from app.inference.predictor import Predictor
from app.inference.repository import Repository


def models(case: Case) -> Iterator[Finding]:
    """Hash every file that is pinned, open each version that answers or runs in a shadow, and look for what is left over."""
    settings = case.settings
    repository = repository_of(settings)
    own = repository.own
    names = repository.names()
    if not names:
        yield error(
            f"No model is there, neither in {settings.models} nor in {own}.", "`vitrine models import`, or `vitrine train`."
        )
    for name in names:
        yield from _model(repository, own, name)
    if settings.default_model and settings.default_model not in names:
        yield error(f"No model is called {settings.default_model}, as VITRINE_DEFAULT_MODEL says.", "Name one that is there.")
    yield from _left_over(repository, own)


def problem_of(repository: Repository, name: str, version: str, *, opened: bool = True) -> str:
    """Give a sentence on what is wrong with a version, or an empty text; `opened`: let it answer for an empty picture, too."""
    try:
        package: ModelPackage = repository.package(name, version)
        for file in package.manifest.digests:
            package.pinned(file)
        if opened:
            Predictor(package).warm_up()
    except VitrineError as wrong:
        return str(wrong)
    except ModuleNotFoundError as missing:
        return f"It needs {missing.name}, which is not installed."
    except Exception as wrong:  # a classifier that was opened may raise anything
        return f"It was opened but does not answer ({type(wrong).__name__})."
    return ""


def _model(repository: Repository, own: Path, name: str) -> Iterator[Finding]:
    active, shadow, versions = repository.active_version(name), repository.shadow(name), repository.versions(name)
    beside = "" if shadow is None else shadow.version
    whole = True
    for version in versions:
        problem = problem_of(repository, name, version, opened=version in (active, beside))
        if problem and version == active:
            yield error(
                f"{name} {version}, which answers, cannot: {problem}", f"`vitrine models rollback {name}`, or put it right."
            )
        elif problem:
            mend = f"`vitrine models shadow {name} --off`" if version == beside else f"`vitrine models remove {name} {version}`"
            yield warning(f"{name} {version} is of no use: {problem}", f"{mend}, or put it right.")
        whole = whole and not problem
    activated = repository.activations(name)[:1]
    if activated and activated != [active]:
        yield error(
            f"{name} {activated[0]} was activated and is gone, so {active} answers.",
            f"Put it back, or `vitrine models activate {name} {active}`.",
        )
    written = Pointer(own / name).shadow()
    if written is not None and shadow is None:
        yield warning(f"{name} {written.version} should run in the shadow and is gone, or answers.", "Start another shadow.")
    if whole:
        others = f"; {len(versions) - 1} more versions are whole" if len(versions) > 1 else ""
        yield good(f"{name} {active} opens and answers{f'; {beside} in its shadow does, too' if beside else ''}{others}.")


def _left_over(repository: Repository, own: Path) -> Iterator[Finding]:
    found = []
    for folder in sorted(own.iterdir()) if own.is_dir() else []:
        if folder.is_dir() and valid_name(folder.name):
            versions = repository.versions(folder.name)
            broken = [entry for entry in folder.iterdir() if entry.name.isdigit() and entry.name not in versions]
            found += [entry for entry in folder.iterdir() if entry.name.startswith(LEFTOVERS)]
            for entry in broken:
                yield warning(f"{entry} is no version, for it has no manifest.", "Put it back from a backup, or remove it.")
    if found:
        yield warning(
            f"{len(found)} things are left of changes that were killed, such as {found[0]}.",
            "`vitrine prepare` sweeps them; one that is going on now is no matter.",
        )
