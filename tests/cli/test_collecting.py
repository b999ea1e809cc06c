"""The static files, put together for a web server in front."""

from __future__ import annotations

from pathlib import Path

from app.config import TREE
from tests.cli.running import Run, refusal_of


def test_everything_that_is_served_as_it_is_ends_up_in_one_folder(vitrine: Run, tmp_path: Path) -> None:
    folder = tmp_path / "www" / "static"
    for _ in range(2):  # the second time over what the first has put there
        assert vitrine("collect-static", folder).code == 0
    assert (folder / "app.css").read_bytes() == (TREE / "static" / "app.css").read_bytes()
    assert (folder / "bootstrap" / "css" / "bootstrap.min.css").stat().st_size > 100_000
    assert (folder / "swagger-ui" / "swagger-ui.css").stat().st_mode & 0o777 == 0o644


def test_a_folder_that_cannot_be_made_is_told_in_a_sentence(vitrine: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    assert refusal_of(vitrine("collect-static", tmp_path / "file" / "static")).startswith("The files cannot be put into ")
