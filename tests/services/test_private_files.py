"""Private files, and the key that signs the cookies."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from app.errors import InvalidSettings
from app.services.private_files import alone_in, restoring, secret_key, use, write_private

GOOD = "kX9-vQ2_mZ7.pL4~wR8!tB3@yN6#hC1$"


def test_only_the_owner_may_read(tmp_path: Path) -> None:
    mask = os.umask(0)
    try:
        write_private(tmp_path / "secret", "text")
    finally:
        os.umask(mask)
    assert (tmp_path / "secret").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "secret").read_text() == "text\n"


def test_replaces_what_was_there_and_its_permissions(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("older and longer")
    (tmp_path / "secret").chmod(0o644)
    write_private(tmp_path / "secret", "new")
    assert (tmp_path / "secret").read_text() == "new\n"
    assert (tmp_path / "secret").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["secret"]


def test_a_given_key_is_taken(tmp_path: Path) -> None:
    own = tmp_path / "secret_key"
    (tmp_path / "given").write_text("never read")
    assert secret_key(given=GOOD, given_file=tmp_path / "given", own_file=own) == GOOD
    assert not own.exists()


@pytest.mark.parametrize(
    "weak",
    [
        "",
        "tiny",
        GOOD[:31],
        "a" * 40,
        "abcabcabc" * 10,
        "change-me-" + GOOD,
        "CHANGEME" + GOOD,
        "my-super-secret-" + GOOD,
        "your_secret_key_" + GOOD,
    ],
)
def test_a_key_that_can_be_guessed_is_refused_and_not_repeated(tmp_path: Path, weak: str) -> None:
    with pytest.raises(InvalidSettings, match="VITRINE_SECRET_KEY") as refusal:
        secret_key(given=weak, given_file=None, own_file=tmp_path / "secret_key")
    assert not weak or weak not in str(refusal.value)


def test_a_key_is_read_from_a_private_file(tmp_path: Path) -> None:
    write_private(tmp_path / "given", GOOD)
    assert secret_key(given=None, given_file=tmp_path / "given", own_file=tmp_path / "own") == GOOD
    (tmp_path / "given").chmod(0o640)  # a group is how container platforms hand out secrets
    assert secret_key(given=None, given_file=tmp_path / "given", own_file=tmp_path / "own") == GOOD
    assert not (tmp_path / "own").exists()


def test_a_key_that_everyone_may_read_is_refused(tmp_path: Path) -> None:
    write_private(tmp_path / "given", GOOD)
    (tmp_path / "given").chmod(0o644)
    with pytest.raises(InvalidSettings, match="chmod 600"):
        secret_key(given=None, given_file=tmp_path / "given", own_file=tmp_path / "own")


def test_a_key_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff" * 40)
    (tmp_path / "binary").chmod(0o600)
    for file in (tmp_path / "nothing", tmp_path, tmp_path / "binary"):
        with pytest.raises(InvalidSettings, match="cannot be read"):
            secret_key(given=None, given_file=file, own_file=tmp_path / "own")


def test_a_weak_key_in_a_file_is_refused(tmp_path: Path) -> None:
    write_private(tmp_path / "given", "short")
    with pytest.raises(InvalidSettings, match="VITRINE_SECRET_KEY_FILE is too short"):
        secret_key(given=None, given_file=tmp_path / "given", own_file=tmp_path / "own")


def test_a_key_is_made_once_where_none_is_given(tmp_path: Path) -> None:
    first = secret_key(given=None, given_file=None, own_file=tmp_path / "own")
    assert first == secret_key(given=None, given_file=None, own_file=tmp_path / "own")
    assert len(first) >= 32
    assert (tmp_path / "own").stat().st_mode & 0o777 == 0o600
    assert first != secret_key(given=None, given_file=None, own_file=tmp_path / "another")


def test_a_made_key_that_was_opened_to_everyone_is_refused(tmp_path: Path) -> None:
    secret_key(given=None, given_file=None, own_file=tmp_path / "own")
    (tmp_path / "own").chmod(0o644)
    with pytest.raises(InvalidSettings, match="chmod 600"):
        secret_key(given=None, given_file=None, own_file=tmp_path / "own")


def test_any_number_of_sites_may_run_on_a_folder_or_one_may_have_it_alone(tmp_path: Path) -> None:
    ends = [use(tmp_path), use(tmp_path)]
    with pytest.raises(InvalidSettings, match="A site runs on"), alone_in(tmp_path):
        raise AssertionError
    for end in ends:
        end()
    with alone_in(tmp_path):
        with pytest.raises(InvalidSettings, match="A backup is being restored"):
            use(tmp_path)
        with pytest.raises(InvalidSettings, match="or a backup is being restored there"), alone_in(tmp_path):
            raise AssertionError
    use(tmp_path)()


@pytest.mark.parametrize("name", [".restored", ".placing"])
def test_no_site_starts_on_half_of_a_backup(name: str, tmp_path: Path) -> None:
    (tmp_path / name).mkdir()
    assert restoring(tmp_path)
    with pytest.raises(InvalidSettings, match="run `vitrine prepare` and start again"):
        use(tmp_path)
    with alone_in(tmp_path):  # whoever was refused does not hold it
        (tmp_path / name).rmdir()
    use(tmp_path)()


def test_where_nothing_can_be_noted_a_site_runs_all_the_same(tmp_path: Path) -> None:
    use(tmp_path / "nowhere")()
    assert not (tmp_path / "nowhere").exists()
