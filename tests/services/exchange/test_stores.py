"""Every kind of store: what was written is read again exactly, and gone on with where it ended."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from app.errors import InvalidRequest
from app.services.exchange.shapes import PREDICTIONS, USERS
from app.services.exchange.stores import open_source, open_target
from tests.postgres import RunningPostgres
from tests.services.exchange.rows import HARD, TEXTS, prediction, read, written

KINDS = ["rows.csv", "rows.jsonl", "rows.NDJSON", "sqlite", "postgresql"]
STAND_IN = "\N{REPLACEMENT CHARACTER}"


@pytest.fixture(params=KINDS)
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give the address of an empty store of each kind."""
    if request.param == "postgresql":
        server: RunningPostgres = request.getfixturevalue("server")
        return server.database()
    return f"sqlite:///{tmp_path / 'rows.db'}" if request.param == "sqlite" else str(tmp_path / request.param)


@pytest.mark.parametrize("what", HARD)
def test_what_is_written_is_read_again_exactly(address: str, what: str) -> None:
    shape, rows = HARD[what]
    if address.startswith("postgresql"):  # what it does not take has a test of its own
        rows = [row | {"scores": [["light", 0.5]]} if "scores" in row else row for row in rows]
    assert read(written(address, shape, rows), shape) == rows


def test_a_store_goes_on_after_its_last_row(address: str) -> None:
    first, then = [[prediction(number, scores=[["a", 1.0]]) for number in some] for some in (range(3), range(3, 5))]
    written(address, PREDICTIONS, first)
    target = open_target(address, PREDICTIONS)
    assert target.last == first[-1]["id"]
    target.write(then)
    target.close()
    assert read(address, PREDICTIONS) == first + then


def test_a_store_without_rows_has_none(address: str) -> None:
    assert read(written(address, PREDICTIONS, []), PREDICTIONS) == []
    target = open_target(address, PREDICTIONS)
    assert target.last is None
    target.close()


def test_batches_come_to_the_length_that_was_told(address: str) -> None:
    rows = [prediction(number, scores=[["a", 1.0]]) for number in range(1100)]
    written(address, PREDICTIONS, rows)
    source = open_source(address, PREDICTIONS)
    batches = list(source.batches())
    assert [len(batch.rows) for batch in batches] == [1000, 100]
    assert source.length == sum(batch.length for batch in batches) > 0
    assert [placed.row for batch in batches for placed in batch.rows] == rows
    source.close()


def test_from_one_kind_to_the_next_and_back_nothing_changes(server: RunningPostgres, tmp_path: Path) -> None:
    shape, rows = HARD["predictions"]
    rows = [row | {"scores": [["a", 0.1]]} for row in rows]
    first = str(tmp_path / "first.csv")
    way = [first, str(tmp_path / "a.jsonl"), f"sqlite:///{tmp_path / 'a.db'}", server.database(), str(tmp_path / "last.csv")]
    written(first, shape, rows)
    for here, there in pairwise(way):
        written(there, shape, read(here, shape))
    assert Path(way[-1]).read_bytes() == Path(first).read_bytes()


def test_postgresql_gets_a_stand_in_for_what_it_does_not_take(server: RunningPostgres) -> None:
    row = prediction(1, file_name="a\0b", scores=[["c\0d", 1.0], ["\ud800", 0.0]])
    (found,) = read(written(server.database(), PREDICTIONS, [row]), PREDICTIONS)
    assert found == row | {"file_name": f"a{STAND_IN}b", "scores": [[f"c{STAND_IN}d", 1.0], [STAND_IN, 0.0]]}


def test_half_a_surrogate_is_kept_by_files(tmp_path: Path) -> None:
    rows = [prediction(1, scores=[["\ud800", 1.0]])]
    for name in ("a.csv", "a.jsonl"):
        assert read(written(tmp_path / name, PREDICTIONS, rows), PREDICTIONS) == rows


@pytest.mark.parametrize(
    "address", ["photos.pkl", "rows.csv.gz", "mongodb://127.0.0.1/site", "", "https://example.org/rows.csv"]
)
def test_an_address_of_nothing_that_is_known_says_what_is(address: str) -> None:
    for open_either in (open_target, open_source):
        with pytest.raises(InvalidRequest, match=r"none of what is known: a file named \*\.csv"):
            open_either(address, USERS)


def test_the_hard_texts_hold_each_kind_of_trouble_once() -> None:
    assert len(TEXTS) == len(set(TEXTS))
