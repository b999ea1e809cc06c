"""Very many predictions out of a site, into another and into PostgreSQL: in little memory, however often it is killed."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import pytest
from sqlalchemy import func, select

from app.composition import Services
from app.services.exchange.shapes import PREDICTIONS
from app.storage.database import open_database
from app.storage.tables import StoredPrediction
from tests.factories import make_services
from tests.postgres import RunningPostgres
from tests.services.exchange.full_sites import content_of, fill
from tests.services.exchange.rows import prediction, predictions_of, read, store_predictions
from tests.serving import TREE, VITRINE

MANY, FEW, SOME = 200_000, 1_000, 30_000
# More than it takes for a thousand rows.
MOST_BYTES = 32_000_000


@dataclass(frozen=True)
class Cost:
    """What a command took: seconds, seconds of processors, and the most memory in bytes."""

    seconds: float
    processor: float
    memory: int


@pytest.fixture(scope="module")
def server() -> Iterator[RunningPostgres]:
    with RunningPostgres() as running:
        yield running


def site(folder: Path, count: int) -> Services:
    """Give a site with so many predictions, none of which holds what PostgreSQL does not take."""
    folder.mkdir()
    services = make_services(folder)
    rows = (prediction(number, scores=[["light", 0.75], ["dark", number / MANY]]) for number in range(count))
    while some := list(islice(rows, 10_000)):
        store_predictions(services, some)
    return services


def cost_of(data: Path, *words: str) -> Cost:
    """Run a command, and give what it took."""
    began = time.monotonic()
    started = subprocess.Popen([*VITRINE, *words], cwd=TREE, env={**os.environ, "VITRINE_DATA": str(data)})
    memory, ended = 0, 0
    while not ended:
        # What the system tells of a child in the end counts what its parent held before it began.
        found = re.search(r"^VmHWM:\s+(\d+) kB", Path(f"/proc/{started.pid}/status").read_text(), re.MULTILINE)
        memory = int(found[1]) * 1024 if found else memory
        time.sleep(0.02)
        ended, status, used = os.wait4(started.pid, os.WNOHANG)
    started.returncode = os.waitstatus_to_exitcode(status)
    assert started.returncode == 0
    return Cost(time.monotonic() - began, used.ru_utime + used.ru_stime, memory)


def killed_until_done(data: Path, *words: str, chance: random.Random) -> int:
    """Start a command again and again and kill it each time, later and later; give how often that was until it had its way."""
    kills = 0
    while True:
        started = subprocess.Popen(
            [*VITRINE, *words], cwd=TREE, env={**os.environ, "VITRINE_DATA": str(data)}, stderr=subprocess.PIPE
        )
        try:
            _, told = started.communicate(timeout=chance.uniform(0.5, 1.0 + 0.3 * kills))
        except subprocess.TimeoutExpired:
            started.send_signal(signal.SIGKILL)
            started.communicate()
            kills += 1
            continue
        assert started.returncode == 0, told
        return kills


def test_very_many_rows_take_no_more_memory_than_a_thousand(server: RunningPostgres, tmp_path: Path) -> None:
    print()
    for count in (FEW, MANY):
        services = site(tmp_path / f"of-{count}", count)
        data, url = services.settings.data, server.database()
        target, new = str(tmp_path / f"{count}.csv"), tmp_path / f"new-{count}"
        costs = {
            "export to CSV": cost_of(data, "export", "predictions", "--to", target),
            "export to JSON lines": cost_of(data, "export", "predictions", "--to", target.replace(".csv", ".jsonl")),
            "export to SQLite": cost_of(data, "export", "predictions", "--to", f"sqlite:///{tmp_path / str(count)}.db"),
            "export to PostgreSQL": cost_of(data, "export", "predictions", "--to", server.database()),
            "import from CSV": cost_of(new, "import", "predictions", "--from", target),
            "the same again": cost_of(new, "import", "predictions", "--from", target),
            "everything to PostgreSQL": cost_of(data, "export", "everything", "--to", url),
        }
        with make_services(tmp_path / "again", data=new).engine.connect() as connection:
            assert connection.scalar(select(func.count(StoredPrediction.id))) == count
        if count == FEW:
            few = costs
        for name, cost in costs.items():
            more = cost.memory - few[name].memory
            longer = cost.processor - few[name].processor
            rate = f", {count / longer:,.0f} rows a second of a core" if longer else ""
            print(f"{count:,} rows, {name}: {cost.seconds:.1f} s{rate}, {cost.memory / 1e6:.0f} MB")
            assert more < MOST_BYTES, name


@pytest.mark.parametrize("kind", ["csv", "jsonl", "sqlite", "postgresql"])
def test_an_export_may_be_killed_however_often(server: RunningPostgres, tmp_path: Path, kind: str) -> None:
    services, chance = site(tmp_path / "site", SOME), random.Random(kind)
    databases = {"sqlite": f"sqlite:///{tmp_path / 'rows.db'}", "postgresql": server.database()}
    url = databases.get(kind) or str(tmp_path / f"rows.{kind}")
    kills = killed_until_done(services.settings.data, "export", "predictions", "--to", url, chance=chance)
    print(f"\nexport to {kind}: killed {kills} times")
    rows = predictions_of(services)
    assert [row["id"] for row in read(url, PREDICTIONS)] == [row["id"] for row in rows]
    assert kills > 0


def test_an_import_may_be_killed_however_often(tmp_path: Path) -> None:
    services, chance = site(tmp_path / "site", SOME), random.Random("import")
    file = str(tmp_path / "rows.csv")
    cost_of(services.settings.data, "export", "predictions", "--to", file)
    cost_of(services.settings.data, "export", "audit-log", "--to", str(tmp_path / "log.csv"))
    new = tmp_path / "new"
    kills = killed_until_done(new, "import", "predictions", "--from", file, chance=chance)
    print(f"\nimport: killed {kills} times")
    assert predictions_of(make_services(tmp_path / "again", data=new)) == predictions_of(services)
    assert kills > 0


def test_a_move_may_be_killed_however_often(server: RunningPostgres, tmp_path: Path) -> None:
    services, chance, url = site(tmp_path / "site", SOME), random.Random("move"), server.database()
    fill(services.engine)
    kills = killed_until_done(services.settings.data, "export", "everything", "--to", url, chance=chance)
    print(f"\nmove: killed {kills} times")
    target = open_database(url)
    assert content_of(target) == content_of(services.engine)
    target.dispose()
    assert kills > 0
