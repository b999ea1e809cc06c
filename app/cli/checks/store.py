"""The folder or the bucket that machines share: whether it answers, and takes what is written."""

from __future__ import annotations

from collections.abc import Iterator

from app.cli.checks.disk import scarce
from app.cli.checks.finding import Case, Finding, error, good
from app.cli.checks.permissions import may_write
from app.composition import objects_of
from app.errors import VitrineError

# Any key: whether a bucket lets itself be read is told by one that is not there, too.
_INDEX = "models/index.json"


def store(case: Case) -> Iterator[Finding]:
    """Look whether what VITRINE_STORE names is there; a bucket is read once, and nothing is written."""
    if case.settings.bucket:
        yield _bucket(case)
    elif case.settings.store:
        yield from _folder(case)


def _bucket(case: Case) -> Finding:
    told = f"The store {case.settings.bucket}"
    try:
        objects_of(case.settings).read(_INDEX)
    except FileNotFoundError:
        return good(f"{told} answers, and holds no model yet.")
    except VitrineError as away:
        return error(
            f"{told} cannot be read: {away}", "Start it, or mend VITRINE_STORE and the variables that its library reads."
        )
    return good(f"{told} answers.")


def _folder(case: Case) -> Iterator[Finding]:
    folder = case.settings.kept
    if not folder.is_dir():
        yield error(f"The folder of VITRINE_STORE is not there: {folder}.", "Mount it, or mend VITRINE_STORE.")
    elif not may_write(folder, case.keeper):
        yield error(f"The user of the site may not write to {folder}.", "Mend its permissions, or how it is mounted.")
    else:
        found = list(scarce(folder, folder, "no start goes on with less than 200 MB"))
        yield from found or [good(f"{folder} can be written to.")]
