"""The clock: it cannot be earlier than what was written, and not far from the database server's."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from app.cli.checks.finding import Case, Finding, error, good, warning
from app.config import TREE
from app.storage.inspection import Seen

# Clocks of several machines differ by seconds; codes of second factors are good for half a minute.
_MUCH = timedelta(minutes=2)
_A_LITTLE_SECONDS, _MUCH_SECONDS = 5.0, 60.0
_SET_IT = "Set the clock, and let it be kept right (timedatectl set-ntp true)."


def clock(case: Case) -> Iterator[Finding]:
    """Look whether the clock is plausible, without asking anybody but the database."""
    now = datetime.now(UTC)
    found = []
    seen = case.seen if isinstance(case.seen, Seen) else None
    if seen is not None and seen.newest is not None and seen.newest > now + _MUCH:
        found.append(error(f"The clock says {_text(now)}, and the database holds a row of {_text(seen.newest)}.", _SET_IT))
    newest = max([*(TREE / "app").glob("*.py"), *_entries(case.settings.data)], key=_written)
    if _written(newest) > now + _MUCH:
        found.append(warning(f"The clock says {_text(now)}, and {newest} was written {_text(_written(newest))}.", _SET_IT))
    if seen is not None and abs(seen.ahead_seconds) > _A_LITTLE_SECONDS:
        level = error if abs(seen.ahead_seconds) > _MUCH_SECONDS else warning
        found.append(level(f"The clock and the database server's are {abs(seen.ahead_seconds):.0f} seconds apart.", _SET_IT))
    yield from found or [good(f"The clock says {_text(now)}, which may well be.")]


def _entries(folder: Path) -> list[Path]:
    return list(folder.iterdir()) if folder.is_dir() else []


def _written(path: Path) -> datetime:
    try:
        return datetime.fromtimestamp(path.lstat().st_mtime, UTC)
    except OSError:  # gone since
        return datetime.min.replace(tzinfo=UTC)


def _text(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
