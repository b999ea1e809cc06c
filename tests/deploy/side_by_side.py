"""Every server beside the others, bare and behind Nginx, in one run: cold start, memory, answers a second.

`python -m tests.deploy.side_by_side` writes the table into docs/deploy.md.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import distributions, version
from pathlib import Path
from statistics import median

from benchmarks.assets import Assets, prepare_assets
from benchmarks.load.wires import Body, body_with_gap
from benchmarks.load.wrk import measure
from benchmarks.machine import describe_machine, today
from benchmarks.places import TREE, Places
from benchmarks.results.report import write_between
from benchmarks.results.values import Cell, Measured
from benchmarks.servers.processes import ProcessTree
from benchmarks.servers.vitrine import Site, prepare_site
from tests.deploy.apache import ApacheSite
from tests.deploy.nginx import Nginx
from tests.deploy.servers import SERVERS, UwsgiSite, WaitressSite
from tests.serving import RunningSite

BEGIN, END = "<!-- servers side by side: begin -->", "<!-- servers side by side: end -->"
ROUNDS = 3
_CONNECTIONS = 8
_SECONDS = 3.0
_PATH = "/api/v1/predict"
_SITES: dict[str, Callable[..., RunningSite]] = {
    "Gunicorn": RunningSite,
    "uWSGI": UwsgiSite,
    "mod_wsgi": ApacheSite,
    "waitress": WaitressSite,
}


@dataclass(frozen=True)
class Turn:
    """What one start of a server came to."""

    start_s: float
    measured: Measured


@dataclass
class Row:
    """A server, bare or behind Nginx, and its turns."""

    server: str
    behind: bool
    turns: list[Turn] = field(default_factory=list)

    @property
    def refused(self) -> int:
        """How many requests were not answered."""
        return sum(turn.measured.errors for turn in self.turns)

    def cells(self) -> tuple[str, ...]:
        """Give the row of the table."""
        rates = [turn.measured.per_second for turn in self.turns]
        return (
            self.server + (" behind Nginx" if self.behind else ""),
            versions()[self.server],
            f"{median(turn.start_s for turn in self.turns):.1f} s",
            f"{median(turn.measured.memory_mb for turn in self.turns):.0f} MB",
            f"{median(turn.measured.cpu_ms for turn in self.turns):.2f} ms",
            f"{median(turn.measured.p99_ms for turn in self.turns):.0f} ms",
            f"{median(rates):.0f} ({min(rates):.0f} to {max(rates):.0f})",
        )


@dataclass(frozen=True)
class Together:
    """Several trees of processes, counted as one."""

    trees: tuple[ProcessTree, ...]

    def memory_mb(self) -> float:
        """Give their proportional set size in megabytes (10^6 bytes)."""
        return sum(tree.memory_mb() for tree in self.trees)

    def cpu_seconds(self) -> float:
        """Give their user and system time."""
        return sum(tree.cpu_seconds() for tree in self.trees)


@dataclass(frozen=True)
class Door:
    """Where load goes to, and what is counted for it."""

    url: str
    headers: Mapping[str, str]
    tree: Together


def versions() -> dict[str, str]:
    """Give the version of each server, mod_wsgi's with Apache's."""
    found = {each.metadata["Name"].lower().replace("-", "_"): each.version for each in distributions(path=[str(SERVERS)])}
    printed = subprocess.run(["/usr/sbin/apache2", "-v"], capture_output=True, text=True, check=True).stdout
    apache = printed.partition("Apache/")[2].split()[0]
    return {
        "Gunicorn": version("gunicorn"),
        "uWSGI": found["uwsgi"],
        "mod_wsgi": f"{found['mod_wsgi']}, Apache {apache}",
        "waitress": found["waitress"],
    }


def compare(rounds: int = ROUNDS, seconds: float = _SECONDS) -> list[Row]:
    """Let every server take its turns, one after the other and round by round."""
    places = Places.from_environment()
    assets = prepare_assets(places.assets, None)
    ready = prepare_site(places.sites / "side-by-side", "model-a", assets.model_file("A"))
    rows = [Row(server, behind) for server in _SITES for behind in (False, True)]
    for _ in range(rounds):
        for row in rows:
            # Apache's own user must find its way to the data.
            with tempfile.TemporaryDirectory(prefix="vitrine-side-") as folder:
                row.turns.append(_turn(row, Path(folder), ready, assets, seconds))
    return rows


def table(rows: list[Row]) -> str:
    """Give the rows as a table, with what they were measured on."""
    head = ("server", "version", "cold start", "memory", "processor", "p99", "answers a second")
    lines = [f"| {' | '.join(cells)} |" for cells in (head, ("---",) * len(head), *(row.cells() for row in rows))]
    machine = describe_machine()
    said = (
        f"Measured {today()} on {machine.processor}, {machine.cores_used} cores for server and load together, in "
        f"{len(rows[0].turns)} rounds, of which medians are given. Case A1 of [performance](performance.md): a small picture "
        f"and a light model, over {_CONNECTIONS} connections, with history and limits on. Two workers of four threads "
        "each, as in the files of `deploy/`, but for waitress, which is one process of eight. Cold start is from the first "
        "command to the first answer; memory is the largest proportional set size of all processes while answering; "
        "processor time is of one request. Behind Nginx the load comes over TLS, and Nginx is counted."
    )
    return "\n".join([*lines, "", textwrap.fill(said, 132, break_on_hyphens=False)])


def _turn(row: Row, folder: Path, ready: Site, assets: Assets, seconds: float) -> Turn:
    launch = ready.launch("vitrine")
    settings = {name.removeprefix("VITRINE_").lower(): value for name, value in launch.environment.items()}
    settings.pop("data")
    site = _SITES[row.server](folder, **settings, trusted_proxies="1")
    shutil.copytree(ready.data, site.data)
    body = body_with_gap(launch.wire, assets.picture("1"))
    with _front(row, folder, site) as (url, pids):
        began = time.monotonic()
        site.launch()
        try:
            _first_answer(site, launch.headers, body, began)
            start = time.monotonic() - began
            door = Door(f"{url}{_PATH}", launch.headers, Together(tuple(map(ProcessTree, [site.pid, *pids]))))
            cell = Cell("A", "1", _CONNECTIONS)
            measure(door, body, cell, 1)  # to warm up
            return Turn(start, measure(door, body, cell, seconds))
        finally:
            site.stop()


@contextmanager
def _front(row: Row, folder: Path, site: RunningSite) -> Iterator[tuple[str, list[int]]]:
    """Give the address, and the processes in front of the site where the row is of one behind Nginx."""
    if not row.behind:
        yield site.url, []
        return
    nginx = Nginx(folder / "nginx")
    nginx.stand_before(site.port, site.environment)
    nginx.launch()
    try:
        yield nginx.address, [nginx.pid]
    finally:
        nginx.stop()


def _first_answer(site: RunningSite, headers: Mapping[str, str], body: Body, began: float) -> None:
    sent = {**headers, "Content-Type": body.content_type}
    while time.monotonic() < began + 60:
        try:
            if site.request("POST", _PATH, body.numbered(0), sent).status == 200:
                return
        except OSError:
            time.sleep(0.02)
    raise AssertionError(f"nothing was answered:\n{site.log}")


if __name__ == "__main__":
    found = table(compare())
    write_between(BEGIN, END, found, TREE / "docs" / "deploy.md")
    print(found)
