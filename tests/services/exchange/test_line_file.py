"""Files of lines: gone on with after the last whole row, never written over, and refused with the line that is wrong."""

from __future__ import annotations

import csv
import fcntl
from pathlib import Path

import pytest

from app.errors import InvalidRequest
from app.services.exchange.shapes import AUDIT_LOG, PREDICTIONS, USERS
from app.services.exchange.stores import open_source, open_target
from tests.services.exchange.rows import account, deed, prediction, read, written

# With a line break in a cell, where CSV has one.
ROWS = [prediction(number, file_name=f'a "quoted"\nname, {number}') for number in range(3)]


@pytest.fixture(params=["csv", "jsonl"])
def file(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return tmp_path / f"rows.{request.param}"


def refusal(content: str | bytes, file: Path) -> str:
    """Give what is said of a file of accounts with this content."""
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InvalidRequest) as refused:
        read(file, USERS)
    return str(refused.value).replace(str(file), "FILE")


def test_wherever_a_file_ends_it_is_gone_on_with_and_nothing_is_missing_or_doubled(file: Path) -> None:
    whole = Path(written(file, PREDICTIONS, ROWS)).read_bytes()
    breaks = [place + off for place, byte in enumerate(whole) if byte == ord("\n") for off in (-1, 0, 1)]
    for end in sorted({*range(0, len(whole), 29), *breaks, len(whole)}):
        file.write_bytes(whole[:end])
        target = open_target(str(file), PREDICTIONS)
        there = [row["id"] for row in ROWS].index(str(target.last)) + 1 if target.last else 0
        if ROWS[there:]:
            target.write(ROWS[there:])
        target.close()
        assert file.read_bytes() == whole, end


