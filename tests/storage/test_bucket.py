"""A bucket of an object store, against a real S3 server: what it takes and refuses, and how long anybody waits for it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from app.errors import InvalidSettings, StoreUnavailable
from app.storage.bucket import Bucket, ObjectChanged
from tests.s3_server import RunningS3

LONGEST_SECONDS = 15  # for what is given up after half of one, on a machine that does much else


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningS3]:
    with RunningS3(tmp_path_factory.mktemp("s3")) as running, pytest.MonkeyPatch.context() as patch:
        for name, value in running.environment.items():
            patch.setenv(name, value)
        yield running


@pytest.fixture
def bucket(server: RunningS3) -> Bucket:
    return Bucket(server.url)


class Clock:
    """A clock that a test sets."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_what_is_written_is_there_for_everybody_below_the_prefix(server: RunningS3, bucket: Bucket) -> None:
    bucket.write("a/one", b"1")
    bucket.write("a/one", b"2")
    assert Bucket(server.url).read("a/one") == b"2"
    assert Bucket("s3://vitrine").read("site/a/one") == b"2"


def test_many_are_asked_for_together(bucket: Bucket) -> None:
    for number in range(0, 40, 2):
        bucket.write(f"many/{number}", b"")
    assert bucket.present([f"many/{number}" for number in range(40)]) == {f"many/{number}" for number in range(0, 40, 2)}
    assert bucket.present([]) == frozenset()


def test_what_is_deleted_is_gone_and_nothing_there_is_no_error(bucket: Bucket) -> None:
    bucket.write("gone", b"1")
    bucket.delete(["gone", "never-there"])
    with pytest.raises(FileNotFoundError):
        bucket.read("gone")
    assert bucket.present(["gone"]) == frozenset()


def test_what_has_not_changed_is_not_sent_again(bucket: Bucket) -> None:
    bucket.write("index", b"1")
    first = bucket.fetch("index")
    assert first is not None
    assert bucket.fetch("index", first.tag) is None
    bucket.write("index", b"2")
    second = bucket.fetch("index", first.tag)
    assert second is not None
    assert second.content == b"2"


def test_of_many_who_write_the_next_state_one_does(bucket: Bucket) -> None:
    tag = bucket.exchange("counter", b"0", None)
    with pytest.raises(ObjectChanged):
        bucket.exchange("counter", b"another", None)

    def write(number: int) -> bool:
        try:
            bucket.exchange("counter", f"{number}".encode(), tag)
        except ObjectChanged:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(write, range(1, 9))).count(True) == 1
    assert bucket.read("counter") != b"0"


def test_everything_below_a_prefix_is_listed_with_its_time(bucket: Bucket) -> None:
    for name in ("list/a", "list/b/c", "other"):
        bucket.write(name, b"")
    listed = dict(bucket.listed("list"))
    assert listed.keys() == {"list/a", "list/b/c"}
    assert all(abs(written.timestamp() - time.time()) < 3600 for written in listed.values())


def test_one_that_does_not_answer_is_given_up_and_then_left_alone(server: RunningS3) -> None:
    clock = Clock()
    bucket = Bucket(server.url, seconds=0.5, silent_seconds=5, clock=clock)
    bucket.write("before", b"1")
    server.freeze()
    try:
        began = time.monotonic()
        with pytest.raises(StoreUnavailable):
            bucket.write("a", b"1")
        assert time.monotonic() - began < LONGEST_SECONDS
        asked = len(server.requests)
        for _ in range(1000):  # at half a second each, that would be eight minutes
            with pytest.raises(StoreUnavailable):
                bucket.write("a", b"1")
        assert bucket.present(["before"]) == frozenset()
        bucket.delete(["before"])
    finally:
        server.thaw()
    with pytest.raises(StoreUnavailable):
        bucket.read("before")
    assert len(server.requests) <= asked + 1, "the one that was given up may be answered now"
    clock.now = 5.0
    assert bucket.read("before") == b"1"
    assert bucket.read("before") == b"1"


def test_a_bucket_that_is_not_there_is_a_fault_where_it_is_written_to(server: RunningS3) -> None:
    with pytest.raises((StoreUnavailable, FileNotFoundError)):
        Bucket("s3://another/site").write("a", b"1")


def test_an_address_without_what_it_needs_stops_the_start(server: RunningS3) -> None:
    with pytest.raises(InvalidSettings, match="VITRINE_STORE cannot be used: "):
        Bucket("az://container/site")
