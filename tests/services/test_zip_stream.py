"""A ZIP file that is sent while it is made."""

from __future__ import annotations

import os
from collections.abc import Iterator
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

from app.services.zip_stream import Entry, zip_stream


def test_it_is_a_whole_zip_file() -> None:
    entries = [Entry("a.json", b"[1]" * 1000), Entry("pictures/b.jpg", os.urandom(1000), compressed=True), Entry("empty", b"")]
    file = ZipFile(BytesIO(b"".join(zip_stream(entries))))
    assert file.testzip() is None
    assert {name: file.read(name) for name in file.namelist()} == {entry.name: entry.content for entry in entries}
    assert [info.compress_type for info in file.infolist()[:2]] == [ZIP_DEFLATED, ZIP_STORED]
    assert file.getinfo("a.json").compress_size < 100


def test_an_entry_is_asked_for_when_the_last_is_on_its_way() -> None:
    asked = []

    def entries() -> Iterator[Entry]:
        for number in range(3):
            asked.append(number)
            yield Entry(str(number), os.urandom(100), compressed=True)

    stream = zip_stream(entries())
    assert asked == []
    assert len(next(stream)) > 100
    assert asked == [0]


def test_nothing_makes_an_empty_file() -> None:
    assert ZipFile(BytesIO(b"".join(zip_stream([])))).namelist() == []