def test_a_file_is_for_its_owner_alone(file: Path) -> None:
    written(file, USERS, [account(1)])
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", [b"\xff\xd8\xff\xe0", b"a line\n", b'{"what": "else"}\n', b"id\n", b"{", b"\n"])
def test_a_file_that_holds_something_else_stays_as_it_is(file: Path, content: bytes) -> None:
    if content == b"{" and file.suffix == ".jsonl":
        content = b"{}"
    file.write_bytes(content)
    with pytest.raises(InvalidRequest, match="holds something else"):
        open_target(str(file), PREDICTIONS)
    assert file.read_bytes() == content


def test_rows_of_another_shape_are_something_else(file: Path) -> None:
    before = Path(written(file, USERS, [account(1)])).read_bytes()
    with pytest.raises(InvalidRequest, match="holds something else"):
        open_target(str(file), AUDIT_LOG)
    assert file.read_bytes() == before


def test_two_do_not_write_to_one_file(file: Path) -> None:
    written(file, USERS, [account(1)])
    with file.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(InvalidRequest, match="Another command is writing"):
            open_target(str(file), USERS)


def test_what_cannot_be_opened_says_why(file: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="cannot be opened: No such file"):
        open_target(str(tmp_path / "nowhere" / file.name), USERS)
    with pytest.raises(InvalidRequest, match="cannot be read: No such file"):
        open_source(str(file), USERS)
    file.mkdir()
    with pytest.raises(InvalidRequest, match="cannot be opened: Is a directory"):
        open_target(str(file), USERS)


def test_what_is_no_file_is_not_written_to(tmp_path: Path) -> None:
    (tmp_path / "null.csv").symlink_to("/dev/null")
    with pytest.raises(InvalidRequest, match="is no file; for standard output say -"):
        open_target(str(tmp_path / "null.csv"), USERS)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "Line 1 of FILE is not taken: the names of the columns are missing: id, email, roles"),
        ("id;email\n", "Line 1 of FILE is not taken: it has a field 'id;email'; known are id, email"),
        ("id,active\n", "Line 1 of FILE is not taken: it has no field 'email'."),
        ("email,email\n", "Line 1 of FILE is not taken: a field is there twice."),
        ("email,active\na@example.org\n", "Line 2 of FILE is not taken: it has 1 cells, and the head names 2."),
        ("email,active\na@example.org,si\n", "Line 2 of FILE is not taken: active is not yes or no."),
        (
            'email,active\n"a\nb@example.org",yes\n\n"c@example.org",?\n',
            "Line 5 of FILE is not taken: active is not yes or no.",
        ),
        ("email\na@example.org", "Line 2 of FILE is not taken: it has no end, as if the file were cut off."),
        ('email\n"a@example.org\n', "Line 2 of FILE is not taken: unexpected end of data."),
        (b"email\na\xff@example.org\n", "Line 2 of FILE is not taken: it is no text in UTF-8."),
        ("email,id\na@example.org,1.5\n", "Line 2 of FILE is not taken: id is not a whole number."),
        ("email,roles\na@example.org,admin\n", "Line 2 of FILE is not taken: roles is not a list or an object of JSON."),
        ("email,created_at\na@example.org,yesterday\n", "created_at is not a time with its zone, such as 2026-11-29T03:04:05"),
        ("email,created_at\na@example.org,2026-01-01 10:00\n", "created_at is not a time with its zone"),
        (f"email\n{'a' * 256}\n", "Line 2 of FILE is not taken: email is longer than 255 characters."),
    ],
)
def test_a_damaged_line_of_csv_is_named_with_what_is_wrong(tmp_path: Path, content: str | bytes, said: str) -> None:
    assert said in refusal(content, tmp_path / "users.csv")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"email":"a@example.org"}\nhello\n', "Line 2 of FILE is not taken: it is no JSON."),
        ('["a@example.org"]\n', "Line 1 of FILE is not taken: it is no object of JSON."),
        ('{"email":"a@example.org","password":"x"}\n', "Line 1 of FILE is not taken: it has a field 'password'; known are id"),
        ('{"id":1}\n', "Line 1 of FILE is not taken: it has no field 'email'."),
        ('{"email":"a@example.org","active":1}\n', "Line 1 of FILE is not taken: active is not yes or no."),
        ('{"email":"a@example.org","id":true}\n', "Line 1 of FILE is not taken: id is not a whole number."),
        ('{"email":"a@example.org","created_at":5}\n', "created_at is not a time with its zone"),
        ('{"email":"a@example.org","created_at":"5"}\n', "created_at is not a time with its zone"),
        ('{"email":"a@example.org"}\n\n{"email":"b@ex', "Line 3 of FILE is not taken: it has no end"),
        (b'{"email":"\xff@example.org"}\n', "Line 1 of FILE is not taken: it is no JSON."),
        ('{"email":' + "[" * 100_000 + "\n", "Line 1 of FILE is not taken: it is no JSON."),
        ('{"email":"a@example.org","id":NaN}\n', "Line 1 of FILE is not taken: it is no JSON."),
    ],
)
def test_a_damaged_line_of_json_is_named_with_what_is_wrong(tmp_path: Path, content: str | bytes, said: str) -> None:
    assert said in refusal(content, tmp_path / "users.jsonl")


def test_a_spreadsheets_own_file_is_read(tmp_path: Path) -> None:
    content = '\ufeffactive,email,created_at\r\nTRUE,a@example.org,2026-11-29T05:04:05+02:00\r\n,"b@example.org",\r\n'
    (tmp_path / "users.csv").write_text(content, encoding="utf-8", newline="")
    first, second = read(tmp_path / "users.csv", USERS)
    assert (first["active"], str(first["created_at"])) == (True, "2026-11-29 03:04:05+00:00")
    assert second == dict.fromkeys(USERS.names) | {"email": "b@example.org"}


def test_no_cell_is_a_formula(tmp_path: Path) -> None:
    texts = ["=1+1", "+1", "-1", "@x", "\t=1"]
    file = written(tmp_path / "log.csv", AUDIT_LOG, [deed(number, detail=text) for number, text in enumerate(texts, 1)])
    with Path(file).open(newline="", encoding="utf-8") as lines:
        assert [row["detail"] for row in csv.DictReader(lines)] == [f"'{text}" for text in texts]
