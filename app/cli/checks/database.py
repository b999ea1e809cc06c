"""The database: whether it answers, can be written to, is whole, and is as old as the code."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from app.cli.checks.finding import Case, Finding, error, good, megabytes, warning
from app.cli.checks.machine import workers_of
from app.cli.checks.permissions import may_write, user_name
from app.cli.tables import plain
from app.config import Settings
from app.errors import InvalidSettings, VitrineError
from app.storage.database import sqlite_file
from app.storage.inspection import Seen, known_revisions, who_holds

# Locks and shared memory, on which SQLite relies, do not hold between machines on these.
_NETWORK = ("nfs", "cifs", "smb", "ceph", "lustre", "gluster", "afs", "beegfs", "fuse.")
_MOUNTS = Path("/proc/self/mountinfo")
# What is tested; docs/settings.md says so.
_OLDEST_POSTGRESQL = 15


def database(case: Case) -> Iterator[Finding]:
    """Look whether the database answers, can be written to and is whole, and whether its tables are those of this code."""
    seen = case.seen
    if isinstance(seen, InvalidSettings):
        yield error(str(seen), "docs/settings.md tells what VITRINE_DATABASE_URL may be.")
    elif isinstance(seen, VitrineError):
        yield error(
            f"The database cannot be opened: {plain(str(seen))}.", "Start it, or mend VITRINE_DATABASE_URL or its rights."
        )
    elif seen is None:
        yield warning("There is no database yet.", "`vitrine prepare` makes it, as the first start does.")
    elif seen.damage:
        yield error(
            f"The database is damaged: {plain(seen.damage)}.",
            "Stop the site, keep the file, and restore the newest backup, or a copy from the data folder.",
        )
    else:
        yield from _of_the_file(seen, case) if seen.system.startswith("SQLite") else _of_the_server(seen, case.settings)
        yield _tables(seen)


def network_of(path: Path, mounts: str) -> str | None:
    """Give the kind of network file system that a path is on, by what the system has mounted (proc(5)), or None."""
    best, kind = "", ""
    for line in mounts.splitlines():
        place, _, rest = line.partition(" - ")
        point = place.split()[4].replace("\\040", " ")
        if len(point) >= len(best) and path.is_relative_to(point):
            best, kind = point, rest.split()[0]
    return kind if kind.startswith(_NETWORK) else None


def _tables(seen: Seen) -> Finding:
    known = known_revisions()
    if seen.revision == known[-1]:
        return good(f"The tables are those of this version ({seen.revision}).")
    if seen.revision is None:
        return error("The database has no tables yet.", "`vitrine prepare` makes them, as a start does.")
    if seen.revision in known:
        return error(
            f"The tables are those of an older version ({seen.revision}; {known[-1]} is needed).",
            "`vitrine prepare` brings them up to date, after a copy.",
        )
    return error(
        f"The tables were made by a newer Vitrine ({plain(seen.revision)}; {known[-1]} is the newest known here).",
        "Run that version, or restore the copy that was made before it.",
    )


def _of_the_file(seen: Seen, case: Case) -> Iterator[Finding]:
    file = sqlite_file(case.settings.database)
    assert file is not None  # noqa: S101 - it is the one that was looked at
    found = []
    shut = next((path for path in (file, file.parent) if not may_write(path, case.keeper)), None)
    if shut is not None:
        found.append(error(f"{user_name(case.keeper)} may not write to {shut}.", f"chmod u+w {shut}; or mend its owner."))
    holder = who_holds(file)
    if holder is not None:
        found.append(
            warning(
                f"Process {holder} has been writing to the database for a second on end; nobody else can meanwhile.",
                "Wait until it has finished, or see what it is.",
            )
        )
    kind = network_of(file.absolute(), _MOUNTS.read_text(encoding="utf-8")) if _MOUNTS.exists() else None
    if kind is not None:
        found.append(
            warning(
                f"The database {file} is on a network file system ({kind}), where SQLite's locks may not hold.",
                "Keep VITRINE_DATA on a disk of this machine, or name a PostgreSQL in VITRINE_DATABASE_URL.",
            )
        )
    looked = "whole" if seen.whole else "as far as it was looked at whole"
    yield from found or [good(f"{seen.system}, {megabytes(seen.size)} in {file}, {looked}.")]


def _of_the_server(seen: Seen, settings: Settings) -> Iterator[Finding]:
    found = []
    if not seen.writable:
        found.append(
            error("The database may only be read here.", "Name the server that is written to, and a user who owns the tables.")
        )
    if int(seen.system.split()[1].split(".")[0]) < _OLDEST_POSTGRESQL:
        found.append(
            warning(f"{seen.system} is older than what is tested.", f"Use PostgreSQL {_OLDEST_POSTGRESQL} or a newer one.")
        )
    if seen.encoding != "UTF8":
        found.append(error(f"The database keeps texts as {seen.encoding}.", "Make one with ENCODING 'UTF8'."))
    wanted = workers_of(settings) * (settings.threads + 1)
    if seen.connections is not None and seen.connections < wanted:
        found.append(
            warning(
                f"The server takes {seen.connections} connections, and this machine may want {wanted}.",
                "Raise max_connections, or lower VITRINE_WORKERS or VITRINE_THREADS.",
            )
        )
    yield from found or [good(f"{seen.system}, {megabytes(seen.size)}.")]
